import type { Redis } from 'ioredis';

/** How long a lock lives in all measurements, in milliseconds: far longer than any round, so that none expires. */
export const TTL_MS = 30_000;

/** What a contender can do once it has connections. `Held` is whatever it needs to give a lock back. */
export interface Locks<Held = unknown> {
  /** Rejects when the resource is held by somebody else: nothing is tried twice. */
  acquire(resource: string): Promise<Held>;
  release(held: Held): Promise<unknown>;
}

/** `own` is distrilock as it comes, `option` is distrilock with more asked of it, `floor` is bare Redis commands. */
export type ContenderKind = 'own' | 'option' | 'floor' | 'peer';

/** One way to take locks. */
export interface Contender {
  /** Names it on the command line. */
  readonly id: string;
  /** Names it in tables. */
  readonly title: string;
  readonly kind: ContenderKind;
  /** The folder of `node_modules` that it comes from; null for what is no package there. */
  readonly folder: string | null;
  /** Resolves once locks can be taken over these connections, one for each node, which are ready. */
  make(clients: readonly Redis[]): Promise<Locks>;
}

/** Hides what a contender holds from the rest of the benchmark. */
export function contender<Held>(
  facts: Omit<Contender, 'make'>,
  make: (clients: readonly Redis[]) => Locks<Held> | Promise<Locks<Held>>,
): Contender {
  return { ...facts, make: async (clients) => make(clients) };
}
