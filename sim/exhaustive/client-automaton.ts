import { ClientRun, type CallerPhase, type LocalInput } from './client-run.ts';
import { Interner } from './interner.ts';
import type { Links } from './links.ts';
import { hasAllBehindIt, Quietness } from './quietness.ts';
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
  /** Asked each time that the library was run: one question, such as whether a client is quiet, can take many thousands of runs. */
  isSliceOver: () => boolean = () => false;
  private ownRuns = 0;
  private readonly world: WorldSettings;
  private readonly library: Parts;
  private readonly reductions: Reductions;
  private readonly links: Links;
  private readonly replies: Replies;
  private readonly globals = new Interner<ClientFacts>('states of a client');
  private readonly transitions = new Map<string, Transition>();
  private readonly representatives = new Map<string, Representative>();
  private readonly quietness: Quietness;

  constructor(world: WorldSettings, library: Parts, reductions: Reductions, links: Links, replies: Replies) {
    this.world = world;
    this.library = library;
    this.reductions = reductions;
    this.links = links;
    this.replies = replies;
    this.quietness = new Quietness(world, library, reductions, replies, () => this.endSlice());
    const parts = new Array<number>(world.nodes).fill(0);
    this.globals.intern('fresh', () => FRESH_FACTS);
    this.globals.intern('quiet', () => ({ ...FRESH_FACTS, acquires: Number.POSITIVE_INFINITY }));
    this.representatives.set(this.placeKey(FRESH, parts), { inputs: [], parts });
  }

  /** Inputs that were run on the real library, over again or not. */
  get runs(): number {
    return this.ownRuns + this.quietness.runs;
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
      this.endSlice();
    }
    return transition;
  }

  /** Whether nothing that can still reach this client makes it do anything that others would notice. */
  isQuiet(global: number, parts: readonly number[], tick: number): boolean {
    if (!hasAllBehindIt(this.globals.at(global), this.world)) return false;
    const key = this.placeKey(global, parts);
    return this.quietness.isQuiet(key, () => this.representativeOf(key).inputs, tick);
  }

  private endSlice(): void {
    if (this.isSliceOver()) throw new SliceOver();
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
    this.ownRuns += inputs.length;
    const { phase, acquires, extensions, isExtending, untilTick, isGranted, token, hasBegun, failure, failures } =
      client;
    const global = this.globals.intern(client.globalText(), () => {
      const timers = client.timers.map(({ dueTick }) => dueTick);
      return { phase, acquires, extensions, isExtending, untilTick, token, timers, failure, failures };
    });
    const parts = client.sent.map((_, node) =>
      links.part(client.partText(node), { ...client.historyWith(node), isQuiet: false }),
    );
    const key = this.placeKey(global, parts);
    if (!this.representatives.has(key)) this.representatives.set(key, { inputs, parts });
    return { global, parts, isGranted, hasBegun };
  }

  /** Inputs that bring a client into this state; those of a client to which other nodes did the same, if none was told exactly so. */
  private historyOf(global: number, parts: readonly number[]): readonly LocalInput[] {
    const representative = this.representativeOf(this.placeKey(global, parts));
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

  private representativeOf(key: string): Representative {
    const representative = this.representatives.get(key);
    if (representative === undefined) throw new Error('No client was ever in this state');
    return representative;
  }

  private placeKey(global: number, parts: readonly number[]): string {
    const key = this.reductions.symmetry ? parts.toSorted((one, other) => one - other) : parts;
    return String.fromCharCode(global, ...key);
  }
}

/** For each place of `from`, one of `to` with the same part, each once. */
function placesOf(from: readonly number[], to: readonly number[]): readonly number[] {
  const free = to.map((part, place) => ({ part, place }));
  return from.map((part) => {
    const found = free.findIndex((candidate) => candidate.part === part);
    return (free.splice(found, 1)[0] as { place: number }).place;
  });
}
