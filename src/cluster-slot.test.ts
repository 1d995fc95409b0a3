import { Cluster, Redis } from 'ioredis';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeWorld, watch } from '../test/fake-world.ts';
import { hasRedisServer, NEEDS_REDIS_SERVER, type RedisServer, startRedisCluster } from '../test/redis-server.ts';
import { hashSlotOf } from './cluster-slot.ts';
import { CrossSlotError } from './errors.ts';
import type { LockNode } from './lock-node.ts';
import { Redlock } from './redlock.ts';

const TTL_MS = 10_000;

describe('the hash slot of a key', () => {
  it.each([
    // The check value of CRC-16/XMODEM, 0x31C3, which the specification of Redis Cluster names.
    ['123456789', 0x31c3],
    ['', 0],
  ])('of %j is %i', (key, slot) => {
    expect(hashSlotOf(key)).toBe(slot);
  });

  it.each([
    ['{user1000}.following', 'user1000'],
    ['foo{bar}{zap}', 'bar'],
    ['foo{{bar}}zap', '{bar'],
    ['}foo{bar}', 'bar'],
  ])('of %j is that of %j', (key, part) => {
    expect(hashSlotOf(key)).toBe(hashSlotOf(part));
  });

  it('of a key without a tag in it is that of all of it', () => {
    // By redis-server 7.0.15.
    const keys = ['foo{}{bar}', 'foo{bar', 'foo}bar{', '{}'];
    expect(keys.map(hashSlotOf)).toEqual([8363, 15278, 11073, 15257]);
  });
});

describe('several resources and a node that is a cluster', () => {
  /** Two single nodes and a cluster whose client has a prefix. */
  function nodesWithCluster(world: FakeWorld, keyPrefix = ''): LockNode[] {
    return world.nodes(3).map((node, index) => (index === 2 ? Object.assign(node, { cluster: { keyPrefix } }) : node));
  }

  it('are refused at once unless they share a hash slot, with the resources and what to do', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    Object.assign(nodes[2] ?? {}, { cluster: { keyPrefix: '' } });
    const redlock = world.redlock(nodes);
    const failed: unknown[] = [];
    const acquired = watch(redlock.acquire(['b', 'a'], TTL_MS));
    const used = watch(redlock.using(['b', 'a'], TTL_MS, () => failed.push('ran')));
    await world.advance(0);
    expect(acquired.error).toBeInstanceOf(CrossSlotError);
    expect(used.error).toBeInstanceOf(CrossSlotError);
    expect(acquired.error).toMatchObject({ code: 'cross-slot', resource: 'a, b', resources: ['a', 'b'], outcomes: [] });
    expect((acquired.error as Error).message).toBe(
      'The resources "a", "b" lie in 2 hash slots of the node-3, and those of one lock must share one: give their names, or keyPrefix, a common ' +
        'hash tag, the same text in braces in each, as in {orders}:1 and {orders}:2',
    );
    expect(nodes.map(({ commands }) => commands)).toEqual([[], [], []]);
    expect(failed).toEqual([]);
  });

  it.each([
    ['names with a hash tag', ['{a}:1', '{a}:2'], {}, ''],
    ['a key prefix with one', ['1', '2'], { keyPrefix: '{locks}:' }, ''],
    ['a prefix of the client with one', ['1', '2'], {}, '{locks}:'],
    ['one resource', ['1'], {}, ''],
  ])('are locked with %s', async (_what, resources, options, clientPrefix) => {
    const world = new FakeWorld();
    const lock = watch(world.redlock(nodesWithCluster(world, clientPrefix), options).acquire(resources, TTL_MS));
    await world.advance(1);
    expect(lock.value?.resources).toEqual(resources);
  });
});

describe.skipIf(!hasRedisServer)(`hash slots of a real Redis Cluster (${NEEDS_REDIS_SERVER})`, () => {
  let servers: RedisServer[];
  let direct: Redis;
  beforeAll(async () => {
    servers = await startRedisCluster();
    direct = new Redis(servers[0]?.port ?? 0, '127.0.0.1');
  });
  afterAll(async () => {
    direct.disconnect();
    for (const server of servers) await server[Symbol.asyncDispose]();
  });

  it('are those that servers say', async () => {
    // Braces come often, and characters of several bytes; lone surrogates have no bytes of their own.
    const key = fc.string({ unit: fc.constantFrom('{', '}', 'a', '7', 'é', '𝄞'), maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(key, async (name) => {
        expect(hashSlotOf(name)).toBe(await direct.cluster('KEYSLOT', name));
      }),
    );
  });

  it.each(['', 'app:'])('are shared by what a lock is on, with the client prefix %j', async (keyPrefix) => {
    const cluster = new Cluster(
      servers.map(({ port }) => ({ host: '127.0.0.1', port })),
      { keyPrefix },
    );
    const redlock = new Redlock([cluster], { retryCount: 0, nodeTimeout: 2000, fencing: true });
    await expect(redlock.acquire(['a', 'b'], TTL_MS)).rejects.toBeInstanceOf(CrossSlotError);
    const lock = await redlock.acquire(['{x}a', '{x}b'], TTL_MS);
    expect(await Promise.all(lock.resources.map((name) => cluster.get(`lock:${name}`)))).toEqual([
      lock.value,
      lock.value,
    ]);
    await lock.extend(TTL_MS);
    await lock.release();
    expect(await cluster.exists('lock:{x}a', 'lock:{x}b')).toBe(0);
    const single = await redlock.acquire('{x}b', TTL_MS);
    expect(single.token).toBeGreaterThan(lock.token ?? Number.NaN);
    await single.release();
    await redlock.quit();
  });
});
