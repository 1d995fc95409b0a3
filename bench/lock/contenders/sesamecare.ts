import { Redlock } from '@sesamecare-oss/redlock';
import { type Contender, contender, TTL_MS } from '../contender.ts';

export const sesamecare: Contender = contender(
  { id: 'sesamecare', title: '@sesamecare-oss/redlock', kind: 'peer', folder: '@sesamecare-oss/redlock' },
  (clients) => {
    const redlock = new Redlock([...clients], { retryCount: 0 });
    return {
      acquire: (resource) => redlock.acquire([`sesamecare:${resource}`], TTL_MS),
      release: (lock) => lock.release(),
    };
  },
);
