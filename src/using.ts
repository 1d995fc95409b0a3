import type { AcquiredLock } from './lock.ts';
import type { LeaseKeeper } from './lease-keeper.ts';

/** Work to be done under a lock. `signal` fires when the lock is lost, or when the caller's own signal does. */
export type Routine<T> = (signal: AbortSignal, lock: AcquiredLock) => T | PromiseLike<T>;

/**
 * Runs a routine under a lock that was just acquired, and gives the lock back. What the routine throws is thrown; where it
 * returns although the lock was lost, the loss is thrown instead, so that a result always means that the lock held. A
 * release that fails changes nothing of that: the lock then dies with its time to live.
 *
 * @param callersSignal fires the routine's signal, too; null without
 */
export async function runUnderLock<T>(
  lock: AcquiredLock,
  keeper: LeaseKeeper,
  routine: Routine<T>,
  callersSignal: AbortSignal | null,
): Promise<T> {
  const passOn = (): void => {
    keeper.abort(callersSignal?.reason);
  };
  callersSignal?.addEventListener('abort', passOn, { once: true });
  try {
    if (callersSignal?.aborted === true) passOn();
    keeper.start();
    throwLoss(keeper);
    const result = await routine(keeper.signal, lock);
    keeper.stop();
    throwLoss(keeper);
    return result;
  } finally {
    callersSignal?.removeEventListener('abort', passOn);
    keeper.stop();
    await releaseOrLetExpire(lock);
  }
}

/** Releases a lock; one that cannot be released is left to its time to live, and nobody is bothered. */
export async function releaseOrLetExpire(lock: AcquiredLock): Promise<void> {
  try {
    await lock.release();
  } catch {
    // The work under the lock is done, and its outcome matters more than when the key goes.
  }
}

function throwLoss({ loss }: LeaseKeeper): void {
  if (loss !== undefined) throw loss;
}
