import type { LockReply } from '../../src/lock-node.ts';
import { type CallerPhase, ClientRun, type LocalInput, replyText, type Sent } from './client-run.ts';
import type { LinkHistory } from './links.ts';
import type { NodeAnswer } from './node-rules.ts';
import { openReply } from './open-reply.ts';
import type { Replies } from './replies.ts';
import type { Parts, Reductions, WorldSettings } from './settings.ts';

/** What a client is told; of a reply, what it may be. */
type OpenInput =
  | Exclude<LocalInput, { readonly kind: 'reply' }>
  | { readonly kind: 'reply'; readonly node: number; readonly candidates: readonly LockReply[]; readonly tick: number };

/** A client that was told something, and that some answers may yet reach. */
interface Place {
  readonly inputs: readonly OpenInput[];
  readonly phase: CallerPhase;
  readonly acquires: number;
  readonly untilTick: number;
  readonly timers: readonly number[];
  readonly sent: readonly LinkHistory[];
  /** What comes of what it may be told next, as far as that was tried. */
  readonly outcomes: Map<string, readonly Outcome[]>;
  /** The first tick from which it is known to be quiet, and the last at which it is known not to be. */
  quietFrom: number;
  noisyUntil: number;
}

interface Outcome {
  /** Null where others would notice what the client does. */
  readonly place: Place | null;
  /** Whether it may come to something else at another time. */
  readonly isTimed: boolean;
}

/** A client that was run, and which of the ways that were open it went. */
interface OpenRun {
  readonly client: ClientRun;
  readonly told: readonly OpenInput[];
  readonly nameOf: (reply: LockReply) => string;
}

/** Tokens that stand for one below all that a client was told, and one above them. */
const LOW_TOKEN = 1;
const HIGH_TOKEN = 0xfffe;
/** What the smallest token that a client was told is renamed to. */
const FIRST_TOKEN = 2;

/**
 * Finds out whether a client does anything more that others would notice, by telling it everything that its nodes could answer. That would be very much if
 * every answer were tried in every order, so:
 *
 * - what a reply says is left open until the library reads it (see {@link openReply});
 * - the time is left open, too: where the library did not look at the clock, another time comes to the same;
 * - of the tokens that the client was told, only their order is kept, and of the hints nothing, for the library only compares tokens with one another, and
 *   hands its hints on. So clients that were told tokens in the same order are one.
 *
 * Nodes are as alike here as they are to the search.
 */
export class Quietness {
  /** Inputs that were run on the real library. */
  runs = 0;
  private readonly world: WorldSettings;
  private readonly library: Parts;
  private readonly reductions: Reductions;
  private readonly replies: Replies;
  private readonly places = new Map<string, Place>();
  /** The places of states that were asked about. */
  private readonly roots = new Map<string, Place>();
  /** Called each time that the library was run, and remembered what came of it; may throw. */
  private readonly onRun: () => void;

  constructor(world: WorldSettings, library: Parts, reductions: Reductions, replies: Replies, onRun: () => void) {
    this.world = world;
    this.library = library;
    this.reductions = reductions;
    this.replies = replies;
    this.onRun = onRun;
  }

  /**
   * Whether a client is quiet from this tick on.
   *
   * @param key the state that it is in
   * @param inputsOf what brought it there
   */
  isQuiet(key: string, inputsOf: () => readonly LocalInput[], tick: number): boolean {
    let place = this.roots.get(key);
    if (place === undefined) {
      place = this.placeOf(inputsOf());
      this.roots.set(key, place);
      this.onRun();
    }
    return this.staysQuiet(place, tick);
  }

  private staysQuiet(place: Place, tick: number): boolean {
    if (!hasAllBehindIt(place, this.world)) return false;
    // Who is quiet from some tick on is so later, and who is not was not before.
    if (tick >= place.quietFrom) return true;
    if (tick <= place.noisyUntil) return false;
    const isQuiet = this.isQuietWhatever(place, tick);
    if (isQuiet) place.quietFrom = tick;
    else place.noisyUntil = tick;
    return isQuiet;
  }

