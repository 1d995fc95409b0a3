import type { Environment } from './environment.ts';
import { InvalidOptionError } from './errors.ts';
import { FENCING_COUNTER_SUFFIX } from './fencing-counter-key.ts';
import {
  RESTART_MARKER_SUFFIX,
  RESTART_QUARANTINE_SUFFIX,
  type RestartGuard,
  restartGuardOf,
} from './restart-guard.ts';
import { fixedRetry, isLimit, LIMIT, type RetryPolicy } from './retry.ts';
import { driftAllowanceMs } from './validity.ts';

/** How a Redlock behaves; every option has a default. */
export interface RedlockOptions {
  /** Retries after the first attempt to acquire; -1 or Infinity without limit. Default 3. */
  readonly retryCount?: number | undefined;
  /** Milliseconds between attempts. Default 200. */
  readonly retryDelay?: number | undefined;
  /** At most so many random milliseconds are added to `retryDelay`. Default 100. */
  readonly retryJitter?: number | undefined;
  /** When to try again, in place of the three options above: `fixedRetry(…)`, `exponentialRetry(…)` or a policy of your own. */
  readonly retry?: RetryPolicy | undefined;
  /**
   * Milliseconds from the call of acquire on, beyond which no answer is awaited: attempts are cut there, and a retry that would begin later
   * is not waited for. Default: none.
   */
  readonly deadline?: number | undefined;
  /** By which share of the time to live the clocks of nodes and client may drift apart meanwhile. Default 0.01. */
  readonly clockDriftFactor?: number | undefined;
  /**
   * Milliseconds to wait for one node. Default: a tenth of the time to live, at least 10 and at most 500, and never more
   * than half of the time to live less its drift allowance. It ends at the latest where the lock would be over.
   */
  readonly nodeTimeout?: number | undefined;
  /** What every key begins with, so that locks do not collide with an application's keys. Default `lock:`. */
  readonly keyPrefix?: string | undefined;
  /** Whether each lock carries a fencing token. Default false. */
  readonly fencing?: boolean | undefined;
  /** How often one lock may be extended; -1 or Infinity without limit. Default -1. */
  readonly extensionLimit?: number | undefined;
  /**
   * Keeps servers that may have forgotten locks (restarted, flushed, a promoted replica) from voting until the longest lease is over:
   * `longestTtl` milliseconds, the same for all who lock these resources. Servers that are new need {@link Redlock.admitNewNodes}. Default: no guard.
   */
  readonly restartGuard?: RestartGuardOptions | undefined;
  /** Clock, timers and randomness. Default: the system's. */
  readonly environment?: Environment | undefined;
}

/** How the restart guard behaves. */
export interface RestartGuardOptions {
  /** Milliseconds that a lock may live at most: acquire and extend refuse more. */
  readonly longestTtl: number;
}

/** What one acquire can do otherwise than its Redlock. */
export interface AcquireOptions {
  readonly retryCount?: number | undefined;
  /** A fixed delay, even where the Redlock has another policy. */
  readonly retryDelay?: number | undefined;
  readonly retryJitter?: number | undefined;
  readonly retry?: RetryPolicy | undefined;
  readonly deadline?: number | undefined;
  /**
   * The value to store in the first attempt instead of a random one. It must be unique among all clients for as
   * long as any key may live: two holders of the same value would be one. Attempt n stores the value with `#n` appended, for
   * no two attempts may share one; the lock's `value` tells which was granted.
   */
  readonly lockValue?: string | undefined;
  /** Ends the acquire: it rejects with an AbortedError, and what it stored is removed from all nodes. */
  readonly signal?: AbortSignal | undefined;
}

/** What one `using` can do otherwise than its Redlock. */
export interface UsingOptions extends AcquireOptions {
  /**
   * How often the lock is extended automatically; -1 or Infinity without limit. Default: the `extensionLimit` of the Redlock, which counts the
   * routine's own extensions, too, and cannot be exceeded.
   */
  readonly extensionLimit?: number | undefined;
  /** Ends the acquire as always; later it fires the signal of the routine, too. */
  readonly signal?: AbortSignal | undefined;
}

/** The options of a Redlock with every default filled in. */
export interface ResolvedOptions {
  readonly retry: RetryPolicy;
  /** What a call that asks for one of these alone gets for the other. */
  readonly retryDelay: number;
  readonly retryJitter: number;
  /** Null: none. */
  readonly deadline: number | null;
  readonly clockDriftFactor: number;
  /** Null: derived from each lock's time to live. */
  readonly nodeTimeout: number | null;
  readonly keyPrefix: string;
  readonly fencing: boolean;
  readonly extensionLimit: number;
  readonly restartGuard: RestartGuard | null;
  /** Infinite without the guard. */
  readonly longestTtlMs: number;
  readonly environment: Environment;
}

