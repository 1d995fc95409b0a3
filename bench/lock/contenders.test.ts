import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hasRedisServer, NEEDS_REDIS_SERVER, type RedisServer, startRedisServers } from '../../test/redis-server.ts';
import { CONTENDERS } from './contenders.ts';

describe.skipIf(!hasRedisServer)(`contenders of bench:lock${hasRedisServer ? '' : ` (${NEEDS_REDIS_SERVER})`}`, () => {
  let servers: RedisServer[] = [];
  let clients: Redis[] = [];

  beforeAll(async () => {
    servers = await startRedisServers(3);
    clients = servers.map(({ port }) => new Redis(port, '127.0.0.1'));
  });

  afterAll(async () => {
    for (const client of clients) client.disconnect();
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  });

  it.each(CONTENDERS)('$id keeps others out until it has given back, on a majority of the nodes', async (contender) => {
    const locks = await contender.make(clients);
    const held = await locks.acquire('r');
    await expect(locks.acquire('r')).rejects.toThrow();
    // The clean-up of the one that was refused must not have freed what is held.
    await expect(locks.acquire('r')).rejects.toThrow();
    await locks.release(held);
    const again = await locks.acquire('r');
    await locks.release(again);
  });

  it('gives each contender an id of its own', () => {
    expect(new Set(CONTENDERS.map(({ id }) => id)).size).toBe(CONTENDERS.length);
  });
});
