import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { type RedisServer, startRedisServers } from './redis-server.ts';

/** Servers for the tests of a `describe`: there and empty before each of them, and gone after the last. */
export interface ServersInUse {
  readonly servers: readonly RedisServer[];
  /** What tests look at the servers with, in the same order. */
  readonly direct: readonly Redis[];
}

/** To be called within a `describe`; both lists are filled when its tests begin. */
export function useRedisServers(count: number): ServersInUse {
  const servers: RedisServer[] = [];
  const direct: Redis[] = [];
  beforeAll(async () => {
    servers.push(...(await startRedisServers(count)));
    direct.push(...servers.map(({ port }) => new Redis(port, '127.0.0.1')));
  });
  beforeEach(async () => {
    await Promise.all(direct.map((client) => client.flushall()));
  });
  afterAll(async () => {
    for (const client of direct) client.disconnect();
    for (const server of servers) await server[Symbol.asyncDispose]();
  });
  return { servers, direct };
}
