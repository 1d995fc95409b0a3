import { type AcquiredLock, type RetryPolicy, systemEnvironment, UnreachableError } from '../index.ts';

const { clock, timers, random } = systemEnvironment;

/** When the lock is over, in milliseconds since the Unix epoch, by a wall clock that does not step meanwhile. */
export function expirationOf(lock: AcquiredLock): number {
  return Math.floor(clock.wall() + lock.remaining());
}

/** Now, in milliseconds since the Unix epoch. */
export function wallClockMs(): number {
  return clock.wall();
}

/**
 * Extends or releases a lock, and tries again while too few nodes can be reached, as the originals do and as distrilock leaves to its callers. A lock that is
 * over meanwhile ends it.
 *
 * @param failed learns of every failure that is followed by a retry, and of the last one
 */
export async function retryWhileUnreachable<T>(
  operation: () => Promise<T>,
  policy: RetryPolicy,
  failed: (error: unknown) => void,
): Promise<T> {
  for (let failures = 1; ; failures += 1) {
    try {
      return await operation();
    } catch (error) {
      failed(error);
      const mayRetry = policy.count < 0 || failures <= policy.count;
      if (!(error instanceof UnreachableError) || !mayRetry) throw error;
    }
    await new Promise<void>((resolve) => {
      timers.schedule(policy.delayMs(failures, random.fraction()), resolve);
    });
  }
}
