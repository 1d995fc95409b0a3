import { Acquisition } from './acquisition.ts';
import { nameAsyncDispose } from './disposal.ts';
import { InvalidOptionError } from './errors.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { AcquiredLock, type LockContext } from './lock.ts';
import type { LockNode } from './lock-node.ts';
import { nodeTimeoutMs } from './node-timeout.ts';
import { nodesFrom, type RedlockClient } from './nodes.ts';
import {
  type AcquireOptions,
  checkAcquireOptions,
  checkResource,
  checkRoutine,
  checkTtl,
  checkUsingOptions,
  oneResource,
  type RedlockOptions,
  type ResolvedOptions,
  resolveOptions,
  type UsingOptions,
} from './options.ts';
import { systemEnvironment } from './system-environment.ts';
import { type Routine, runUnderLock } from './using.ts';

/**
 * Takes locks on independent Redis masters by the Redlock algorithm
 * (https://redis.io/docs/latest/develop/use/patterns/distributed-locks/).
 */
export class Redlock {
  static {
    nameAsyncDispose(this.prototype);
  }

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

  /**
   * Locks `resource`, runs `routine` under the lock, extends the lock by `ttl` as long as that takes, and releases it. Resolves to what the routine
   * returned, provided that the lock held until then.
   *
   * The routine's signal fires when the lock is lost: at once when a quorum of nodes does not hold it any more, and just before its
   * validity ends when it could not be extended, whatever the nodes do. The routine must end then. It fires for the caller's own signal, too.
   *
   * Rejects like {@link Redlock.acquire} without running the routine; with the routine's own error, whatever else went wrong; or, where
   * the routine ended well but the lock had been lost, with the reason of its signal: an ExpiredError, or the ExtensionRefusedError of
   * the nodes. A release that fails is no error: the lock then dies with its time to live.
   *
   * @param resource the name of what is locked, or an array of that one name
   * @param ttl milliseconds; a holder that crashes keeps others out for so long
   */
  using<T>(resource: string | readonly [string], ttl: number, routine: Routine<T>): Promise<T>;
  using<T>(resource: string | readonly [string], ttl: number, options: UsingOptions, routine: Routine<T>): Promise<T>;
  async using<T>(
    resource: string | readonly [string],
    ttl: number,
    ...rest: [Routine<T>] | [UsingOptions, Routine<T>]
  ): Promise<T> {
    const [options, routine] = rest.length === 1 ? [{}, rest[0]] : rest;
    checkRoutine(routine);
    checkUsingOptions(options);
    const { extensionLimit = this.#options.extensionLimit, ...acquireOptions } = options;
    const lock = await this.acquire(oneResource(resource) as string, ttl, acquireOptions);
    const keeper = new LeaseKeeper(lock, ttl, extensionLimit, this.#options.environment);
    return runUnderLock(lock, keeper, routine, options.signal ?? null);
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

  /** Closes like {@link Redlock.close} at the end of the block that `await using` declared this Redlock in. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
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
