import type { Cancel, Environment } from './environment.ts';
import type { NodeOutcome } from './errors.ts';
import type { LockCommand, LockNode, LockReply } from './lock-node.ts';
import { outcomeOf } from './outcomes.ts';
import { decide, quorumOf } from './quorum.ts';

/**
 * One command sent to all nodes at once, and the vote on it. One timer bounds the whole round: a node that has not
 * answered by then is against. The round settles once, as soon as the outcome cannot change any more;
 * replies that come later are still observed.
 */
export class Round {
  /** What each node answered, by its index; undefined while it has not. */
  readonly replies: (LockReply | undefined)[];
  private readonly nodes: readonly LockNode[];
  private readonly supports: (reply: LockReply) => boolean;
  private readonly observe: ((index: number, reply: LockReply) => void) | null;
  /** Null once called: a node that never answers keeps the round alive, and must not keep those who waited for it. */
  private settle: ((granted: boolean, round: Round) => void) | null;
  private cancelTimer: Cancel | null = null;
  private votesFor = 0;
  private votesAgainst = 0;
  private timedOut = false;

  constructor(
    nodes: readonly LockNode[],
    supports: (reply: LockReply) => boolean,
    settle: (granted: boolean, round: Round) => void,
    observe: ((index: number, reply: LockReply) => void) | null,
  ) {
    this.nodes = nodes;
    this.supports = supports;
    this.settle = settle;
    this.observe = observe;
    this.replies = new Array<LockReply | undefined>(nodes.length).fill(undefined);
  }

  /** Sends the command to all nodes. Without an environment nothing bounds the round: for commands that nobody waits for. */
  start(command: LockCommand, environment: Environment | null): void {
    if (environment !== null) {
      this.cancelTimer = environment.timers.schedule(command.timeoutMs, () => {
        this.expire();
      });
    }
    const receive = this.receive.bind(this);
    for (let index = 0; index < this.nodes.length; index += 1) this.send(index, command, receive);
  }

  /**
   * Sends a command to one node; a node that throws has failed. `settle` is never called within this call, not even for a node
   * that throws or answers at once: a decision must not be taken, nor a clean-up sent, before all nodes were sent the command.
   */
  send(index: number, command: LockCommand, settle: (reply: LockReply, index: number) => void): void {
    // Callers take the index from the nodes.
    const node = this.nodes[index] as LockNode;
    let isWithinCall = true;
    try {
      node.execute(command, (reply) => {
        if (isWithinCall) queueMicrotask(() => settle(reply, index));
        else settle(reply, index);
      });
    } catch (reason) {
      const error = reason instanceof Error ? reason : new Error(`${node.id} threw ${String(reason)}`);
      queueMicrotask(() => settle({ kind: 'failed', error, sent: true }, index));
    }
    isWithinCall = false;
  }

  /** Stops the vote: it will not settle any more, but replies are still observed. */
  abandon(): void {
    this.settle = null;
    this.cancelTimer?.();
  }

  /** What each node has said so far, in words for an error. */
  outcomes(): NodeOutcome[] {
    return this.nodes.map(({ id }, index) => outcomeOf(id, this.replies[index], this.timedOut));
  }

  /** Whether so many nodes failed, kept silent or may not vote that the others are no quorum. */
  lacksQuorum(): boolean {
    return this.lacksQuorumWithout((reply) =>
      reply === undefined ? this.timedOut : reply.kind === 'failed' || reply.kind === 'quarantined',
    );
  }

  /** Whether the command could not even be sent to so many nodes that the others are no quorum. */
  lacksQuorumOfSent(): boolean {
    return this.lacksQuorumWithout((reply) => reply?.kind === 'failed' && !reply.sent);
  }

  private lacksQuorumWithout(isMissing: (reply: LockReply | undefined) => boolean): boolean {
    let missing = 0;
    for (const reply of this.replies) if (isMissing(reply)) missing += 1;
    return this.nodes.length - missing < quorumOf(this.nodes.length);
  }

  private receive(reply: LockReply, index: number): void {
    // A node that settles twice does not vote twice.
    if (this.replies[index] !== undefined) return;
    this.replies[index] = reply;
    if (this.settle !== null) {
      if (this.supports(reply)) this.votesFor += 1;
      else this.votesAgainst += 1;
    }
    this.observe?.(index, reply);
    const decision = decide(this.nodes.length, this.votesFor, this.votesAgainst);
    if (decision !== 'pending') this.end(decision === 'granted');
  }

  private expire(): void {
    this.timedOut = true;
    // Nobody who is still silent votes for it, so a vote that was pending is lost.
    this.end(false);
  }

  private end(granted: boolean): void {
    const { settle } = this;
    if (settle === null) return;
    this.abandon();
    settle(granted, this);
  }
}
