import type { Environment } from '../../src/environment.ts';
import type { LockNode } from '../../src/lock-node.ts';
import type { RedlockOptions } from '../../src/options.ts';
import type { AcquiredLock } from '../../src/lock.ts';
import { Redlock } from '../../src/redlock.ts';
import { NODE_RULES, type NodeRules } from './node-rules.ts';

/** What a node finds when it serves again: what it had; nothing; or nothing, but not before the longest lease is over. */
export type RestartPolicy = 'durable' | 'amnesiac' | 'delayed';

/** A world that is small enough to try every interleaving of. Time is in ticks; a tick is a millisecond to the library. */
export interface WorldSettings {
  readonly nodes: number;
  readonly clients: number;
  /** How often each client acquires the lock, one after the other. */
  readonly cycles: number;
  /** Retries of each acquire. */
  readonly retries: number;
  /** How often each lock may be extended. */
  readonly extensions: number;
  readonly fencing: boolean;
  /** Ticks for which a lock is asked; the library's drift allowance takes 2 of them. */
  readonly ttlTicks: number;
  /** Ticks for which the library waits for the nodes. */
  readonly timeoutTicks: number;
  /** How many ticks pass, at most. */
  readonly ticks: number;
  /** How many nodes may crash; one that did may restart, and crash again. */
  readonly crashes: number;
  readonly restart: RestartPolicy;
  /** How often a client may be paused so long that it misses a timer. */
  readonly pauses: number;
  /** How often a clock may jump: that of a node ahead by `jumpTicks`; with fencing, a client's wall clock far back or far ahead. */
  readonly clockJumps: number;
  readonly jumpTicks: number;
  /** How many keys may vanish from a node at any moment. */
  readonly evictions: number;
}

/** How the search saves states. Each can be switched off, which tests use to prove that nothing is lost by it. */
export interface Reductions {
  /** Forget the order in which a client was told what it reacted to only later, and what cannot matter to it any more. */
  readonly merging: boolean;
  /** Take states for one that differ by the names of nodes and clients only. */
  readonly symmetry: boolean;
  /** Where a step can be swapped with all that may still happen, try that step alone. */
  readonly partialOrder: boolean;
  /** Keep in every state the locks granted and the acquires failed so far: many more states, whose ends tell whole stories. For tests. */
  readonly traced: boolean;
}

export const ALL_REDUCTIONS: Reductions = { merging: true, symmetry: true, partialOrder: true, traced: false };

/** What the search needs of a lock that was acquired. */
export interface HeldLock extends Pick<AcquiredLock, 'validity' | 'token'> {
  extend(ttl: number): Promise<unknown>;
  release(): Promise<unknown>;
}

/** What the search needs of a Redlock. */
export interface LockMaker {
  acquire(resource: string, ttl: number): Promise<HeldLock>;
}

/** What runs in the world: the library and the nodes. Tests put broken ones in their place. */
export interface Parts {
  makeRedlock(nodes: readonly LockNode[], options: RedlockOptions & { readonly environment: Environment }): LockMaker;
  readonly nodeRules: NodeRules;
  /** Whether nodes compare values before they change a key. Reductions that take this for granted are left out where it is not so. */
  readonly nodesCompare: boolean;
}

export const REAL_PARTS: Parts = {
  makeRedlock: (nodes, options) => new Redlock(nodes, options),
  nodeRules: NODE_RULES,
  nodesCompare: true,
};

/** The least and the most of each number. What is above would not end in anybody's lifetime, or overflow what states are kept in. */
export const LIMITS = {
  nodes: [1, 7],
  clients: [1, 4],
  cycles: [1, 5],
  retries: [0, 5],
  extensions: [0, 5],
  ttlTicks: [3, 100],
  timeoutTicks: [1, 98],
  ticks: [0, 100],
  crashes: [0, 9],
  pauses: [0, 9],
  clockJumps: [0, 9],
  jumpTicks: [1, 100],
  evictions: [0, 9],
} as const satisfies Partial<Record<keyof WorldSettings, readonly [number, number]>>;

/** Three nodes and two clients without faults. */
export const DEFAULT_WORLD: WorldSettings = {
  nodes: 3,
  clients: 2,
  cycles: 1,
  retries: 0,
  extensions: 0,
  fencing: false,
  ttlTicks: 3,
  timeoutTicks: 1,
  ticks: 0,
  crashes: 0,
  restart: 'durable',
  pauses: 0,
  clockJumps: 0,
  jumpTicks: 1,
  evictions: 0,
};
