import { Ballot } from './ballot.ts';
import type { Cancel, Environment } from './environment.ts';
import type { NodeOutcome } from './errors.ts';
import type { NodeStatistics } from './events.ts';
import type { AcquireCommand, CommitCommand, LockNode, LockReply } from './lock-node.ts';
import type { LockTarget } from './lock-target.ts';
import { outcomeOf } from './outcomes.ts';
import { quorumOf } from './quorum.ts';
import type { RestartGuard } from './restart-guard.ts';
import { type Motion, Round } from './round.ts';
import { Tenure } from './tenure.ts';
import { validUntilMs } from './validity.ts';

/** What one attempt asks for. */
export interface AttemptRequest {
  readonly nodes: readonly LockNode[];
  readonly environment: Environment;
  readonly target: LockTarget;
  readonly value: string;
  readonly ttlMs: number;
  readonly timeoutMs: number;
  /** When the caller stops waiting, by the monotonic clock, whatever the timeout; infinite for a caller who waits. */
  readonly endsAtMs: number;
  readonly clockDriftFactor: number;
  /** Whether nobody ever used the value before. */
  readonly fresh: boolean;
  /** Null without fencing. */
  readonly tokenHint: number | null;
  /** Whether `statistics` will be asked for. */
  readonly observed: boolean;
  /** Null without the restart guard. */
  readonly guard: RestartGuard | null;
}

export type AttemptResult =
  | {
      readonly granted: true;
      readonly tenure: Tenure;
      readonly validityMs: number;
      readonly validUntilMs: number;
      readonly token: number | null;
    }
  | {
      readonly granted: false;
      readonly reason: 'contended' | 'unreachable' | 'expired';
      readonly outcomes: readonly NodeOutcome[];
    };

/**
 * One try at the lock, with one value: the vote of all nodes and, with fencing, the commit of the token. An attempt
 * that fails removes its value from all nodes before it reports. A node counts only for all of the lock's keys together.
 *
 * All resources of a lock carry one token, the largest that any of their counters gave. For each resource by itself the argument for single locks
 * holds: the lock is granted once a quorum of nodes has the token in the counter of that resource, and each of these had it stored there while our
 * value held the key. Whoever locks the resource later meets one of them, and draws a larger one.
 */
export class Attempt implements Motion {
  private readonly tenure: Tenure;
  private readonly request: AttemptRequest;
  /** Null once the attempt is over: a node that never answers keeps the attempt alive, and must not keep its caller. */
  private finish: ((result: AttemptResult) => void) | null;
  private readonly round: Round;
  private validUntilMs = 0;
  private startedMs = 0;
  /** How long the answers to acquire are awaited. */
  private voteTimeoutMs = 0;
  /** When each answer came, by its place; null unless somebody wants to know. */
  private readonly answeredMs: Map<number, number> | null;

  /** The fencing token once it is chosen: the largest among the grants until the vote was decided. */
  private token: number | null = null;
  /** The vote on the token: a node is for it while all of its counters are at the token. Null until it is chosen. */
  private tokenBallot: Ballot | null = null;
  /** What was answered to commits, by the places that they were sent to; null while nothing was. */
  private commits: Map<number, LockReply | null> | null = null;
  private commitsTimedOut = false;
  private cancelCommitTimer: Cancel | null = null;

  constructor(request: AttemptRequest, finish: (result: AttemptResult) => void) {
    this.request = request;
    this.finish = finish;
    this.answeredMs = request.observed ? new Map<number, number>() : null;
    this.tenure = new Tenure(request.nodes, request.environment, request.target, request.value, request.timeoutMs);
    this.round = new Round(request.nodes, request.target, this, (granted) => {
      if (!granted) this.fail(this.round.lacksQuorum() ? 'unreachable' : 'contended');
      else if (this.request.tokenHint === null) this.succeed();
      else this.chooseToken();
    });
  }

  start(): void {
    const { ttlMs, environment, clockDriftFactor } = this.request;
    // Read before the first command leaves, so that no key can be older than this moment.
    const nowMs = environment.clock.now();
    this.startedMs = nowMs;
    this.validUntilMs = validUntilMs(nowMs, ttlMs, clockDriftFactor);
    this.voteTimeoutMs = this.timeoutMsFrom(nowMs);
    this.round.start(this.voteTimeoutMs, environment);
  }

  commandFor(key: string): AcquireCommand {
    const { value, ttlMs, fresh, tokenHint, guard } = this.request;
    return { kind: 'acquire', key, value, ttlMs, timeoutMs: this.voteTimeoutMs, fresh, tokenHint, guard };
  }

  /** With fencing, a node that grants without a token cannot be counted: it does not order this lock against others. */
  supports(reply: LockReply): boolean {
    return reply.kind === 'granted' && (this.request.tokenHint === null || reply.token !== null);
  }

  observe(place: number, reply: LockReply): void {
    this.answeredMs?.set(place, this.request.environment.clock.now());
    if (reply.kind === 'granted' || (reply.kind === 'failed' && reply.mayHold === true)) this.tenure.noteGrant(place);
    if (this.token === null || this.finish === null) return;
    // An answer to acquire that arrives while the token is being committed can still help.
    this.countToken(place, reply);
    this.decideToken();
  }

  /** Gives the attempt up: it will not report any more, and its value is removed from all nodes. */
  abandon(): void {
    if (this.finish === null) return;
    this.stop();
    this.tenure.clear();
  }

