import { ClientRun, type CallerPhase, type LocalInput } from './client-run.ts';
import { Interner } from './interner.ts';
import type { LinkPart, Links } from './links.ts';
import type { NodeAnswer, NodeCommand } from './node-rules.ts';
import type { Replies } from './replies.ts';
import type { Parts, Reductions, WorldSettings } from './settings.ts';

/** What is known of a client in one of its states, apart from its links. Ticks count from its first acquire. */
export interface ClientFacts {
  readonly phase: CallerPhase;
  readonly acquires: number;
  readonly extensions: number;
  readonly isExtending: boolean;
  /** The first tick at which its lock is not valid any more; -1 without a lock. */
  readonly untilTick: number;
  /** Of its lock; -1 where it has none. */
  readonly token: number;
  /** When its timers are due, in the order in which they were set. */
  readonly timers: readonly number[];
  /** The code of the error with which its last acquire or extension failed; empty if none did. */
  readonly failure: string;
  /** How many of its acquires and extensions failed. */
  readonly failures: number;
}

/** What an input does to a client. */
export interface Transition {
  readonly global: number;
  /** By node, the history of the link. */
  readonly parts: readonly number[];
  /** Whether it got a lock by it, or a longer life for its lock. */
  readonly isGranted: boolean;
  /** Whether an attempt began by it. */
  readonly hasBegun: boolean;
}

/**
 * Thrown by a step once the time for it is over. What the library did is known by then, so that whoever does the same again comes further, and to the
 * same in the end.
 */
export class SliceOver extends Error {
  override readonly name = 'SliceOver';
}

/** How the library was told what brought it to a state: enough to bring another one there. */
interface Representative {
  readonly inputs: readonly LocalInput[];
  readonly parts: readonly number[];
}

/** Inputs by number, in the keys of transitions; a reply of node n is REPLY + n. */
export const INPUT = { acquire: 0, extend: 1, release: 2, timer: 3, reply: 4 } as const;

/** The client that was not started. */
export const FRESH = 0;
/** The client that does nothing any more, whatever it is told. */
export const QUIET = 1;

const FRESH_FACTS: ClientFacts = {
  phase: 'idle',
  acquires: 0,
  extensions: 0,
  isExtending: false,
  untilTick: -1,
  token: -1,
  timers: [],
  failure: '',
  failures: 0,
};

/**
 * What the library does in every state that it can get into, found by running it. A promise cannot be copied, so a state is
 * reached by telling a new client all over again what brought another one there; and since the client is deterministic, each
 * step is run once and then known. A state is what the client has done, when, and for each node what it sent and was told before which deed.
 */
export class ClientAutomaton {
  /** Inputs that were run on the real library, over again or not. */
  runs = 0;
  /** Asked each time that the library was run: one question, such as whether a client is quiet, can take many thousands of runs. */
  isSliceOver: () => boolean = () => false;
  private readonly world: WorldSettings;
  private readonly library: Parts;
  private readonly reductions: Reductions;
  private readonly links: Links;
  private readonly replies: Replies;
  private readonly globals = new Interner<ClientFacts>('states of a client');
  private readonly transitions = new Map<string, Transition>();
  private readonly representatives = new Map<string, Representative>();
  /** For each state that was asked about, the first tick from which it is known to be quiet, and the last at which it is known not to be. */
  private readonly quietFrom = new Map<string, number>();
  private readonly noisyUntil = new Map<string, number>();

  constructor(world: WorldSettings, library: Parts, reductions: Reductions, links: Links, replies: Replies) {
    this.world = world;
    this.library = library;
    this.reductions = reductions;
    this.links = links;
    this.replies = replies;
    const parts = new Array<number>(world.nodes).fill(0);
    this.globals.intern('fresh', () => FRESH_FACTS);
    this.globals.intern('quiet', () => ({ ...FRESH_FACTS, acquires: Number.POSITIVE_INFINITY }));
    this.representatives.set(this.placeKey(FRESH, parts), { inputs: [], parts });
  }