  private isQuietWhatever(place: Place, fromTick: number): boolean {
    const { ticks } = this.world;
    for (let timer = 0; timer < place.timers.length; timer += 1) {
      const dueTick = Math.max(fromTick, place.timers[timer] as number);
      if (dueTick > ticks) continue;
      if (!this.isQuietOn(place, (tick) => ({ kind: 'timer', timer, tick, hint: 0 }), dueTick)) return false;
    }
    for (let node = 0; node < place.sent.length; node += 1) {
      const candidates = this.conceivableReplies(place.sent[node] as LinkHistory);
      if (candidates.length === 0) continue;
      if (!this.isQuietOn(place, (tick) => ({ kind: 'reply', node, candidates, tick }), fromTick)) return false;
    }
    return true;
  }

  /** Whether a client is quiet that is told this at this tick, or later. */
  private isQuietOn(place: Place, inputAt: (tick: number) => OpenInput, tick: number): boolean {
    const outcomes = this.outcomesOf(place, inputAt(tick));
    if (!outcomes.every((outcome) => this.isQuietOutcome(outcome, tick))) return false;
    const { ticks } = this.world;
    // The library compares the time with deadlines only, so that now and the last moment stand for all between.
    if (tick === ticks || !outcomes.some(({ isTimed }) => isTimed)) return true;
    return this.outcomesOf(place, inputAt(ticks)).every((outcome) => this.isQuietOutcome(outcome, ticks));
  }

  private isQuietOutcome({ place }: Outcome, tick: number): boolean {
    return place !== null && this.staysQuiet(place, tick);
  }

  private outcomesOf(place: Place, input: OpenInput): readonly Outcome[] {
    const key = `${input.kind} ${input.kind === 'reply' ? input.node : input.kind === 'timer' ? input.timer : ''}@${input.tick}`;
    let outcomes = place.outcomes.get(key);
    if (outcomes === undefined) {
      outcomes = this.tell(place, input);
      place.outcomes.set(key, outcomes);
      this.onRun();
    }
    return outcomes;
  }

  /** Where a client is that was told this. */
  private placeOf(inputs: readonly LocalInput[]): Place {
    const run = this.run(renamed(inputs), () => {
      throw new Error('A reply that was told cannot be decided');
    });
    return this.placeAfter(run);
  }

  /** Everything that comes of telling a client one thing more. */
  private tell(before: Place, input: OpenInput): readonly Outcome[] {
    const outcomes: Outcome[] = [];
    const untried: (readonly OpenInput[])[] = [[...before.inputs, input]];
    for (let inputs = untried.pop(); inputs !== undefined; inputs = untried.pop()) {
      const run = this.run(inputs, (other) => untried.push(other));
      const isTimed = run.client.hasReadClock;
      outcomes.push({ place: this.isNoticed(run.client, before) ? null : this.placeAfter(run), isTimed });
    }
    return outcomes;
  }

  /** Runs a new client through one of the ways that are open, and shows `onOther` those that it did not take. */
  private run(inputs: readonly OpenInput[], onOther: (inputs: readonly OpenInput[]) => void): OpenRun {
    const client = new ClientRun(this.world, this.library, false);
    const told = [...inputs];
    const candidatesOf = new Map<LockReply, number>();
    inputs.forEach((input, at) => {
      if (input.kind !== 'reply') {
        client.feed(input);
        return;
      }
      const { node, tick, candidates } = input;
      // What is decided is no question any more, and handed over as it is.
      const [only] = candidates as [LockReply];
      const reply =
        candidates.length === 1
          ? only
          : openReply(candidates, (left, others) => {
              for (const other of others) onOther(told.with(at, { ...input, candidates: other }));
              told[at] = { ...input, candidates: left };
            });
      if (candidates.length > 1) candidatesOf.set(reply, at);
      client.feed({ kind: 'reply', node, reply, tick });
    });
    this.runs += inputs.length;
    return {
      client,
      told,
      nameOf: (reply) => {
        const at = candidatesOf.get(reply);
        const input = at === undefined ? undefined : told[at];
        return input?.kind === 'reply' ? input.candidates.map(replyText).join('/') : replyText(reply);
      },
    };
  }

