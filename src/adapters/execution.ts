import type { Cluster, Redis } from 'ioredis';
import { LockError, type LockOperation, type NodeOutcome } from '../index.ts';

/** A client of ioredis, as the originals take them. */
export type Client = Redis | Cluster;

/** What one client said to one attempt. */
export type ClientExecutionResult =
  | { readonly client: Client; readonly vote: 'for'; readonly value: number }
  | { readonly client: Client; readonly vote: 'against'; readonly error: Error };

/**
 * What one attempt came to, as it was known when it was decided: a client that had not answered by then, and was not awaited, is in neither.
 */
export interface ExecutionStats {
  readonly membershipSize: number;
  readonly quorumSize: number;
  readonly votesFor: Set<Client>;
  readonly votesAgainst: Map<Client, Error>;
}

/** What an operation came to. */
export interface ExecutionResult {
  /** Promises for likeness with the originals: they are fulfilled already. */
  readonly attempts: readonly Promise<ExecutionStats>[];
  /** When the operation began, in milliseconds since the Unix epoch. */
  readonly start: number;
}

/** A node holds a resource for somebody else, or does not hold it for us any more. */
export class ResourceLockedError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'ResourceLockedError';
  }
}

/** An operation failed. Its `cause` is distrilock's error, whose code says why. */
export class ExecutionError extends Error {
  readonly attempts: readonly Promise<ExecutionStats>[];

  constructor(message: string, attempts: readonly Promise<ExecutionStats>[], options?: ErrorOptions) {
    super(message, options);
    this.name = 'ExecutionError';
    this.attempts = attempts;
  }
}

/** What is asked of nodes. */
export type Operation = LockOperation['kind'];

/** Which answers are votes for it. */
const VOTES_FOR: Readonly<Record<Operation, readonly NodeOutcome['outcome'][]>> = {
  acquire: ['granted'],
  extend: ['extended'],
  release: ['released', 'absent'],
};

/**
 * Counts one attempt.
 *
 * @param clients in the order of the outcomes
 */
export function statsOf(
  clients: readonly Client[],
  operation: Operation,
  outcomes: readonly NodeOutcome[],
): Promise<ExecutionStats> {
  const votesFor = new Set<Client>();
  const votesAgainst = new Map<Client, Error>();
  for (const [index, { node, outcome, error }] of outcomes.entries()) {
    const client = clients[index];
    if (client === undefined || outcome === 'pending') continue;
    if (VOTES_FOR[operation].includes(outcome)) votesFor.add(client);
    else votesAgainst.set(client, error ?? errorOf(node, outcome));
  }
  const membershipSize = clients.length;
  return Promise.resolve({ membershipSize, quorumSize: Math.floor(membershipSize / 2) + 1, votesFor, votesAgainst });
}

/** Why a node that is not down voted against. */
export function errorOf(node: string, outcome: NodeOutcome['outcome']): Error {
  switch (outcome) {
    case 'held':
      return new ResourceLockedError(`${node}: the resource is locked by another value`);
    case 'absent':
      return new ResourceLockedError(`${node}: the resource is not locked by this value any more`);
    case 'timeout':
      return new Error(`${node}: no answer in time`);
    default:
      return new Error(`${node}: ${outcome}`);
  }
}

/** An ExecutionError in place of a LockError; every other error, and one about an argument, is what it was. */
export function executionErrorOf(error: unknown, attempts: readonly Promise<ExecutionStats>[]): unknown {
  if (!(error instanceof LockError) || error.code === 'invalid-option') return error;
  return new ExecutionError(error.message, attempts, { cause: error });
}
