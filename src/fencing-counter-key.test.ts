import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasRedisServer, NEEDS_REDIS_SERVER, type RedisServer, startRedisServer } from '../test/redis-server.ts';
import { FENCING_COUNTER_SUFFIX, fencingCounterKey } from './fencing-counter-key.ts';

describe('the key of a fencing counter', () => {
  it.each(['lock:r', 'lock:{user}:r', 'lock:r}', 'lock:{'])('begins with %s and ends in the suffix', (key) => {
    expect(fencingCounterKey(key).startsWith(key)).toBe(true);
    expect(fencingCounterKey(key).endsWith(FENCING_COUNTER_SUFFIX)).toBe(true);
  });

  it('is the same however the whole key is split into prefix and key', () => {
    for (const whole of ['app:lock:r', 'app:{user}:r', 'app:}r']) {
      const counters = Array.from(whole, (_, index) => {
        const prefix = whole.slice(0, index);
        return prefix + fencingCounterKey(whole.slice(index), prefix);
      });
      expect(new Set(counters).size).toBe(1);
    }
  });
});

describe.skipIf(!hasRedisServer)(`the hash slot of a fencing counter (${NEEDS_REDIS_SERVER})`, () => {
  let server: RedisServer;
  let client: Redis;
  beforeAll(async () => {
    server = await startRedisServer('--cluster-enabled', 'yes');
    client = new Redis(server.port, '127.0.0.1');
  });
  afterAll(async () => {
    client.disconnect();
    await server[Symbol.asyncDispose]();
  });

  it.each([
    ['', 'lock:r'],
    ['', 'lock:{user}:r'],
    ['', '{user}'],
    ['', 'lock:{a}{b}'],
    ['', 'lock:{{a}}'],
    ['app:', 'lock:r'],
    ['{app}:', 'lock:r'],
    ['app:', 'lock:{user}:r'],
    ['app:{', 'lock}:r'],
  ])('is that of the lock: %s%s', async (prefix, key) => {
    const slots = await Promise.all(
      [key, fencingCounterKey(key, prefix)].map((name) => client.cluster('KEYSLOT', prefix + name)),
    );
    expect(slots[0]).toBe(slots[1]);
  });
});
