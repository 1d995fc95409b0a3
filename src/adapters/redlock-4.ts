import { EventEmitter } from 'node:events';
import type { Cluster, Redis } from 'ioredis';
import {
  type AcquiredLock,
  InvalidOptionError,
  LockError as DistrilockError,
  Redlock as Distrilock,
} from '../index.ts';
import { AttemptLog, Attempts } from './attempt-log.ts';
import { expirationOf, retryWhileUnreachable } from './lease.ts';
import { emitNodeErrors } from './node-errors.ts';
import { COMMON_DEFAULTS, type CommonSettings, retryPolicyFrom, settingsFrom } from './settings.ts';

export type { CommonSettings } from './settings.ts';

/** Called once, with an error or with a result. What it throws is thrown outside of the call. */
export type Callback<T> = (error: unknown, result?: T) => void;

/** Whose promises are handed out: the native `Promise`, or bluebird. */
export interface PromiseLibrary {
  readonly prototype: unknown;
  /** A promise of this library that follows another one. */
  resolve<T>(value: PromiseLike<T>): PromiseLike<T>;
}

/** How a Redlock behaves. */
export interface Options extends Partial<CommonSettings> {
  /** Give `require('bluebird')` to have its promises handed out, as redlock 4 does: `disposer` needs them. Default: native promises. */
  readonly Promise?: PromiseLibrary;
}

/** What one call can do otherwise than its Redlock. */
export type LockOptions = Partial<Omit<CommonSettings, 'driftFactor'>>;

/** A lock could not be acquired, extended or released. Its `cause` is distrilock's error, whose code says why. */
export class LockError extends Error {
  /** Attempts that were made: 0 if no node was asked; undefined for a release. */
  readonly attempts: number | undefined;

  constructor(message = 'The lock could not be acquired', attempts?: number, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LockError';
    this.attempts = attempts;
  }
}

function lockErrorOf(error: unknown, attempts: number | undefined): unknown {
  if (!(error instanceof DistrilockError) || error.code === 'invalid-option') return error;
  return new LockError(error.message, attempts, { cause: error });
}

/** The lock of distrilock behind each lock that an acquire made, and the resources that it is on. */
const acquiredLocks = new WeakMap<Lock, { readonly acquired: AcquiredLock; readonly resource: readonly string[] }>();

function acquiredLockOf(lock: Lock): AcquiredLock {
  const known = acquiredLocks.get(lock);
  if (known === undefined) {
    throw new LockError('This lock was not acquired here: only what lock() gave can be extended or released', 0);
  }
  const { acquired, resource } = known;
  if (lock.value !== acquired.value || String(lock.resource) !== String(resource)) {
    throw new LockError(
      `The resource or the value of the lock on ${resource.join(', ')} was changed: put them back`,
      0,
    );
  }
  return acquired;
}

/** A lock that was acquired. */
export class Lock {
  // Defined below so that whoever prints a lock does not print clients, which know passwords.
  declare readonly redlock: Redlock;
  resource: string[];
  value: string;
  /** When the lock is over, in milliseconds since the Unix epoch; 0 once it was unlocked. */
  expiration: number;
  readonly attempts: number;
  /** Retries that were left when it was granted. */
  readonly attemptsRemaining: number;

  /** Locks are made by `lock()`: one that is made by hand can be neither extended nor unlocked. */
  constructor(
    redlock: Redlock,
    resource: string[],
    value: string,
    expiration: number,
    attempts: number,
    attemptsRemaining: number,
  ) {
    Object.defineProperty(this, 'redlock', { value: redlock });
    this.resource = resource;
    this.value = value;
    this.expiration = expiration;
    this.attempts = attempts;
    this.attemptsRemaining = attemptsRemaining;
  }

  /** See {@link Redlock.unlock}. */
  unlock(callback?: Callback<void>): Promise<void> {
    return this.redlock.unlock(this, callback);
  }

