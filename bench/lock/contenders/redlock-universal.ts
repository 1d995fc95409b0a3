import { createRedlock, IoredisAdapter, type Lock } from 'redlock-universal';
import { type Contender, contender, TTL_MS } from '../contender.ts';

export const redlockUniversal: Contender = contender(
  { id: 'redlock-universal', title: 'redlock-universal', kind: 'peer', folder: 'redlock-universal' },
  (clients) => {
    const adapters = clients.map((client) => IoredisAdapter.from(client));
    // It has an object for each resource, which is made once and not in every cycle.
    const locks = new Map<string, Lock>();
    const lockOn = (key: string): Lock => {
      let lock = locks.get(key);
      if (lock === undefined) {
        lock = createRedlock({ adapters, key, ttl: TTL_MS, retryAttempts: 0 });
        locks.set(key, lock);
      }
      return lock;
    };
    return {
      acquire: (resource) => lockOn(`redlock-universal:${resource}`).acquire(),
      release: (handle) => lockOn(handle.key).release(handle),
    };
  },
);
