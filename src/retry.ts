/** When to try again after a failed attempt. */
export interface RetryPolicy {
  /** Retries after the first attempt; -1 without limit. */
  readonly retryCount: number;
  /** Milliseconds between attempts. */
  readonly retryDelay: number;
  /** At most so many random milliseconds more, so that clients that split the votes drift apart. */
  readonly retryJitter: number;
}

/** Whether another attempt is due after `attempts` of them failed. */
export function mayRetry(policy: RetryPolicy, attempts: number): boolean {
  return policy.retryCount < 0 || attempts <= policy.retryCount;
}

/** Milliseconds until the next attempt, by one random draw in [0, 1). */
export function retryDelayMs(policy: RetryPolicy, fraction: number): number {
  return policy.retryDelay + fraction * policy.retryJitter;
}