  /** How long the attempt has taken, and what each node has said to it. */
  statistics(): { readonly durationMs: number; readonly nodes: readonly NodeStatistics[] } {
    const nodes = this.outcomes().map((outcome, node): NodeStatistics => {
      const atMs = this.answeredAtMs(node);
      return { ...outcome, latencyMs: atMs === null ? null : atMs - this.startedMs };
    });
    return { durationMs: this.request.environment.clock.now() - this.startedMs, nodes };
  }

  /** How long to wait for what is sent now. Its clean-up, which nobody waits for, has the whole timeout. */
  private timeoutMsFrom(nowMs: number): number {
    const { timeoutMs, endsAtMs } = this.request;
    return Math.max(0, Math.min(timeoutMs, endsAtMs - nowMs));
  }

  /** When a node had answered for all keys; null while it has not. */
  private answeredAtMs(node: number): number | null {
    const keyCount = this.request.target.keys.length;
    let latestMs = Number.NEGATIVE_INFINITY;
    for (let place = node * keyCount; place < (node + 1) * keyCount; place += 1) {
      const atMs = this.answeredMs?.get(place);
      if (atMs === undefined) return null;
      latestMs = Math.max(latestMs, atMs);
    }
    return latestMs;
  }

  private chooseToken(): void {
    const { replies } = this.round;
    let largest = 0;
    for (const reply of replies) {
      if (reply?.kind === 'granted' && reply.token !== null && reply.token > largest) largest = reply.token;
    }
    this.token = largest;
    this.tokenBallot = new Ballot(this.request.nodes.length, this.request.target.keys.length);
    replies.forEach((reply, place) => {
      if (reply !== undefined) this.countToken(place, reply);
    });
    this.decideToken();
    if (this.finish === null) return;
    const { clock, timers } = this.request.environment;
    this.cancelCommitTimer = timers.schedule(this.timeoutMsFrom(clock.now()), () => {
      this.commitsTimedOut = true;
      this.fail('unreachable');
    });
  }

  /** Counts the answer to an acquire for the vote on the token, and asks a node whose counter is below the token to raise it. */
  private countToken(place: number, reply: LockReply): void {
    const token = this.token as number;
    const counter = reply.kind === 'granted' ? reply.token : null;
    if (counter === null || counter >= token) {
      this.tokenBallot?.count(place, counter === token);
      return;
    }
    const commits = (this.commits ??= new Map<number, LockReply | null>());
    commits.set(place, null);
    const { value, timeoutMs } = this.request;
    const command: CommitCommand = { kind: 'commit', key: this.round.keyAt(place), value, timeoutMs, token };
    this.round.send(place, command, (answer) => {
      // A node that settles twice does not count twice.
      if (commits.get(place) !== null) return;
      commits.set(place, answer);
      if (this.finish === null) return;
      this.tokenBallot?.count(place, answer.kind === 'committed');
      this.decideToken();
    });
  }

  private decideToken(): void {
    const decision = this.tokenBallot?.decide();
    if (decision === 'granted') this.succeed();
    else if (decision === 'denied') this.fail(this.lacksQuorumOfCommits() ? 'unreachable' : 'contended');
  }

  /** Refused commits mean that others came first; failed ones, that too few nodes answered. */
  private lacksQuorumOfCommits(): boolean {
    const { replies } = this.round;
    const keyCount = this.request.target.keys.length;
    let nodes = 0;
    for (let first = 0; first < replies.length; first += keyCount) {
      if (replies.slice(first, first + keyCount).every((reply, part) => this.mayHaveToken(reply, first + part)))
        nodes += 1;
    }
    return nodes >= quorumOf(this.request.nodes.length);
  }

  private mayHaveToken(reply: LockReply | undefined, place: number): boolean {
    const commit = this.commits?.get(place);
    if (commit !== undefined) return commit?.kind === 'committed' || commit?.kind === 'failed';
    return reply?.kind === 'granted' && reply.token === this.token;
  }

  private succeed(): void {
    const { finish, tenure, token } = this;
    if (finish === null) return;
    // Read again only now, after the deciding reply: a pause before this line must cost validity.
    const validityMs = this.validUntilMs - this.request.environment.clock.now();
    if (!(validityMs > 0)) {
      this.fail('expired');
      return;
    }
    this.stop();
    finish({ granted: true, tenure, validityMs, validUntilMs: this.validUntilMs, token });
  }

  private fail(reason: 'contended' | 'unreachable' | 'expired'): void {
    const { finish } = this;
    if (finish === null) return;
    this.stop();
    this.tenure.clear();
    finish({ granted: false, reason, outcomes: this.outcomes() });
  }

  private stop(): void {
    this.finish = null;
    this.round.abandon();
    this.cancelCommitTimer?.();
  }

  /** What each node said last: to the commit where it was sent one, or else to the acquire. */
  private outcomes(): NodeOutcome[] {
    const { nodes, target, tokenHint } = this.request;
    return this.round.outcomes((place) => {
      const node = nodes[Math.floor(place / target.keys.length)]?.id ?? '';
      const commit = this.commits?.get(place);
      if (commit !== undefined) return outcomeOf(node, commit ?? undefined, this.commitsTimedOut);
      const reply = this.round.replies[place];
      if (tokenHint === null || reply?.kind !== 'granted' || reply.token !== null) return null;
      return { node, outcome: 'failed', error: new Error(`${node}: granted without a fencing token`) };
    });
  }
}
