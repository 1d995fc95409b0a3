import { Cluster, Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  hasRedisServer,
  NEEDS_REDIS_SERVER,
  type RedisServer,
  startRedisCluster,
  startRedisServer,
} from '../../test/redis-server.ts';
import { InvalidOptionError } from '../index.ts';
import { ExecutionError, Redlock, ResourceLockedError } from './sesamecare-redlock.ts';

const TTL_MS = 20_000;

describe.skipIf(!hasRedisServer)(`the adapter of @sesamecare-oss/redlock (${NEEDS_REDIS_SERVER})`, () => {
  let server: RedisServer;
  let client: Redis;

  beforeAll(async () => {
    server = await startRedisServer();
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
  });
  afterEach(() => {
    client.disconnect();
  });

  function connect(options: object = {}): Redis {
    client = new Redis({ port: server.port, host: '127.0.0.1', ...options });
    client.on('error', () => undefined);
    return client;
  }

  /** How many connections the server has, that of this question included. */
  async function connections(): Promise<number> {
    const asking = new Redis(server.port, '127.0.0.1');
    try {
      return String(await asking.client('LIST'))
        .trim()
        .split('\n').length;
    } finally {
      asking.disconnect();
    }
  }

  it('locks in database 0, over a connection of its own that ends with that of the client', async () => {
    const redlock = new Redlock([connect({ db: 3 })]);
    expect(redlock.settings.db).toBe(0);
    expect(await connections()).toBe(2);
    const lock = await redlock.acquire(['r'], TTL_MS);
    expect(await connections()).toBe(3);
    expect(await client.exists('r')).toBe(0);
    await client.select(0);
    expect(await client.get('r')).toBe(lock.value);
    await lock.release();
    await client.quit();
    await expect.poll(connections).toBe(1);
  });

  it('quits the connections of the clients, too', async () => {
    const redlock = new Redlock([connect()], { db: 2 });
    await (await redlock.acquire(['r'], TTL_MS)).release();
    await redlock.quit();
    await expect.poll(connections).toBe(1);
  });

  it('quits clients that are not connected, so that they do not connect any more', async () => {
    const redlock = new Redlock([connect({ lazyConnect: true })], { db: 2 });
    await redlock.quit();
    await expect.poll(() => client.status).toBe('end');
  });

  it('shares one connection to a database among all Redlocks of a client, until that ends', async () => {
    const lockOnce = async (db: number): Promise<void> => {
      const lock = await new Redlock([client], { db }).acquire(['r'], TTL_MS);
      await lock.release();
    };
    connect({ db: 1 });
    for (let count = 0; count < 12; count += 1) await lockOnce(0);
    const listeners = client.listenerCount('end');
    await lockOnce(0);
    expect(client.listenerCount('end')).toBe(listeners);
    expect(await connections()).toBe(3);
    await lockOnce(2);
    expect(await connections()).toBe(4);
    await client.quit();
    await expect.poll(connections).toBe(1);
    await client.connect();
    await lockOnce(0);
    expect(await connections()).toBe(3);
  });

  it('extends with the settings that a lock was acquired with', async () => {
    const redlock = new Redlock([connect()]);
    const lock = await redlock.acquire(['r'], TTL_MS, { retryCount: 0 });
    expect(lock.settings).toEqual({ retryCount: 0 });
    await client.del('r');
    const error: unknown = await lock.extend(TTL_MS).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ExecutionError);
    const [stats] = await Promise.all((error as ExecutionError).attempts);
    expect(stats?.votesAgainst.get(client)).toBeInstanceOf(ResourceLockedError);
  });

  it('takes clients of a cluster, whose only database is 0', async () => {
    const servers = await startRedisCluster();
    const cluster = new Cluster(servers.map(({ port }) => ({ host: '127.0.0.1', port })));
    const redlock = new Redlock([cluster], { db: 2 });
    const lock = await redlock.acquire(['{r}1', '{r}2'], TTL_MS);
    expect(await cluster.get('{r}2')).toBe(lock.value);
    await lock.release();
    await redlock.quit();
    connect();
    for (const each of servers) await each[Symbol.asyncDispose]();
  });

  it('refuses a database that cannot be, and clients that are none of ioredis', () => {
    expect(() => new Redlock([connect()], { db: -1 })).toThrow(InvalidOptionError);
    expect(() => new Redlock([connect()], { db: 0.5 })).toThrow(/settings\.db/);
    expect(() => new Redlock([{ duplicate: (): null => null } as unknown as Redis])).toThrow(/clients\[0\]/);
  });
});
