import { EventEmitter } from 'node:events';
import { type AcquiredLock, InvalidOptionError, LockError, Redlock } from '../index.ts';
import { AttemptLog, Attempts } from './attempt-log.ts';
import {
  type Client,
  errorOf,
  type ExecutionResult,
  type ExecutionStats,
  executionErrorOf,
  type Operation,
  statsOf,
} from './execution.ts';
import { expirationOf, retryWhileUnreachable, wallClockMs } from './lease.ts';
import { emitNodeErrors } from './node-errors.ts';
import { COMMON_DEFAULTS, type CommonSettings, retryPolicyFrom, settingsFrom } from './settings.ts';

/** How a Redlock behaves. */
export interface Settings extends CommonSettings {
  /** Without effect: an automatic extension is sent when half of what is left of the validity is gone, whatever the duration is. */
  readonly automaticExtensionThreshold: number;
}

/** What a call can set for itself. */
const SETTINGS_OF_ONE_CALL = ['retryCount', 'retryDelay', 'retryJitter', 'automaticExtensionThreshold'];

/** The defaults of redlock 5 and of @sesamecare-oss/redlock. */
export const DEFAULTS: Settings = { ...COMMON_DEFAULTS, automaticExtensionThreshold: 500 };

/** The signal of a routine: `error` is why it fired. */
export type RedlockAbortSignal = AbortSignal & { error?: Error };

/** What a routine can know of its lock. */
export interface RedlockUsingContext {
  readonly lock: Lock;
  /** How often the lock was extended. */
  extensions: number;
}

/** Work to be done under a lock. */
export type UsingRoutine<T> = (signal: RedlockAbortSignal, context: RedlockUsingContext) => Promise<T>;

/** The lock of distrilock behind each lock that an acquire made. */
const acquiredLocks = new WeakMap<Lock, AcquiredLock>();

function acquiredLockOf(lock: Lock): AcquiredLock {
  const acquired = acquiredLocks.get(lock);
  if (acquired !== undefined) return acquired;
  throw new InvalidOptionError(
    'lock',
    'must be a lock that acquire resolved to, in this process: none can be made by hand',
  );
}

/** A single name would be taken for a list of letters further down, as the originals do. */
function checkResources(resources: unknown): void {
  if (!Array.isArray(resources)) throw new InvalidOptionError('resources', "must be an array of names: ['one']");
}

/** A lock that was acquired. */
export class Lock {
  // Defined below so that whoever prints a lock does not print clients, which know passwords.
  declare readonly redlock: Redlock5Base;
  readonly resources: string[];
  readonly value: string;
  readonly attempts: readonly Promise<ExecutionStats>[];
  /** When the lock is over, in milliseconds since the Unix epoch; 0 once it was released. */
  expiration: number;
  /** The settings of the call that acquired it, which its extensions follow, too. */
  readonly settings?: Partial<Settings>;

  /** Locks are made by `acquire`: one that is made by hand can be neither extended nor released. */
  constructor(
    redlock: Redlock5Base,
    resources: string[],
    value: string,
    attempts: readonly Promise<ExecutionStats>[],
    expiration: number,
    settings?: Partial<Settings>,
  ) {
    Object.defineProperty(this, 'redlock', { value: redlock });
    this.resources = resources;
    this.value = value;
    this.attempts = attempts;
    this.expiration = expiration;
    if (settings !== undefined) this.settings = settings;
  }

  /** See {@link Redlock5Base.release}. */
  release(): Promise<ExecutionResult> {
    return this.redlock.release(this);
  }

  /** See {@link Redlock5Base.extend}. */
  extend(duration: number): Promise<Lock> {
    return this.redlock.extend(this, duration, this.settings);
  }
}

/** What redlock 5 and @sesamecare-oss/redlock have in common, on top of distrilock. */
export abstract class Redlock5Base extends EventEmitter {
  // Defined below so that whoever prints a Redlock does not print clients, which know passwords.
  declare readonly clients: Set<Client>;
  abstract readonly settings: Settings;
  readonly #redlock: Redlock;
  readonly #log: AttemptLog;

  /**
   * @param clients as the caller gave them
   * @param nodes the connections to be used in their place, in the same order
   * @throws InvalidOptionError for no clients, the same node twice, or a client that is not ioredis
   */
  protected constructor(clients: readonly Client[], nodes: readonly Client[], settings: Settings) {
    super();
    Object.defineProperty(this, 'clients', { value: new Set(clients) });
    // The originals use the names of resources as keys: old and new clients exclude each other.
    this.#redlock = new Redlock(nodes, { keyPrefix: '', clockDriftFactor: settings.driftFactor });
    this.#log = new AttemptLog(this.#redlock);
    emitNodeErrors(this.#redlock, this, 'error', ({ node, command, outcome }) =>
      (command === 'acquire' && outcome === 'held') || (command === 'extend' && outcome === 'absent')
        ? errorOf(node, outcome)
        : null,
    );
  }

  /** Closes every connection, those handed over included. */
  quit(): Promise<void> {
    return this.#redlock.quit();
  }

  /**
   * Locks all `resources` for `duration` milliseconds. Rejects with an ExecutionError, or with an InvalidOptionError for arguments that make no sense.
   *
   * @param settings for this call; `driftFactor` cannot differ from that of the Redlock
   */
  async acquire(resources: string[], duration: number, settings?: Partial<Settings>): Promise<Lock> {
    checkResources(resources);
    const options = this.#settingsOf(settings);
    const attempts = new Attempts(options.retryCount);
    try {
      const acquired = await this.#log.watch(attempts, () =>
        this.#redlock.acquire(resources, duration, { retry: retryPolicyFrom(options) }),
      );
      return this.#lockOf(acquired, resources, attempts, settings);
    } catch (error) {
      throw executionErrorOf(error, this.#acquireStats(attempts));
    }
  }

