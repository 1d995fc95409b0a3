import type { ContendedError, LockErrorCode, NodeOutcome } from './errors.ts';
import type { LockCommand, LockReply } from './lock-node.ts';

/** One call of acquire, extend or release: the same object in all events about it. */
export interface LockOperation {
  readonly kind: 'acquire' | 'extend' | 'release';
  /** What is locked; several resources with commas between them. */
  readonly resource: string;
  /** All that is locked, sorted. */
  readonly resources: readonly string[];
}

/** What one node said to one attempt, and when. */
export interface NodeStatistics extends NodeOutcome {
  /** Milliseconds from the beginning of the attempt until the node answered the acquire, for all resources; null while it has not. */
  readonly latencyMs: number | null;
}

/** An operation begins; emitted within the call, so that what the caller's context is can still be seen. */
export interface StartedEvent {
  readonly operation: LockOperation;
}

/** One attempt of an acquire is over. */
export interface AttemptEvent {
  readonly operation: LockOperation;
  /** The number of the attempt, from 1. */
  readonly attempt: number;
  readonly outcome: 'granted' | 'contended' | 'unreachable' | 'expired';
  readonly durationMs: number;
  /** In the order of the nodes. */
  readonly nodes: readonly NodeStatistics[];
}

/** An acquire resolves. */
export interface AcquiredEvent {
  readonly operation: LockOperation;
  /** From the call on, retries included. */
  readonly durationMs: number;
  readonly attempts: number;
  readonly validityMs: number;
  /** Null without fencing. */
  readonly token: number | null;
}

/** An acquire rejects because others hold the lock, or the votes were split. */
export interface ContendedEvent {
  readonly operation: LockOperation;
  readonly durationMs: number;
  readonly error: ContendedError;
}

/** An extension resolves. */
export interface ExtendedEvent {
  readonly operation: LockOperation;
  readonly durationMs: number;
  readonly validityMs: number;
}

/** A release resolves. */
export interface ReleasedEvent {
  readonly operation: LockOperation;
  readonly durationMs: number;
}

/** An operation rejects for any other reason; also the release by `using` or `await using`, of which the caller does not learn. */
export interface FailedEvent {
  readonly operation: LockOperation;
  readonly durationMs: number;
  /** Null for what is no LockError: a broken Environment. */
  readonly code: LockErrorCode | null;
  readonly error: unknown;
}

/**
 * A holder had not given its lock back when its validity ended, or when a quorum of nodes did not hold it any more. `using` notices at
 * once; of other locks it is noticed by an extension or by the release, and only then.
 */
export interface LostEvent {
  readonly resource: string;
  readonly resources: readonly string[];
  readonly error: Error;
}

/** A node answered a command, however late. Of a lock on several resources each is a command of its own. */
export interface NodeReplyEvent {
  readonly node: string;
  readonly command: LockCommand['kind'];
  readonly outcome: LockReply['kind'];
  readonly latencyMs: number;
}

/** A node failed, or had not answered when its time was over, whether or not anybody still waited for it. */
export interface NodeErrorEvent {
  readonly node: string;
  readonly command: LockCommand['kind'];
  readonly outcome: 'failed' | 'timeout';
  readonly error: Error;
  readonly latencyMs: number;
}

/** All events of a Redlock, by their names. */
export interface RedlockEvents {
  readonly started: StartedEvent;
  readonly attempt: AttemptEvent;
  readonly acquired: AcquiredEvent;
  readonly contended: ContendedEvent;
  readonly extended: ExtendedEvent;
  readonly released: ReleasedEvent;
  readonly failed: FailedEvent;
  readonly lost: LostEvent;
  readonly 'node-reply': NodeReplyEvent;
  readonly 'node-error': NodeErrorEvent;
}

/** The name of an event. */
export type RedlockEventName = keyof RedlockEvents;

/** What is told of the events of one name. */
export type RedlockListener<Name extends RedlockEventName> = (event: RedlockEvents[Name]) => void;

/** The names of all events. */
export const EVENT_NAMES: readonly RedlockEventName[] = Object.keys({
  started: true,
  attempt: true,
  acquired: true,
  contended: true,
  extended: true,
  released: true,
  failed: true,
  lost: true,
  'node-reply': true,
  'node-error': true,
} satisfies Record<RedlockEventName, true>) as RedlockEventName[];
