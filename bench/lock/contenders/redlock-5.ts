import Redlock5 from 'redlock-5';
import { type Contender, contender, TTL_MS } from '../contender.ts';

export const redlock5: Contender = contender(
  { id: 'redlock-5', title: 'redlock', kind: 'peer', folder: 'redlock-5' },
  (clients) => {
    const redlock = new Redlock5(clients, { retryCount: 0 });
    return {
      acquire: (resource) => redlock.acquire([`redlock-5:${resource}`], TTL_MS),
      release: (lock) => lock.release(),
    };
  },
);
