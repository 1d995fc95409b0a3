import { createRequire } from 'node:module';
import type { Redis } from 'ioredis';

const require = createRequire(import.meta.url);

/** A lock of any of the originals, and of their adapters. */
export interface AnyLock {
  readonly value: string;
  release(): Promise<unknown>;
}

/** What the originals have in common, and their adapters. */
export interface AnyRedlock {
  acquire(resources: string[], ttl: number): Promise<AnyLock>;
}

type Construct = new (clients: readonly Redis[], settings: { readonly retryCount: number }) => AnyRedlock;

/** The class of redlock 4, or of its adapter, whose locks are unlocked where others are released. */
type Construct4 = new (
  clients: readonly Redis[],
  options: { readonly retryCount: number },
) => { acquire(resources: string[], ttl: number): Promise<{ readonly value: string; unlock(): Promise<unknown> }> };

const NO_RETRIES = { retryCount: 0 };

/** The classes of the original packages, whose types differ too much to be of use here. */
export const originals = {
  'redlock 4': (clients: readonly Redis[]): AnyRedlock => fromRedlock4(require('redlock-4') as Construct4, clients),
  'redlock 5': (clients: readonly Redis[]): AnyRedlock =>
    new (require('redlock-5') as { default: Construct }).default(clients, NO_RETRIES),
  '@sesamecare-oss/redlock': (clients: readonly Redis[], settings: object = {}): AnyRedlock =>
    new (require('@sesamecare-oss/redlock') as { Redlock: Construct }).Redlock(clients, { ...NO_RETRIES, ...settings }),
};

/** Redlock 4 with the methods of the others. */
export function fromRedlock4(Redlock4: Construct4, clients: readonly Redis[]): AnyRedlock {
  const redlock = new Redlock4(clients, NO_RETRIES);
  return {
    acquire: async (resources, ttl) => {
      const lock = await redlock.acquire(resources, ttl);
      return { value: lock.value, release: async () => lock.unlock() };
    },
  };
}

/** The bluebird that redlock 4 brings along. */
export const bluebird = createRequire(require.resolve('redlock-4'))('bluebird') as {
  readonly prototype: unknown;
  resolve<T>(value: PromiseLike<T>): PromiseLike<T>;
  using<T>(disposer: object, work: (lock: never) => T | PromiseLike<T>): Promise<T>;
};
