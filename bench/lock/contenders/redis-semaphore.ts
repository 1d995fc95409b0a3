import { RedlockMutex } from 'redis-semaphore';
import { type Contender, contender, TTL_MS } from '../contender.ts';

export const redisSemaphore: Contender = contender(
  { id: 'redis-semaphore', title: 'redis-semaphore', kind: 'peer', folder: 'redis-semaphore' },
  (clients) => ({
    // An object that is used again has its old identity, by which a second acquire would be told from the first: one each.
    async acquire(resource) {
      const mutex = new RedlockMutex([...clients], resource, {
        lockTimeout: TTL_MS,
        acquireAttemptsLimit: 1,
        // No other library extends by itself.
        refreshInterval: 0,
      });
      await mutex.acquire();
      return mutex;
    },
    release: (mutex) => mutex.release(),
  }),
);
