import type { LockReply } from './lock-node.ts';
import { joinedResources } from './resource-names.ts';

/** Stable codes of all errors of the library, so that callers need not read messages. */
export type LockErrorCode =
  | 'contended'
  | 'unreachable'
  | 'expired'
  | 'extension-refused'
  | 'aborted'
  | 'invalid-option'
  | 'cross-slot'
  | 'duplicate-node';

/**
 * What one node said in the round that failed: the kind of its reply, `timeout` when it had not answered
 * before its deadline, or `pending` when the round was decided without it.
 */
export interface NodeOutcome {
  readonly node: string;
  readonly outcome: LockReply['kind'] | 'timeout' | 'pending';
  /** Why a `failed` node failed. */
  readonly error?: Error;
  /** Of a lock on several resources, the one that this was said about: the first that kept the node from voting for the lock. */
  readonly resource?: string;
}

/** What JSON keeps of a LockError. */
export interface LockErrorJson {
  readonly name: string;
  readonly code: LockErrorCode;
  readonly message: string;
  readonly resource: string;
  readonly resources: readonly string[];
  readonly outcomes: readonly {
    readonly node: string;
    readonly resource?: string;
    readonly outcome: NodeOutcome['outcome'];
    /** The message of the outcome's error. */
    readonly reason?: string;
  }[];
}

/** Base of every error that this library throws or rejects with. */
export abstract class LockError extends Error {
  abstract readonly code: LockErrorCode;
  /** The resource that the call was about, several with commas between them; empty for an invalid option. */
  readonly resource: string;
  /** All the resources that the call was about, sorted; empty for an invalid option. */
  readonly resources: readonly string[];
  /** What each node said in the last round, in the order of the nodes; empty where no node was asked. */
  readonly outcomes: readonly NodeOutcome[];

  constructor(
    message: string,
    resources: string | readonly string[],
    outcomes: readonly NodeOutcome[],
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = new.target.name;
    this.resources = typeof resources === 'string' ? [resources] : resources;
    this.resource = joinedResources(this.resources);
    this.outcomes = outcomes;
  }

  /** For logs: errors have no fields that JSON would keep by itself. Causes are left out, which are not the library's own. */
  toJSON(): LockErrorJson {
    const { name, code, message, resource, resources } = this;
    const outcomes = this.outcomes.map(({ node, outcome, error, resource: about }) => ({
      node,
      outcome,
      ...(about === undefined ? {} : { resource: about }),
      ...(error === undefined ? {} : { reason: error.message }),
    }));
    return { name, code, message, resource, resources, outcomes };
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
    super(`${option} ${problem}`, [], []);
    this.option = option;
  }
}

/** A Redis Cluster was asked for a lock on several resources whose keys do not share a hash slot; thrown at once, before any node is asked. */
export class CrossSlotError extends LockError {
  readonly code = 'cross-slot';
}

/** Two nodes are one server, which would vote twice: no lock can be had until each node is a server of its own. */
export class DuplicateNodeError extends LockError {
  readonly code = 'duplicate-node';
  /** The ids of the two nodes. */
  readonly nodes: readonly [string, string];

  constructor(
    message: string,
    resources: readonly string[],
    outcomes: readonly NodeOutcome[],
    nodes: readonly [string, string],
  ) {
    super(message, resources, outcomes);
    this.nodes = nodes;
  }
}
