import { Acquisition } from './acquisition.ts';
import { InvalidOptionError } from './errors.ts';
import { AcquiredLock, type LockContext } from './lock.ts';
import type { LockNode } from './lock-node.ts';
import { nodeTimeoutMs } from './node-timeout.ts';
import { nodesFrom, type RedlockClient } from './nodes.ts';
import {
  type AcquireOptions,
  checkAcquireOptions,
  checkResource,
  checkTtl,
  type RedlockOptions,
  type ResolvedOptions,
  resolveOptions,
} from './options.ts';
import { systemEnvironment } from './system-environment.ts';

/**
 * Takes locks on independent Redis masters by the Redlock algorithm
 * (https://redis.io/docs/latest/develop/use/patterns/distributed-locks/).
 */
export class Redlock {
  // Hidden from whoever prints or serialises a Redlock: the connections know passwords.
  readonly #nodes: readonly LockNode[];
  readonly #options: ResolvedOptions;
  readonly #context: LockContext;
  readonly #acquisitions = new Set<Acquisition>();
  readonly #forget = (acquisition: Acquisition): void => {
    this.#acquisitions.delete(acquisition);
  };
  #closed = false;

  /**
   * @param clients one for each master: an ioredis `Redis` or `Cluster`, `RedisOptions` to connect with, or a `LockNode`
   * @throws InvalidOptionError for senseless or unknown options, no clients, the same node twice, or a client that is not ioredis
   */
  constructor(clients: readonly RedlockClient[], options: RedlockOptions = {}) {
    this.#options = resolveOptions(options, systemEnvironment);
    this.#nodes = nodesFrom(clients, this.#options.environment);
    this.#context = {
      nodes: this.#nodes,
      options: this.#options,
      nodeTimeoutMs: (ttlMs) => nodeTimeoutMs(this.#options.nodeTimeout, ttlMs, this.#options.clockDriftFactor),
      isClosed: () => this.#closed,
    };
  }

  /**
   * Locks `resource` for `ttl` milliseconds. Rejects with a ContendedError (others hold it, or the votes were split),
   * an UnreachableError (too few nodes answered), an ExpiredError (a quorum agreed too late), an AbortedError (the signal
   * fired, or this Redlock was closed) or an InvalidOptionError.
   */
  acquire(resource: string, ttl: number, options: AcquireOptions = {}): Promise<AcquiredLock> {
    return new Promise((resolve, reject) => {
      checkResource(resource);
      checkTtl(ttl, this.#options.clockDriftFactor);
      checkAcquireOptions(options);
      const acquisition = new Acquisition(this.#context, resource, ttl, options, {
        settled: this.#forget,
        resolve,
        reject,
      });
      this.#acquisitions.add(acquisition);
      acquisition.start();
    });
  }

  /** Extends a lock; see {@link AcquiredLock.extend}. Resolves to the same lock. */
  extend(lock: AcquiredLock, ttl: number): Promise<AcquiredLock> {
    return new Promise((resolve) => {
      this.checkLock(lock);
      resolve(lock.extend(ttl));
    });
  }

  /** Releases a lock; see {@link AcquiredLock.release}. */
  release(lock: AcquiredLock): Promise<void> {
    return new Promise((resolve) => {
      this.checkLock(lock);
      resolve(lock.release());
    });
  }

  /**
   * Closes every connection, those handed over included, once what was sent before is answered or a second has passed. Acquires that
   * are under way reject with an AbortedError. Locks that are held stay held until they expire: release them before.
   */
  quit(): Promise<void> {
    return this.closeConnections(() => true);
  }

  /** Like {@link Redlock.quit}, but leaves connections open that were handed over: locks on those can still be released. */
  close(): Promise<void> {
    return this.closeConnections((owned) => owned);
  }

  private async closeConnections(closes: (owned: boolean) => boolean): Promise<void> {
    this.#closed = true;
    // Each takes itself out of the set, and its value off the nodes while that can still be sent.
    for (const acquisition of this.#acquisitions) acquisition.close();
    await Promise.all(
      this.#nodes.map(async ({ connection }) => {
        if (connection !== undefined && closes(connection.owned)) await connection.quit();
      }),
    );
  }

  private checkLock(lock: unknown): asserts lock is AcquiredLock {
    if (!(lock instanceof AcquiredLock)) {
      throw new InvalidOptionError('lock', 'must be a lock that acquire resolved to');
    }
  }
}