  factsOf(global: number): ClientFacts {
    return this.globals.at(global);
  }

  get stateCount(): number {
    return this.representatives.size;
  }

  /**
   * What the client does when it gets this input, `tick` ticks after its first acquire.
   *
   * @param input one of INPUT
   * @param argument the place of the timer, or the number of the reply
   * @param hint the token hint that its wall clock yields
   * @throws SliceOver when the library had to be run for it, and `isSliceOver` then says so
   */
  step(
    global: number,
    parts: readonly number[],
    input: number,
    argument: number,
    tick: number,
    hint: number,
  ): Transition {
    const key = String.fromCharCode(global, ...parts, input, argument, tick, hint);
    let transition = this.transitions.get(key);
    if (transition === undefined) {
      const inputs = [...this.historyOf(global, parts), this.inputOf(input, argument, tick, hint)];
      transition = this.run(inputs);
      this.transitions.set(key, transition);
      if (this.isSliceOver()) throw new SliceOver();
    }
    return transition;
  }

  /** Whether nothing that can still reach this client makes it do anything that others would notice. */
  isQuiet(global: number, parts: readonly number[], tick: number): boolean {
    const { phase, acquires, untilTick } = this.globals.at(global);
    if (acquires < this.world.cycles || untilTick !== -1) return false;
    if (phase !== 'idle' && phase !== 'releasing') return false;
    const key = this.placeKey(global, parts);
    // Who is quiet from some tick on is so later, and who is not was not before.
    if (tick >= (this.quietFrom.get(key) ?? Number.POSITIVE_INFINITY)) return true;
    if (tick <= (this.noisyUntil.get(key) ?? -1)) return false;
    const isQuiet = this.staysQuiet(global, parts, tick);
    if (isQuiet) this.quietFrom.set(key, tick);
    else this.noisyUntil.set(key, tick);
    return isQuiet;
  }

  private staysQuiet(global: number, parts: readonly number[], fromTick: number): boolean {
    const { timers } = this.globals.at(global);
    // The library compares the time with deadlines only, so that now and the last moment stand for all between.
    for (const tick of new Set([fromTick, this.world.ticks])) {
      for (let timer = 0; timer < timers.length; timer += 1) {
        const dueTick = Math.max(tick, timers[timer] as number);
        if (dueTick > this.world.ticks) continue;
        if (!this.isQuietAfter(this.step(global, parts, INPUT.timer, timer, dueTick, 0), parts, dueTick)) return false;
      }
      for (let node = 0; node < parts.length; node += 1) {
        for (const reply of this.conceivableReplies(parts[node] as number)) {
          const after = this.step(global, parts, INPUT.reply + node, reply, tick, 0);
          if (!this.isQuietAfter(after, parts, tick)) return false;
        }
      }
    }
    return true;
  }

  private isQuietAfter(after: Transition, before: readonly number[], tick: number): boolean {
    if (after.isGranted || after.hasBegun) return false;
    for (let node = 0; node < before.length; node += 1) {
      const { commands } = this.links.partAt(before[node] as number);
      const next = this.links.partAt(after.parts[node] as number);
      for (let place = commands.length; place < next.commands.length; place += 1) {
        if (!this.library.nodesCompare || !isRepeated(next, place)) return false;
      }
    }
    return this.isQuiet(after.global, after.parts, tick);
  }

  /** Whatever the node may answer to the oldest command that it has not answered. */
  private conceivableReplies(part: number): readonly number[] {
    const { commands, told } = this.links.partAt(part);
    const command = commands[told];
    if (command === undefined) return [];
    const { replies } = this;
    const plain = (kind: NodeAnswer['kind']): number => replies.numberOf({ kind, token: -1 });
    const failed = this.world.crashes > 0 ? [replies.failed] : [];
    switch (command.kind) {
      case 'acquire': {
        // Tokens are only compared with one another: one below all others and one above them stand for all.
        const tokens = command.argument < 0 ? [-1] : [1, 0xfffe];
        const grants = tokens.map((token) => replies.numberOf({ kind: 'granted', token }));
        return [...grants, plain('held'), ...failed];
      }
      case 'commit':
        return [plain('committed'), plain('refused'), ...failed];
      case 'extend':
        return [plain('extended'), plain('absent'), ...failed];
      case 'release':
        return [plain('released'), plain('absent'), ...failed];
    }
  }

