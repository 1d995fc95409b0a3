import { InvalidOptionError } from './errors.ts';

/** When to try again after failed attempts: pure, so that one seed always gives the same delays. */
export interface RetryPolicy {
  /** Retries after the first attempt; -1 or Infinity without limit. */
  readonly count: number;
  /**
   * Milliseconds until the next attempt.
   *
   * @param failures how many attempts have failed, from 1
   * @param fraction a random draw in [0, 1)
   */
  delayMs(failures: number, fraction: number): number;
}

/** How a fixed delay is made. */
export interface FixedRetryOptions {
  /** Retries after the first attempt; -1 or Infinity without limit. Default 3. */
  readonly count?: number | undefined;
  /** Milliseconds between attempts. Default 200. */
  readonly delay?: number | undefined;
  /** At most so many random milliseconds more, so that clients that split the votes drift apart. Default 100. */
  readonly jitter?: number | undefined;
}

/** How a growing delay is made. */
export interface ExponentialRetryOptions {
  /** Retries after the first attempt; -1 or Infinity without limit. Default 10. */
  readonly count?: number | undefined;
  /** The longest delay before the first retry, in milliseconds. Default 50. */
  readonly base?: number | undefined;
  /** By what the longest delay is multiplied for each further retry. Default 2. */
  readonly factor?: number | undefined;
  /** What the longest delay never exceeds, in milliseconds. Default 2000. */
  readonly cap?: number | undefined;
}

/** Always the same delay, and a random jitter. */
export function fixedRetry({ count = 3, delay = 200, jitter = 100 }: FixedRetryOptions = {}): RetryPolicy {
  checkCount('count', count);
  checkAtLeast('delay', delay, 0);
  checkAtLeast('jitter', jitter, 0);
  return { count, delayMs: (_failures, fraction) => delay + fraction * jitter };
}

/**
 * A random delay between nothing and a bound that grows from retry to retry ("full jitter"), which drives clients that wait for the same
 * lock apart (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
 */
export function exponentialRetry({
  count = 10,
  base = 50,
  factor = 2,
  cap = 2000,
}: ExponentialRetryOptions = {}): RetryPolicy {
  checkCount('count', count);
  checkAtLeast('base', base, Number.MIN_VALUE);
  checkAtLeast('factor', factor, 1);
  checkAtLeast('cap', cap, Number.MIN_VALUE);
  return { count, delayMs: (failures, fraction) => fraction * Math.min(cap, base * factor ** (failures - 1)) };
}

/** Whether a limit says how often something may happen: a whole number, or -1 or Infinity for no limit. */
export function isLimit(value: unknown): value is number {
  return (Number.isSafeInteger(value) && Number(value) >= -1) || value === Number.POSITIVE_INFINITY;
}

/** What a limit must be. */
export const LIMIT = 'a whole number from -1, or Infinity';

/** Whether another attempt is due after `failures` of them failed. */
export function mayRetry({ count }: RetryPolicy, failures: number): boolean {
  return count < 0 || failures <= count;
}

/**
 * Milliseconds until the next attempt.
 *
 * @throws InvalidOptionError when a policy of the caller's own gives no delay
 */
export function retryDelayMs(policy: RetryPolicy, failures: number, fraction: number): number {
  const delayMs: unknown = policy.delayMs(failures, fraction);
  if (typeof delayMs === 'number' && delayMs >= 0 && Number.isFinite(delayMs)) return delayMs;
  throw new InvalidOptionError(
    'retry.delayMs',
    `must return a number of milliseconds from 0, not ${String(delayMs)} (after ${failures} failures)`,
  );
}

function checkCount(name: string, value: unknown): void {
  if (!isLimit(value)) throw new InvalidOptionError(name, `must be ${LIMIT}, not ${String(value)}`);
}

function checkAtLeast(name: string, value: unknown, least: number): void {
  if (typeof value === 'number' && Number.isFinite(value) && value >= least) return;
  const must = least === Number.MIN_VALUE ? 'greater than 0' : `from ${least}`;
  throw new InvalidOptionError(name, `must be a number ${must}, not ${String(value)}`);
}
