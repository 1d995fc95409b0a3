import type { Cancel, Environment } from './environment.ts';
import type { NodeOutcome } from './errors.ts';
import type { CommitCommand, LockNode, LockReply } from './lock-node.ts';
import { quorumOf } from './quorum.ts';
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
  readonly clockDriftFactor: number;
  /** Null without fencing. */
  readonly tokenHint: number | null;
}

export type AttemptResult =
  | { readonly granted: true; readonly validityMs: number; readonly validUntilMs: number; readonly token: number | null }
  | {
      readonly granted: false;
      readonly reason: 'contended' | 'unreachable' | 'expired';
      readonly outcomes: readonly NodeOutcome[];
    };

function holdsOurValue(reply: LockReply): boolean {
  return reply.kind === 'granted';
}

/**
 * One try at the lock, with one value: the vote of all nodes and, with fencing, the commit of the token. An attempt
 * that fails removes its value from all nodes before it reports.
 */
export class Attempt {
  readonly tenure: Tenure;
  private readonly request: AttemptRequest;
  private readonly finish: (result: AttemptResult) => void;
  private readonly validUntilMs: number;
  private readonly round: Round;
  private finished = false;

  /** The fencing token once it is chosen: the largest among the grants of the deciding quorum. */
  private token: number | null = null;
  private tokenHolders = 0;
  private commitsInFlight = 0;
  private cancelCommitTimer: Cancel | null = null;

  constructor(request: AttemptRequest, finish: (result: AttemptResult) => void) {
    this.request = request;
    this.finish = finish;
    this.tenure = new Tenure(request.nodes, request.environment, request.key, request.value, request.timeoutMs);
    this.round = new Round(
      request.nodes,
      holdsOurValue,
      (granted) => {
        if (!granted) this.fail(this.round.lacksQuorum() ? 'unreachable' : 'contended');
        else if (request.tokenHint === null) this.succeed();
        else this.chooseToken();
      },
      (index, reply) => {
        this.observe(index, reply);
      },
    );
    // Read before the first command leaves, so that no key can be older than this moment.
    this.validUntilMs = validUntilMs(request.environment.clock.now(), request.ttlMs, request.clockDriftFactor);
    this.round.start(
      {
        kind: 'acquire',
        key: request.key,
        value: request.value,
        ttlMs: request.ttlMs,
        timeoutMs: request.timeoutMs,
        tokenHint: request.tokenHint,
      },
      request.environment,
    );
  }

  /** Gives the attempt up: it will not report any more, and its value is removed from all nodes. */
  abandon(): void {
    if (this.finished) return;
    this.stop();
    this.tenure.clear();
  }

  private observe(index: number, reply: LockReply): void {
    if (reply.kind === 'granted') this.tenure.noteGrant(index);
    if (this.token === null || this.finished) return;
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
    if (this.finished) return;
    this.cancelCommitTimer = this.request.environment.timers.schedule(this.request.timeoutMs, () => {
      this.fail('unreachable');
    });
  }

  /** Counts a node whose counter is at the token, and asks one whose counter is below to raise it. */
  private countToken(index: number, counter: number): void {
    const token = this.token as number;
    if (counter === token) this.tokenHolders += 1;
    if (counter >= token) return;
    this.commitsInFlight += 1;
    const { key, value, timeoutMs } = this.request;
    const command: CommitCommand = { kind: 'commit', key, value, timeoutMs, token };
    this.request.nodes[index]?.execute(command, (reply) => {
      this.commitsInFlight -= 1;
      if (this.finished) return;
      if (reply.kind === 'committed') this.tokenHolders += 1;
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
    if (this.tokenHolders + this.commitsInFlight + unanswered < quorum) this.fail('contended');
  }

  private succeed(): void {
    // Read again only now, after the deciding reply: a pause before this line must cost validity.
    const validityMs = this.validUntilMs - this.request.environment.clock.now();
    if (!(validityMs > 0)) {
      this.fail('expired');
      return;
    }
    this.stop();
    this.finish({ granted: true, validityMs, validUntilMs: this.validUntilMs, token: this.token });
  }

  private fail(reason: 'contended' | 'unreachable' | 'expired'): void {
    if (this.finished) return;
    this.stop();
    this.tenure.clear();
    this.finish({ granted: false, reason, outcomes: this.round.outcomes() });
  }

  private stop(): void {
    this.finished = true;
    this.round.abandon();
    this.cancelCommitTimer?.();
  }
}