  private inputOf(input: number, argument: number, tick: number, hint: number): LocalInput {
    switch (input) {
      case INPUT.acquire:
        return { kind: 'acquire', tick, hint };
      case INPUT.extend:
        return { kind: 'extend', tick, hint };
      case INPUT.release:
        return { kind: 'release', tick, hint };
      case INPUT.timer:
        return { kind: 'timer', timer: argument, tick, hint };
      default:
        return { kind: 'reply', node: input - INPUT.reply, reply: this.replies.at(argument), tick };
    }
  }

  /** Runs a new client up to where these inputs bring it. */
  private run(inputs: readonly LocalInput[]): Transition {
    const { world, links } = this;
    const client = new ClientRun(world, this.library, !this.reductions.merging);
    for (const input of inputs) client.feed(input);
    this.runs += inputs.length;
    const { phase, acquires, extensions, isExtending, untilTick, isGranted, token, hasBegun, failure, failures } =
      client;
    const global = this.globals.intern(client.globalText(), () => {
      const timers = client.timers.map(({ dueTick }) => dueTick);
      return { phase, acquires, extensions, isExtending, untilTick, token, timers, failure, failures };
    });
    const parts = client.sent.map((sent, node) => {
      const told = sent.filter(({ isTold }) => isTold).length;
      const commands = sent.map(({ command }) => command);
      return links.part(client.partText(node), { commands, told, isQuiet: false });
    });
    const key = this.placeKey(global, parts);
    if (!this.representatives.has(key)) this.representatives.set(key, { inputs, parts });
    return { global, parts, isGranted, hasBegun };
  }

  /** Inputs that bring a client into this state; those of a client to which other nodes did the same, if none was told exactly so. */
  private historyOf(global: number, parts: readonly number[]): readonly LocalInput[] {
    const representative = this.representatives.get(this.placeKey(global, parts));
    if (representative === undefined) throw new Error('No client was ever in this state');
    if (representative.parts.every((part, node) => part === parts[node])) return representative.inputs;
    const places = placesOf(representative.parts, parts);
    const inputs = representative.inputs.map((input) =>
      input.kind === 'reply' ? { ...input, node: places[input.node] as number } : input,
    );
    const arrived = this.run(inputs);
    if (arrived.global !== global || arrived.parts.some((part, node) => part !== parts[node])) {
      throw new Error('The library does not treat all nodes alike, which symmetry takes for granted: switch that off');
    }
    return inputs;
  }

  private placeKey(global: number, parts: readonly number[]): string {
    const key = this.reductions.symmetry ? parts.toSorted((one, other) => one - other) : parts;
    return String.fromCharCode(global, ...key);
  }
}

/**
 * Whether this command is a release that finds nothing: another release of the value was answered, and whatever could have stored the value was
 * sent before that one, on the same link.
 */
function isRepeated({ commands, told }: LinkPart, place: number): boolean {
  const { kind, attempt } = commands[place] as NodeCommand;
  if (kind !== 'release') return false;
  const first = commands.findIndex((command) => command.kind === 'release' && command.attempt === attempt);
  const isStoredLater = commands.some(
    (command, at) => at > first && command.kind === 'acquire' && command.attempt === attempt,
  );
  return first < told && !isStoredLater;
}

/** For each place of `from`, one of `to` with the same part, each once. */
function placesOf(from: readonly number[], to: readonly number[]): readonly number[] {
  const free = to.map((part, place) => ({ part, place }));
  return from.map((part) => {
    const found = free.findIndex((candidate) => candidate.part === part);
    return (free.splice(found, 1)[0] as { place: number }).place;
  });
}
