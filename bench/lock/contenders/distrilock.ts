import { Redlock, type AcquiredLock, type RedlockOptions } from '../../../src/index.ts';
import { type Contender, contender, type ContenderKind, TTL_MS } from '../contender.ts';

function withOptions(id: string, title: string, kind: ContenderKind, options: RedlockOptions): Contender {
  return contender<AcquiredLock>({ id, title, kind, folder: null }, async (clients) => {
    const redlock = new Redlock(clients, { retryCount: 0, ...options });
    // A node that the guard does not know has to wait for the longest time to live, or to be admitted.
    if (options.restartGuard !== undefined) await redlock.admitNewNodes('all');
    return {
      acquire: (resource) => redlock.acquire(resource, TTL_MS),
      release: (lock) => lock.release(),
    };
  });
}

const restartGuard = { longestTtl: TTL_MS };

export const distrilock: Contender = withOptions('distrilock', 'distrilock', 'own', {});

/** The same library with more asked of it. */
export const distrilockWithOptions: readonly Contender[] = [
  withOptions('fencing', 'distrilock, fencing tokens', 'option', { fencing: true }),
  withOptions('guard', 'distrilock, restart guard', 'option', { restartGuard }),
  withOptions('fencing-guard', 'distrilock, both', 'option', { fencing: true, restartGuard }),
];