type Check = (name: string, value: unknown) => void;

function check(accepts: (value: unknown) => boolean, must: string): Check {
  return (name, value) => {
    if (!accepts(value)) throw new InvalidOptionError(name, `must be ${must}, not ${describe(value)}`);
  };
}

function describe(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return String(value);
}

function isEnvironment(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { clock, timers, random, diagnostics } = value as Partial<Environment>;
  return (
    typeof clock?.now === 'function' &&
    typeof clock.wall === 'function' &&
    typeof timers?.schedule === 'function' &&
    typeof random?.token === 'function' &&
    typeof random.fraction === 'function' &&
    (diagnostics === undefined || (typeof diagnostics.channel === 'function' && typeof diagnostics.warn === 'function'))
  );
}

function isSignal(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { aborted, addEventListener, removeEventListener } = value as Partial<AbortSignal>;
  return (
    typeof aborted === 'boolean' && typeof addEventListener === 'function' && typeof removeEventListener === 'function'
  );
}

function isRetryPolicy(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { count, delayMs } = value as Partial<RetryPolicy>;
  return isLimit(count) && typeof delayMs === 'function';
}

const limitOrUnlimited = check(isLimit, LIMIT);
const milliseconds = check(
  (value) => typeof value === 'number' && Number.isFinite(value) && value >= 0,
  'a number of milliseconds from 0',
);
const positiveMilliseconds = check(
  (value) => typeof value === 'number' && Number.isFinite(value) && value > 0,
  'a number of milliseconds greater than 0',
);

const RETRY_CHECKS = {
  retryCount: limitOrUnlimited,
  retryDelay: milliseconds,
  retryJitter: milliseconds,
  retry: check(isRetryPolicy, 'a RetryPolicy: { count, delayMs }, as fixedRetry and exponentialRetry make them'),
  deadline: positiveMilliseconds,
};

const RESTART_GUARD_CHECKS: Readonly<Record<keyof RestartGuardOptions, Check>> = {
  longestTtl: check(
    (value) => Number.isSafeInteger(value) && Number(value) > 0,
    'a whole number of milliseconds greater than 0',
  ),
};

const REDLOCK_CHECKS: Readonly<Record<keyof RedlockOptions, Check>> = {
  ...RETRY_CHECKS,
  clockDriftFactor: check(
    (value) => typeof value === 'number' && value >= 0 && value < 1,
    'a number from 0 to less than 1',
  ),
  nodeTimeout: positiveMilliseconds,
  keyPrefix: check((value) => typeof value === 'string', 'a string'),
  fencing: check((value) => typeof value === 'boolean', 'true or false'),
  extensionLimit: limitOrUnlimited,
  restartGuard: (name, value) => checkAll(value, RESTART_GUARD_CHECKS, name),
  environment: check(isEnvironment, 'an Environment: clock, timers and random'),
};

const ACQUIRE_CHECKS: Readonly<Record<keyof AcquireOptions, Check>> = {
  ...RETRY_CHECKS,
  lockValue: check((value) => typeof value === 'string' && value !== '', 'a string that is not empty'),
  signal: check(isSignal, 'an AbortSignal'),
};

const USING_CHECKS: Readonly<Record<keyof UsingOptions, Check>> = {
  ...ACQUIRE_CHECKS,
  extensionLimit: limitOrUnlimited,
};

/** `parent` is the option whose value they are; null for those at the top. */
function checkAll(options: unknown, checks: Readonly<Record<string, Check>>, parent: string | null = null): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new InvalidOptionError(parent ?? 'options', `must be an object, not ${describe(options)}`);
  }
  for (const key of Object.keys(options)) {
    const value = (options as Readonly<Record<string, unknown>>)[key];
    const checkOption = Object.hasOwn(checks, key) ? checks[key] : undefined;
    const name = parent === null ? key : `${parent}.${key}`;
    if (checkOption === undefined) {
      throw new InvalidOptionError(name, `is not an option; there are ${Object.keys(checks).join(', ')}`);
    }
    if (value !== undefined) checkOption(name, value);
  }
}

/** Checks the options of a Redlock and fills in the defaults; throws an InvalidOptionError that names the option. */
export function resolveOptions(options: RedlockOptions, systemEnvironment: Environment): ResolvedOptions {
  checkAll(options, REDLOCK_CHECKS);
  checkOnePolicy(options);
  const { retryDelay = 200, retryJitter = 100 } = options;
  const clockDriftFactor = options.clockDriftFactor ?? 0.01;
  const keyPrefix = options.keyPrefix ?? 'lock:';
  const longestTtlMs = longestTtlOf(options, clockDriftFactor);
  return {
    retry: options.retry ?? fixedRetry({ count: options.retryCount, delay: retryDelay, jitter: retryJitter }),
    retryDelay,
    retryJitter,
    deadline: options.deadline ?? null,
    clockDriftFactor,
    nodeTimeout: options.nodeTimeout ?? null,
    keyPrefix,
    fencing: options.fencing ?? false,
    extensionLimit: options.extensionLimit ?? -1,
    restartGuard: longestTtlMs === null ? null : restartGuardOf(keyPrefix, longestTtlMs, clockDriftFactor),
    longestTtlMs: longestTtlMs ?? Number.POSITIVE_INFINITY,
    environment: options.environment ?? systemEnvironment,
  };
}

