import Redlock4 from 'redlock-4';
import { type Contender, contender, TTL_MS } from '../contender.ts';

export const redlock4: Contender = contender(
  { id: 'redlock-4', title: 'redlock', kind: 'peer', folder: 'redlock-4' },
  (clients) => {
    const redlock = new Redlock4(clients, { retryCount: 0 });
    return {
      acquire: (resource) => redlock.acquire(`redlock-4:${resource}`, TTL_MS),
      release: (lock) => lock.unlock(),
    };
  },
);
