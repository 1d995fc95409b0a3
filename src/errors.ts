import type { LockReply } from './lock-node.ts';

/** Stable codes of all errors of the library, so that callers need not read messages. */
export type LockErrorCode =
  'contended' | 'unreachable' | 'expired' | 'extension-refused' | 'aborted' | 'invalid-option';

/**
 * What one node said in the round that failed: the kind of its reply, `timeout` when it had not answered
 * before its deadline, or `pending` when the round was decided without it.
 */
export interface NodeOutcome {
  readonly node: string;
  readonly outcome: LockReply['kind'] | 'timeout' | 'pending';
  /** Why a `failed` node failed. */
  readonly error?: Error;
}

/** What JSON keeps of a LockError. */
export interface LockErrorJson {
  readonly name: string;
  readonly code: LockErrorCode;
  readonly message: string;
  readonly resource: string;
  readonly outcomes: readonly {
    readonly node: string;
    readonly outcome: NodeOutcome['outcome'];
    /** The message of the outcome's error. */
    readonly reason?: string;
  }[];
}

/** Base of every error that this library throws or rejects with. */
export abstract class LockError extends Error {
  abstract readonly code: LockErrorCode;
  /** The resource that the call was about; empty for an invalid option. */
  readonly resource: string;
  /** What each node said in the last round, in the order of the nodes; empty where no node was asked. */
  readonly outcomes: readonly NodeOutcome[];

  constructor(message: string, resource: string, outcomes: readonly NodeOutcome[], options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.resource = resource;
    this.outcomes = outcomes;
  }

  /** For logs: errors have no fields that JSON would keep by itself. Causes are left out, which are not the library's own. */
  toJSON(): LockErrorJson {
    const { name, code, message, resource } = this;
    const outcomes = this.outcomes.map(({ node, outcome, error }) =>
      error === undefined ? { node, outcome } : { node, outcome, reason: error.message },
    );
    return { name, code, message, resource, outcomes };
  }
}

/** Acquire failed although a quorum could be reached: others hold the lock, or the votes were split. */
export class ContendedError extends LockError {
  readonly code = 'contended';
}

/** Too few nodes answered in time: nothing is known of the lock. */
export class UnreachableError extends LockError {
  readonly code = 'unreachable';
}

/** Acquire: a quorum agreed, but too late for any validity to be left. Extend: the lock's validity is over. */
export class ExpiredError extends LockError {
  readonly code = 'expired';
}

/** Too few nodes still hold the lock, or the cap on extensions is reached. The lock's validity is what it was. */
export class ExtensionRefusedError extends LockError {
  readonly code = 'extension-refused';
}

/** The caller's signal fired, whose reason is then the `cause`, or the Redlock was closed. */
export class AbortedError extends LockError {
  readonly code = 'aborted';
}

/** An option or argument makes no sense; thrown at once, before any node is asked. */
export class InvalidOptionError extends LockError {
  readonly code = 'invalid-option';
  /** The name of the option or argument. */
  readonly option: string;

  constructor(option: string, problem: string) {
    super(`${option} ${problem}`, '', []);
    this.option = option;
  }
}
