import { Acquisition } from './acquisition.ts';
import { admitNodes } from './admission.ts';
import { checkSlots } from './cluster-slot.ts';
import { nameAsyncDispose } from './disposal.ts';
import { DistinctServers } from './distinct-servers.ts';
import { InvalidOptionError } from './errors.ts';
import { EventHub } from './event-hub.ts';
import type { RedlockEventName, RedlockListener } from './events.ts';
import { LeaseKeeper } from './lease-keeper.ts';
import { AcquiredLock, type LockContext } from './lock.ts';
import type { LockNode } from './lock-node.ts';
import { targetOf } from './lock-target.ts';
import { nodeTimeoutMs } from './node-timeout.ts';
import { nodesFrom, type RedlockClient } from './nodes.ts';
import { ObservedNode } from './observed-node.ts';
import {
  type AcquireOptions,
  checkAcquireOptions,
  checkRoutine,
  checkTtl,
  checkUsingOptions,
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
  readonly #events: EventHub;
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
    const { environment } = this.#options;
    this.#events = new EventHub(environment);
    const servers = new DistinctServers();
    this.#nodes = nodesFrom(clients, environment, this.#options.restartGuard !== null, servers).map(
      (node) => new ObservedNode(node, this.#events, environment),
    );
    this.#context = {
      nodes: this.#nodes,
      options: this.#options,
      events: this.#events,
      nodeTimeoutMs: (ttlMs) => nodeTimeoutMs(this.#options.nodeTimeout, ttlMs, this.#options.clockDriftFactor),
      isClosed: () => this.#closed,
      findDuplicate: () => servers.find(),
    };
  }

  /**
   * Locks one resource, or several at once, for `ttl` milliseconds. Several are locked all or not at all: a node that does not grant every one
   * of them is no vote, and they have one value, one validity and one fencing token in common.
   *
   * Rejects with a ContendedError (others hold one of them, or the votes were split), an UnreachableError (too few nodes answered), an
   * ExpiredError (a quorum agreed too late), an AbortedError (the signal fired, or this Redlock was closed), an InvalidOptionError, a
   * CrossSlotError (a Redis Cluster among the nodes would have the keys in several hash slots), or a DuplicateNodeError (two nodes turned out to be
   * one server).
   *
   * @param resources the name of what is locked, or an array of names; their order makes no difference, and one that comes twice is locked once
   */
  acquire(resources: string | readonly string[], ttl: number, options: AcquireOptions = {}): Promise<AcquiredLock> {
    return new Promise((resolve, reject) => {
      const target = targetOf(resources, this.#options.keyPrefix);
      checkTtl(ttl, this.#options);
      checkAcquireOptions(options);
      checkSlots(this.#nodes, target);
      const acquisition = new Acquisition(this.#context, target, ttl, options, {
        settled: this.#forget,
        resolve,
        reject,
      });
      this.#acquisitions.add(acquisition);
      acquisition.start();
    });
  }

  /**
   * Locks one resource, or several at once, runs `routine` under the lock, extends the lock by `ttl` as long as that takes, and releases it. Resolves to what the routine
   * returned, provided that the lock held until then.
   *
   * The routine's signal fires when the lock is lost: at once when a quorum of nodes does not hold it any more, and just before its
   * validity ends when it could not be extended, whatever the nodes do. The routine must end then. It fires for the caller's own signal, too.
   *
   * Rejects like {@link Redlock.acquire} without running the routine; with the routine's own error, whatever else went wrong; or, where
   * the routine ended well but the lock had been lost, with the reason of its signal: an ExpiredError, or the ExtensionRefusedError of
   * the nodes. A release that fails is no error: the lock then dies with its time to live.
   *
   * @param resources the name of what is locked, or an array of names
   * @param ttl milliseconds; a holder that crashes keeps others out for so long
   */
  using<T>(resources: string | readonly string[], ttl: number, routine: Routine<T>): Promise<T>;
  using<T>(resources: string | readonly string[], ttl: number, options: UsingOptions, routine: Routine<T>): Promise<T>;
  async using<T>(
    resources: string | readonly string[],
    ttl: number,
    ...rest: [Routine<T>] | [UsingOptions, Routine<T>]
  ): Promise<T> {
    const [options, routine] = rest.length === 1 ? [{}, rest[0]] : rest;
    checkRoutine(routine);
    checkUsingOptions(options);
    const { extensionLimit = this.#options.extensionLimit, ...acquireOptions } = options;
    const lock = await this.acquire(resources, ttl, acquireOptions);
    const keeper = new LeaseKeeper(lock, ttl, extensionLimit, this.#options.environment, this.#events);
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
   * With `restartGuard`: takes nodes for such as have forgotten no lock, so that they vote at once. For servers that are new, when a set
   * of them is first put to use; never as a matter of course, for a server that restarted would be let in with the others.
   *
   * @param nodes the ids of nodes, as errors name them (`host:port`), or `all`
   * @returns resolves once every one of them is admitted; rejects with an UnreachableError that says which were not
   */
  admitNewNodes(nodes: 'all' | readonly string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      const admitted = this.nodesToAdmit(nodes);
      const { restartGuard, longestTtlMs } = this.#options;
      if (restartGuard === null) {
        throw new InvalidOptionError('restartGuard', 'is not set: without it every node votes at once');
      }
      const { markerKey: key, quarantineKey } = restartGuard;
      const timeoutMs = this.#context.nodeTimeoutMs(longestTtlMs);
      admitNodes(admitted, this.#options.environment, { kind: 'admit', key, quarantineKey, timeoutMs }, (failure) => {
        if (failure === null) resolve();
        else reject(failure);
      });
    });
  }

  /**
   * Calls `listener` for every event of this name, within the operation that causes it; a listener that throws is reported as a warning and harms
   * nothing. Programs that hold no Redlock find the same events on the channels `distrilock:<name>` of `node:diagnostics_channel`.
   * An operation that began while nobody listened to anything is not told of.
   *
   * @returns a function that ends this
   * @throws InvalidOptionError for a name that no event has
   */
  on<Name extends RedlockEventName>(name: Name, listener: RedlockListener<Name>): () => void {
    return this.#events.on(name, listener);
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

  private nodesToAdmit(nodes: unknown): readonly LockNode[] {
    if (nodes === 'all') return this.#nodes;
    const ids = this.#nodes.map(({ id }) => id);
    const known = `'all', or an array with some of ${ids.join(', ')}`;
    if (!Array.isArray(nodes) || nodes.length === 0) throw new InvalidOptionError('nodes', `must be ${known}`);
    const stranger: unknown = nodes.find((id) => !ids.includes(id as string));
    if (stranger !== undefined) {
      throw new InvalidOptionError('nodes', `must be ${known}: there is no node ${JSON.stringify(stranger)}`);
    }
    return this.#nodes.filter(({ id }) => nodes.includes(id));
  }

  private checkLock(lock: unknown): asserts lock is AcquiredLock {
    if (!(lock instanceof AcquiredLock)) {
      throw new InvalidOptionError('lock', 'must be a lock that acquire resolved to');
    }
  }
}