  private placeAfter({ client, told, nameOf }: OpenRun): Place {
    const parts = client.sent.map((_, node) => client.partText(node, nameOf));
    if (this.reductions.symmetry) parts.sort();
    const key = `${client.globalText()} | ${parts.join(' | ')}`;
    let place = this.places.get(key);
    if (place === undefined) {
      const { phase, acquires, untilTick } = client;
      place = {
        inputs: told,
        phase,
        acquires,
        untilTick,
        timers: client.timers.map(({ dueTick }) => dueTick),
        sent: client.sent.map((_, node) => client.historyWith(node)),
        outcomes: new Map(),
        quietFrom: Number.POSITIVE_INFINITY,
        noisyUntil: -1,
      };
      this.places.set(key, place);
    }
    return place;
  }

  /** Whether others would notice what the client did last. */
  private isNoticed(client: ClientRun, before: Place): boolean {
    if (client.isGranted || client.hasBegun) return true;
    return client.sent.some((sent, node) => {
      const { commands } = before.sent[node] as LinkHistory;
      return sent.some((_, at) => at >= commands.length && !(this.library.nodesCompare && isRepeated(sent, at)));
    });
  }

  /** Whatever the node may answer to the oldest command that it has not answered. */
  private conceivableReplies({ commands, told }: LinkHistory): readonly LockReply[] {
    const command = commands[told];
    if (command === undefined) return [];
    const { replies } = this;
    const plain = (kind: NodeAnswer['kind']): LockReply => replies.at(replies.numberOf({ kind, token: -1 }));
    const failed = this.world.crashes > 0 ? [replies.at(replies.failed)] : [];
    switch (command.kind) {
      case 'acquire': {
        const tokens = command.argument < 0 ? [-1] : [LOW_TOKEN, HIGH_TOKEN];
        const grants = tokens.map((token) => replies.at(replies.numberOf({ kind: 'granted', token })));
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
}

/** Whether nobody will ask the client for anything any more, so that it may be quiet. */
export function hasAllBehindIt(
  { phase, acquires, untilTick }: Pick<Place, 'phase' | 'acquires' | 'untilTick'>,
  { cycles }: WorldSettings,
): boolean {
  return acquires >= cycles && untilTick === -1 && (phase === 'idle' || phase === 'releasing');
}

/** What a client was told, with tokens by their order, and without hints. */
function renamed(inputs: readonly LocalInput[]): readonly OpenInput[] {
  const tokens = new Set<number>();
  for (const input of inputs) {
    if (input.kind === 'reply' && input.reply.kind === 'granted' && input.reply.token !== null) {
      tokens.add(input.reply.token);
    }
  }
  const ascending = [...tokens].sort((one, other) => one - other);
  return inputs.map((input) => {
    if (input.kind !== 'reply') return { ...input, hint: 0 };
    const { node, tick, reply } = input;
    const isToken = reply.kind === 'granted' && reply.token !== null;
    const told = isToken ? { ...reply, token: FIRST_TOKEN + ascending.indexOf(reply.token) } : reply;
    return { kind: 'reply', node, candidates: [told], tick };
  });
}

/**
 * Whether this command is a release that finds nothing: another release of the value was answered, and whatever could have stored the value was
 * sent before that one, on the same link.
 */
function isRepeated(sent: readonly Sent[], place: number): boolean {
  const { kind, attempt } = (sent[place] as Sent).command;
  if (kind !== 'release') return false;
  const first = sent.findIndex(({ command }) => command.kind === 'release' && command.attempt === attempt);
  const isStoredLater = sent.some(
    ({ command }, at) => at > first && command.kind === 'acquire' && command.attempt === attempt,
  );
  return sent[first]?.reply !== null && !isStoredLater;
}