function longestTtlOf({ restartGuard }: RedlockOptions, clockDriftFactor: number): number | null {
  if (restartGuard === undefined) return null;
  const name = 'restartGuard.longestTtl';
  checkTtl(restartGuard.longestTtl, { clockDriftFactor, longestTtlMs: Number.POSITIVE_INFINITY }, name);
  return restartGuard.longestTtl;
}

/** Checks the options of one acquire; throws an InvalidOptionError that names the option. */
export function checkAcquireOptions(options: AcquireOptions): void {
  checkAll(options, ACQUIRE_CHECKS);
  checkOnePolicy(options);
}

function checkOnePolicy(options: AcquireOptions): void {
  if (options.retry === undefined) return;
  for (const name of ['retryCount', 'retryDelay', 'retryJitter'] as const) {
    if (options[name] !== undefined) {
      throw new InvalidOptionError(name, 'cannot stand beside `retry`, which is a whole policy: give one of them');
    }
  }
}

/** The retry policy of one acquire: a count alone leaves the delays of its Redlock, a delay or a jitter makes them fixed. */
export function retryPolicyOf(
  { retry, retryCount, retryDelay, retryJitter }: AcquireOptions,
  defaults: ResolvedOptions,
): RetryPolicy {
  const policy = retry ?? defaults.retry;
  const count = retryCount ?? policy.count;
  if (retryDelay !== undefined || retryJitter !== undefined) {
    return fixedRetry({
      count,
      delay: retryDelay ?? defaults.retryDelay,
      jitter: retryJitter ?? defaults.retryJitter,
    });
  }
  if (retryCount === undefined) return policy;
  return { count, delayMs: (failures, fraction) => policy.delayMs(failures, fraction) };
}

/** How the library's own keys end, beside those of locks, and what they are. */
export const RESERVED_SUFFIXES: readonly (readonly [suffix: string, what: string])[] = [
  [FENCING_COUNTER_SUFFIX, 'fencing counters'],
  [RESTART_MARKER_SUFFIX, 'keys of the restart guard'],
  [RESTART_QUARANTINE_SUFFIX, 'keys of the restart guard'],
];

/** Checks the options of one using; throws an InvalidOptionError that names the option. */
export function checkUsingOptions(options: UsingOptions): void {
  checkAll(options, USING_CHECKS);
}

/** Refuses what is no function. */
export function checkRoutine(routine: unknown): void {
  if (typeof routine !== 'function') {
    throw new InvalidOptionError('routine', `must be a function of a signal and a lock, not ${describe(routine)}`);
  }
}

/** Refuses a resource that is not a name, or whose key would be a key of the library's own. */
export function checkResource(resource: unknown, name = 'resource'): asserts resource is string {
  if (typeof resource !== 'string' || resource === '') {
    throw new InvalidOptionError(name, `must be a string that is not empty, not ${describe(resource)}`);
  }
  for (const [suffix, what] of RESERVED_SUFFIXES) {
    if (resource.endsWith(suffix)) {
      throw new InvalidOptionError(name, `must not end in ${suffix}, which names ${what}`);
    }
  }
}

/** Refuses a time to live that is not a whole number of milliseconds, that its own drift allowance uses up, or that outlives a quarantine. */
export function checkTtl(
  ttl: unknown,
  { clockDriftFactor, longestTtlMs }: Pick<ResolvedOptions, 'clockDriftFactor' | 'longestTtlMs'>,
  name = 'ttl',
): asserts ttl is number {
  if (typeof ttl !== 'number' || !Number.isSafeInteger(ttl) || ttl <= 0) {
    throw new InvalidOptionError(name, `must be a whole number of milliseconds greater than 0, not ${describe(ttl)}`);
  }
  if (ttl > longestTtlMs) {
    throw new InvalidOptionError(
      name,
      `of ${ttl} ms is more than restartGuard.longestTtl, ${longestTtlMs} ms: a node that forgot the lock would vote again while it is held`,
    );
  }
  const allowanceMs = driftAllowanceMs(ttl, clockDriftFactor);
  if (ttl <= allowanceMs) {
    throw new InvalidOptionError(
      name,
      `of ${ttl} ms would be used up by its own drift allowance of ${allowanceMs} ms (clockDriftFactor ${clockDriftFactor})`,
    );
  }
}
