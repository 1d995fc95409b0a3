import { Ballot } from './ballot.ts';
import type { Cancel, Environment } from './environment.ts';
import type { NodeOutcome } from './errors.ts';
import type { LockCommand, LockNode, LockReply } from './lock-node.ts';
import type { LockTarget } from './lock-target.ts';
import { outcomeOf, outcomesByNode } from './outcomes.ts';
import { quorumOf } from './quorum.ts';

/** What a round is held on. One object with methods: a closure for each of them would be made anew for every round. */
export interface Motion {
  /** The command for one key, which is sent to all nodes. */
  commandFor(key: string): LockCommand;
  /** Whether what a node answers is in favour. */
  supports(reply: LockReply): boolean;
  /** Told of every answer, also of those that come after the vote is decided. */
  observe?(place: number, reply: LockReply, round: Round): void;
}

/**
 * One command for each key of a lock, sent to all nodes at once, and the vote on it. One timer bounds the whole round: a node that has not
 * answered for all keys by then is against. The round settles once, as soon as the outcome cannot change any more; replies that come later are
 * still observed.
 *
 * What a node says about a key has a place: `node × number of keys + key`, which for a lock on one resource is the node's index.
 */
export class Round {
  /** What was answered, by its place; undefined while nothing was. */
  readonly replies: (LockReply | undefined)[];
  private readonly nodes: readonly LockNode[];
  private readonly target: LockTarget;
  private readonly keyCount: number;
  private readonly motion: Motion;
  /** Null once called: a node that never answers keeps the round alive, and must not keep those who waited for it. */
  private settle: ((granted: boolean, round: Round) => void) | null;
  private readonly ballot: Ballot;
  private cancelTimer: Cancel | null = null;
  private timedOut = false;
  /** Whether a node is being sent a command. */
  private isWithinCall = false;

  constructor(
    nodes: readonly LockNode[],
    target: LockTarget,
    motion: Motion,
    settle: (granted: boolean, round: Round) => void,
  ) {
    this.nodes = nodes;
    this.target = target;
    this.keyCount = target.keys.length;
    this.motion = motion;
    this.settle = settle;
    this.replies = new Array<LockReply | undefined>(nodes.length * this.keyCount).fill(undefined);
    this.ballot = new Ballot(nodes.length, this.keyCount);
  }

  /** Sends the commands to all nodes. Without an environment nothing bounds the round: for commands that nobody waits for. */
  start(timeoutMs: number, environment: Environment | null): void {
    if (environment !== null) {
      this.cancelTimer = environment.timers.schedule(timeoutMs, () => {
        this.expire();
      });
    }
    const receive = (reply: LockReply, place: number): void => {
      this.receive(reply, place);
    };
    const commands = this.target.keys.map((key) => this.motion.commandFor(key));
    for (let place = 0; place < this.replies.length; place += 1) {
      this.send(place, commands[place % this.keyCount] as LockCommand, receive);
    }
  }

  /** The key that a place is about. */
  keyAt(place: number): string {
    return this.target.keys[place % this.keyCount] as string;
  }

  /**
   * Sends a command to the node of a place; a node that throws has failed. `settle` is never called within this call, not even for a node
   * that throws or answers at once: a decision must not be taken, nor a clean-up sent, before all nodes were sent the command.
   */
  send(place: number, command: LockCommand, settle: (reply: LockReply, place: number) => void): void {
    const node = this.nodeAt(place);
    this.isWithinCall = true;
    try {
      // Bound, it is smaller than a closure with its scope.
      node.execute(command, this.hear.bind(this, settle, place));
    } catch (reason) {
      const error = reason instanceof Error ? reason : new Error(`${node.id} threw ${String(reason)}`);
      queueMicrotask(() => settle({ kind: 'failed', error, sent: true }, place));
    }
    this.isWithinCall = false;
  }

  /** Stops the vote: it will not settle any more, but replies are still observed. */
  abandon(): void {
    this.settle = null;
    this.cancelTimer?.();
  }

  /**
   * What each node has said so far, in words for an error: of several answers that on which its vote hung.
   *
   * @param outcomeAt what was said at a place, where that is not the reply alone; null for the reply
   */
  outcomes(outcomeAt: ((place: number) => NodeOutcome | null) | null = null): NodeOutcome[] {
    return outcomesByNode(this.nodes.length, this.target.resources, (place) => {
      const reply = this.replies[place];
      const outcome = outcomeAt?.(place) ?? null;
      if (outcome !== null) return { outcome, isFor: outcome.outcome === 'committed' };
      const isFor = reply !== undefined && this.motion.supports(reply);
      return { outcome: outcomeOf(this.nodeAt(place).id, reply, this.timedOut), isFor };
    });
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

  private nodeAt(place: number): LockNode {
    return this.nodes[Math.floor(place / this.keyCount)] as LockNode;
  }

  /** A node that is missing for one key has said all the same that it is against if it did so for another. */
  private lacksQuorumWithout(isMissing: (reply: LockReply | undefined) => boolean): boolean {
    const { replies, keyCount } = this;
    let missing = 0;
    for (let first = 0; first < replies.length; first += keyCount) {
      const parts = replies.slice(first, first + keyCount);
      const isAgainst = (reply: LockReply | undefined): boolean =>
        reply !== undefined && !isMissing(reply) && !this.motion.supports(reply);
      if (parts.some(isMissing) && !parts.some(isAgainst)) missing += 1;
    }
    return this.nodes.length - missing < quorumOf(this.nodes.length);
  }

  private hear(settle: (reply: LockReply, place: number) => void, place: number, reply: LockReply): void {
    if (this.isWithinCall) queueMicrotask(() => settle(reply, place));
    else settle(reply, place);
  }

  private receive(reply: LockReply, place: number): void {
    // A node that settles twice does not vote twice.
    if (this.replies[place] !== undefined) return;
    this.replies[place] = reply;
    if (this.settle !== null) this.ballot.count(place, this.motion.supports(reply));
    this.motion.observe?.(place, reply, this);
    const decision = this.ballot.decide();
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