  /** See {@link Redlock.extend}. */
  extend(ttl: number, callback?: Callback<Lock>): Promise<Lock> {
    return this.redlock.extend(this, ttl, callback);
  }
}

/** The API of redlock 4 (4.2.0) on top of distrilock: what differs is listed in docs/migrating-from-redlock.md. */
export class Redlock extends EventEmitter {
  static readonly Lock: typeof Lock = Lock;
  static readonly LockError: typeof LockError = LockError;

  // Defined below so that whoever prints a Redlock does not print clients, which know passwords.
  declare readonly servers: readonly (Redis | Cluster)[];
  readonly driftFactor: number;
  readonly retryCount: number;
  readonly retryDelay: number;
  readonly retryJitter: number;
  readonly #promises: PromiseLibrary;
  readonly #redlock: Distrilock;
  readonly #log: AttemptLog;

  /**
   * @param clients one of ioredis for each Redis master
   * @throws InvalidOptionError for no clients, the same node twice, a client that is not ioredis, custom scripts, and options that do not exist
   */
  constructor(clients: Iterable<Redis | Cluster>, options: Options = {}) {
    super();
    const { Promise: promises, ...given } = { Promise, ...options };
    const settings = settingsFrom(COMMON_DEFAULTS, withoutScripts(given), 'options');
    if (typeof (promises as Partial<PromiseLibrary> | undefined)?.resolve !== 'function') {
      throw new InvalidOptionError(
        'options.Promise',
        "must be a library of promises: Promise itself, or require('bluebird')",
      );
    }
    const servers = [...clients];
    Object.defineProperty(this, 'servers', { value: servers });
    this.driftFactor = settings.driftFactor;
    this.retryCount = settings.retryCount;
    this.retryDelay = settings.retryDelay;
    this.retryJitter = settings.retryJitter;
    this.#promises = promises;
    // The original uses the names of resources as keys: old and new clients exclude each other.
    this.#redlock = new Distrilock(servers, { keyPrefix: '', clockDriftFactor: settings.driftFactor });
    this.#log = new AttemptLog(this.#redlock);
    emitNodeErrors(this.#redlock, this, 'clientError', () => null);
  }

  /** Closes every connection, those handed over included. Resolves to an `'OK'` for each. */
  quit(callback?: Callback<string[]>): Promise<string[]> {
    return this.#answer(
      this.#redlock.quit().then(() => this.servers.map(() => 'OK')),
      callback,
    );
  }

  /** Locks a resource, or all of several, for `ttl` milliseconds. Fails with a LockError, or with an InvalidOptionError for arguments that make no sense. */
  lock(resource: string | readonly string[], ttl: number, callback?: Callback<Lock>): Promise<Lock> {
    return this.#answer(this.#lock(resource, ttl, {}), callback);
  }

  /** The same as {@link Redlock.lock}. */
  acquire(resource: string | readonly string[], ttl: number, callback?: Callback<Lock>): Promise<Lock> {
    return this.lock(resource, ttl, callback);
  }

  /** As {@link Redlock.lock}, with options for this call. */
  lockWithOptions(
    resource: string | readonly string[],
    ttl: number,
    options: LockOptions,
    callback?: Callback<Lock>,
  ): Promise<Lock> {
    return this.#answer(this.#lock(resource, ttl, options), callback);
  }

  /** The same as {@link Redlock.lockWithOptions}. */
  acquireWithOptions(
    resource: string | readonly string[],
    ttl: number,
    options: LockOptions,
    callback?: Callback<Lock>,
  ): Promise<Lock> {
    return this.lockWithOptions(resource, ttl, options, callback);
  }