  /**
   * Releases a lock; tries again while too few nodes can be reached and the lock is not over. The result lists the attempts that failed. Releasing a lock
   * that is over, or twice, is no error.
   */
  async release(lock: Lock, settings?: Partial<Settings>): Promise<ExecutionResult> {
    lock.expiration = 0;
    const acquired = acquiredLockOf(lock);
    return this.#retry('release', settings, () => acquired.release());
  }

  /**
   * Lets a lock live for `duration` milliseconds from now, never shorter than before; tries again while too few nodes can be reached and the lock is not
   * over. Resolves to the same lock, whose `expiration` is a new one.
   */
  async extend(existing: Lock, duration: number, settings?: Partial<Settings>): Promise<Lock> {
    const acquired = acquiredLockOf(existing);
    await this.#retry('extend', settings, () => acquired.extend(duration));
    existing.expiration = expirationOf(acquired);
    return existing;
  }

  /**
   * Runs a routine under a lock that is extended as long as that takes, and releases it. Rejects with what the routine throws; with an
   * ExecutionError where the lock could not be had, or was lost, even if the routine ended well.
   */
  using<T>(
    resources: string[],
    duration: number,
    settings: Partial<Settings> | undefined,
    routine?: UsingRoutine<T>,
  ): Promise<T>;
  using<T>(resources: string[], duration: number, routine: UsingRoutine<T>): Promise<T>;
  async using<T>(
    resources: string[],
    duration: number,
    settingsOrRoutine: Partial<Settings> | UsingRoutine<T> | undefined,
    optionalRoutine?: UsingRoutine<T>,
  ): Promise<T> {
    const settings = typeof settingsOrRoutine === 'function' ? undefined : settingsOrRoutine;
    const routine = optionalRoutine ?? settingsOrRoutine;
    if (typeof routine !== 'function') throw new InvalidOptionError('routine', 'must be a function of a signal');
    checkResources(resources);
    const options = this.#settingsOf(settings);
    const attempts = new Attempts(options.retryCount);
    let routineFailed = false as boolean;
    let stopCounting = (): void => undefined;
    const work = async (signal: RedlockAbortSignal, acquired: AcquiredLock): Promise<T> => {
      const context = { lock: this.#lockOf(acquired, resources, attempts, settings), extensions: 0 };
      signal.addEventListener('abort', () => {
        signal.error = executionErrorOf(signal.reason, []) as Error;
      });
      // Nobody else extends a lock on the same resource while this one is held.
      stopCounting = this.#redlock.on('extended', ({ operation }) => {
        if (operation.resource !== acquired.resource || acquired.released) return;
        context.extensions += 1;
        context.lock.expiration = expirationOf(acquired);
      });
      try {
        return await routine(signal, context);
      } catch (error) {
        routineFailed = true;
        throw error;
      } finally {
        context.lock.expiration = 0;
      }
    };
    try {
      return await this.#log.watch(attempts, () =>
        this.#redlock.using(resources, duration, { retry: retryPolicyFrom(options) }, work),
      );
    } catch (error) {
      throw routineFailed ? error : executionErrorOf(error, this.#acquireStats(attempts));
    } finally {
      stopCounting();
    }
  }

  /** The settings of one call. */
  #settingsOf(given: Partial<Settings> | undefined): Settings {
    const settings = settingsFrom(this.settings, given ?? {}, 'settings');
    for (const [name, value] of Object.entries(this.settings)) {
      if (SETTINGS_OF_ONE_CALL.includes(name) || settings[name as keyof Settings] === value) continue;
      throw new InvalidOptionError(
        `settings.${name}`,
        `cannot differ from that of the Redlock, ${String(value)}: make another Redlock of the same clients for it`,
      );
    }
    return settings;
  }

  #acquireStats({ events }: Attempts): Promise<ExecutionStats>[] {
    return events.map(({ nodes }) => statsOf([...this.clients], 'acquire', nodes));
  }

  #lockOf(
    acquired: AcquiredLock,
    resources: readonly string[],
    attempts: Attempts,
    settings: Partial<Settings> | undefined,
  ): Lock {
    const stats = this.#acquireStats(attempts);
    const lock = new Lock(this, [...resources], acquired.value, stats, expirationOf(acquired), settings);
    acquiredLocks.set(lock, acquired);
    return lock;
  }

  async #retry(
    operation: Operation,
    given: Partial<Settings> | undefined,
    run: () => Promise<unknown>,
  ): Promise<ExecutionResult> {
    const policy = retryPolicyFrom(this.#settingsOf(given));
    const start = wallClockMs();
    const clients = [...this.clients];
    let attempts: Promise<ExecutionStats>[] = [];
    try {
      await retryWhileUnreachable(run, policy, (error) => {
        if (!(error instanceof LockError) || error.outcomes.length === 0) return;
        const stats = statsOf(clients, operation, error.outcomes);
        // With unlimited retries they may be very many.
        attempts = policy.count < 0 ? [stats] : [...attempts, stats];
      });
      return { attempts, start };
    } catch (error) {
      throw executionErrorOf(error, attempts);
    }
  }
}
