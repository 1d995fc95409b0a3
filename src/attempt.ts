import type { Cancel, Environment } from './environment.ts';
import type { NodeOutcome } from './errors.ts';
import type { NodeStatistics } from './events.ts';
import type { CommitCommand, LockNode, LockReply } from './lock-node.ts';
import { outcomeOf } from './outcomes.ts';
import { quorumOf } from './quorum.ts';
import type { RestartGuard } from './restart-guard.ts';
import { Round } from './round.ts';
import { Tenure } from './tenure.ts';
import { validUntilMs } from './validity.ts';

/** What one attempt asks for. */
export interface AttemptRequest {
  readonly nodes: readonly LockNode[];
  readonly environment: Environment;
  readonly key: string;
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

function isGranted(reply: LockReply): boolean {
  return reply.kind === 'granted';
}

/** With fencing, a node that grants without a token cannot be counted: it does not order this lock against others. */
function isGrantedWithToken(reply: LockReply): boolean {
  return reply.kind === 'granted' && reply.token !== null;
}

/**
 * One try at the lock, with one value: the vote of all nodes and, with fencing, the commit of the token. An attempt
 * that fails removes its value from all nodes before it reports.
 */
export class Attempt {
  private readonly tenure: Tenure;
  private readonly request: AttemptRequest;
  /** Null once the attempt is over: a node that never answers keeps the attempt alive, and must not keep its caller. */
  private finish: ((result: AttemptResult) => void) | null;
  private readonly round: Round;
  private validUntilMs = 0;
  private startedMs = 0;
  /** When each node answered, by its index; null unless somebody wants to know. */
  private readonly answeredMs: Map<number, number> | null;

  /** The fencing token once it is chosen: the largest among the grants of the deciding quorum. */
  private token: number | null = null;
  private tokenHolders = 0;
  /** What the nodes that were sent a commit answered, by their index; null while they have not. */
  private commits: Map<number, LockReply | null> | null = null;
  private commitsInFlight = 0;
  private commitsFailed = 0;
  private commitsTimedOut = false;
  private cancelCommitTimer: Cancel | null = null;

  constructor(request: AttemptRequest, finish: (result: AttemptResult) => void) {
    this.request = request;
    this.finish = finish;
    this.answeredMs = request.observed ? new Map<number, number>() : null;
    this.tenure = new Tenure(request.nodes, request.environment, request.key, request.value, request.timeoutMs);
    this.round = new Round(
      request.nodes,
      request.tokenHint === null ? isGranted : isGrantedWithToken,
      (granted) => {
        if (!granted) this.fail(this.round.lacksQuorum() ? 'unreachable' : 'contended');
        else if (request.tokenHint === null) this.succeed();
        else this.chooseToken();
      },
      (index, reply) => {
        this.observe(index, reply);
      },
    );
  }

  start(): void {
    const { key, value, ttlMs, fresh, tokenHint, guard, environment, clockDriftFactor } = this.request;
    // Read before the first command leaves, so that no key can be older than this moment.
    const nowMs = environment.clock.now();
    this.startedMs = nowMs;
    this.validUntilMs = validUntilMs(nowMs, ttlMs, clockDriftFactor);
    const timeoutMs = this.timeoutMsFrom(nowMs);
    this.round.start({ kind: 'acquire', key, value, ttlMs, timeoutMs, fresh, tokenHint, guard }, environment);
  }

  /** Gives the attempt up: it will not report any more, and its value is removed from all nodes. */
  abandon(): void {
    if (this.finish === null) return;
    this.stop();
    this.tenure.clear();
  }

  /** How long the attempt has taken, and what each node has said to it. */
  statistics(): { readonly durationMs: number; readonly nodes: readonly NodeStatistics[] } {
    const { answeredMs, startedMs } = this;
    const nodes = this.outcomes().map((outcome, index): NodeStatistics => {
      const atMs = answeredMs?.get(index);
      return { ...outcome, latencyMs: atMs === undefined ? null : atMs - startedMs };
    });
    return { durationMs: this.request.environment.clock.now() - startedMs, nodes };
  }

  /** How long to wait for what is sent now. Its clean-up, which nobody waits for, has the whole timeout. */
  private timeoutMsFrom(nowMs: number): number {
    const { timeoutMs, endsAtMs } = this.request;
    return Math.max(0, Math.min(timeoutMs, endsAtMs - nowMs));
  }

  private observe(index: number, reply: LockReply): void {
    this.answeredMs?.set(index, this.request.environment.clock.now());
    if (reply.kind === 'granted') this.tenure.noteGrant(index);
    if (this.token === null || this.finish === null) return;
    // An answer to acquire that arrives while the token is being committed can still help.
    if (reply.kind === 'granted' && reply.token !== null) this.countToken(index, reply.token);
    this.decideToken();
  }

  private chooseToken(): void {
    const { replies } = this.round;
    let largest = 0;
    for (const reply of replies) {
      if (reply?.kind === 'granted' && reply.token !== null && reply.token > largest) largest = reply.token;
    }
    this.token = largest;
    replies.forEach((reply, index) => {
      if (reply?.kind === 'granted' && reply.token !== null) this.countToken(index, reply.token);
    });
    this.decideToken();
    if (this.finish === null) return;
    const { clock, timers } = this.request.environment;
    this.cancelCommitTimer = timers.schedule(this.timeoutMsFrom(clock.now()), () => {
      this.commitsTimedOut = true;
      this.fail('unreachable');
    });
  }

  /** Counts a node whose counter is at the token, and asks one whose counter is below to raise it. */
  private countToken(index: number, counter: number): void {
    const token = this.token as number;
    if (counter === token) this.tokenHolders += 1;
    if (counter >= token) return;
    const commits = (this.commits ??= new Map<number, LockReply | null>());
    commits.set(index, null);
    this.commitsInFlight += 1;
    const { key, value, timeoutMs } = this.request;
    const command: CommitCommand = { kind: 'commit', key, value, timeoutMs, token };
    this.round.send(index, command, (reply) => {
      // A node that settles twice does not count twice.
      if (commits.get(index) !== null) return;
      commits.set(index, reply);
      this.commitsInFlight -= 1;
      if (this.finish === null) return;
      if (reply.kind === 'committed') this.tokenHolders += 1;
      else if (reply.kind === 'failed') this.commitsFailed += 1;
      this.decideToken();
    });
  }

  private decideToken(): void {
    const quorum = quorumOf(this.request.nodes.length);
    if (this.tokenHolders >= quorum) {
      this.succeed();
      return;
    }
    let unanswered = 0;
    for (const reply of this.round.replies) if (reply === undefined) unanswered += 1;
    if (this.tokenHolders + this.commitsInFlight + unanswered >= quorum) return;
    // Refused commits mean that others came first; failed ones, that too few nodes answered.
    this.fail(this.tokenHolders + this.commitsFailed >= quorum ? 'unreachable' : 'contended');
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
    const { nodes, tokenHint } = this.request;
    return this.round.outcomes().map((outcome, index) => {
      const commit = this.commits?.get(index);
      if (commit !== undefined) return outcomeOf(nodes[index]?.id ?? '', commit ?? undefined, this.commitsTimedOut);
      const reply = this.round.replies[index];
      if (tokenHint === null || reply?.kind !== 'granted' || reply.token !== null) return outcome;
      return { ...outcome, outcome: 'failed', error: new Error(`${outcome.node}: granted without a fencing token`) };
    });
  }
}