  /**
   * A disposer for bluebird's `using`, which unlocks in the end. Needs `Promise: require('bluebird')` in the options.
   *
   * @param unlockFailed learns of an unlock that fails
   */
  disposer(
    resource: string | readonly string[],
    ttl: number,
    unlockFailed: (error: unknown) => void = () => undefined,
  ): object {
    const { disposer } = (this.#promises.prototype ?? {}) as Partial<Disposable>;
    if (typeof disposer !== 'function') {
      throw new InvalidOptionError(
        'options.Promise',
        "must be require('bluebird') for disposers, which are bluebird's alone",
      );
    }
    const promise = this.lock(resource, ttl) as unknown as Disposable;
    return promise.disposer((lock) => lock.unlock().then(undefined, unlockFailed));
  }

  /** Gives a lock back. One that is over, or that was given back, is no error. */
  unlock(lock: Lock, callback?: Callback<void>): Promise<void> {
    lock.expiration = 0;
    return this.#answer(this.#unlock(lock), callback);
  }

  /** The same as {@link Redlock.unlock}. */
  release(lock: Lock, callback?: Callback<void>): Promise<void> {
    return this.unlock(lock, callback);
  }

  /**
   * Lets a lock live for `ttl` milliseconds from now, never shorter than before; tries again while too few nodes can be reached and the lock is not over.
   * Resolves to the same lock.
   */
  extend(lock: Lock, ttl: number, callback?: Callback<Lock>): Promise<Lock> {
    return this.#answer(this.#extend(lock, ttl), callback);
  }

  async #lock(resource: string | readonly string[], ttl: number, options: LockOptions): Promise<Lock> {
    const { retryCount, retryDelay, retryJitter } = this;
    const settings = settingsFrom({ retryCount, retryDelay, retryJitter }, options, 'options');
    const attempts = new Attempts(0);
    const resources = typeof resource === 'string' ? [resource] : [...resource];
    try {
      const acquired = await this.#log.watch(attempts, () =>
        this.#redlock.acquire(resources, ttl, { retry: retryPolicyFrom(settings) }),
      );
      const remaining = settings.retryCount < 0 ? Number.POSITIVE_INFINITY : settings.retryCount - acquired.attempts;
      const { value } = acquired;
      const lock = new Lock(this, resources, value, expirationOf(acquired), acquired.attempts, remaining);
      acquiredLocks.set(lock, { acquired, resource: [...resources] });
      return lock;
    } catch (error) {
      throw lockErrorOf(error, attempts.count);
    }
  }

  async #unlock(lock: Lock): Promise<void> {
    try {
      await acquiredLockOf(lock).release();
    } catch (error) {
      throw lockErrorOf(error, undefined);
    }
  }

  async #extend(lock: Lock, ttl: number): Promise<Lock> {
    const acquired = acquiredLockOf(lock);
    let attempts = 0;
    try {
      await retryWhileUnreachable(
        () => acquired.extend(ttl),
        retryPolicyFrom(this),
        (error) => {
          if (error instanceof DistrilockError && error.outcomes.length > 0) attempts += 1;
        },
      );
    } catch (error) {
      throw lockErrorOf(error, attempts);
    }
    lock.expiration = expirationOf(acquired);
    return lock;
  }

  /** Hands a result to a callback, if there is one, and out as a promise of the library that was asked for. */
  #answer<T>(result: Promise<T>, callback: Callback<T> | undefined): Promise<T> {
    const promise = this.#promises.resolve(result) as Promise<T>;
    if (callback !== undefined) {
      // Not within the promise: what the callback throws is no rejection.
      promise.then(
        (value) => {
          queueMicrotask(() => callback(null, value));
        },
        (error: unknown) => {
          queueMicrotask(() => callback(error));
        },
      );
    }
    return promise;
  }
}

/** What a promise of bluebird can do. */
interface Disposable {
  disposer(dispose: (lock: Lock) => PromiseLike<void>): object;
}

function withoutScripts(options: object): object {
  const [script] =
    Object.entries(options).find(([name, value]) => name.endsWith('Script') && value !== undefined) ?? [];
  if (script === undefined) return options;
  throw new InvalidOptionError(
    `options.${script}`,
    'cannot be used: distrilock has scripts of its own; what they lack can be asked for in its issues',
  );
}
