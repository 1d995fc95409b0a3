import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { type AnyRedlock, fromRedlock4, originals } from '../../test/original-redlocks.ts';
import { hasRedisServer, NEEDS_REDIS_SERVER } from '../../test/redis-server.ts';
import { useRedisServers } from '../../test/use-redis-servers.ts';
import { Redlock as Redlock4 } from './redlock-4.ts';
import { Redlock as Redlock5 } from './redlock-5.ts';
import { Redlock as SesamecareRedlock } from './sesamecare-redlock.ts';

const TTL_MS = 20_000;

const adapters = {
  'redlock 4': (clients: readonly Redis[]): AnyRedlock => fromRedlock4(Redlock4, clients),
  'redlock 5': (clients: readonly Redis[]): AnyRedlock => new Redlock5(clients, { retryCount: 0 }),
  '@sesamecare-oss/redlock': (clients: readonly Redis[], settings: object = {}): AnyRedlock =>
    new SesamecareRedlock(clients, { retryCount: 0, ...settings }),
};

describe.skipIf(!hasRedisServer)(`old and new clients at the same time (${NEEDS_REDIS_SERVER})`, () => {
  const { servers, direct } = useRedisServers(3);
  const connections: Redis[] = [];

  afterEach(() => {
    for (const client of connections.splice(0)) client.disconnect();
  });

  function connect(options: object = {}): Redis[] {
    const clients = servers.map(({ port }) => new Redis({ host: '127.0.0.1', port, ...options }));
    connections.push(...clients);
    return clients;
  }

  /** A quorum is enough to go on: the last node may come later. */
  async function everywhere(key: string, value: string | null): Promise<void> {
    await expect.poll(() => Promise.all(direct.map((client) => client.get(key)))).toEqual(servers.map(() => value));
  }

  describe.each(['redlock 4', 'redlock 5', '@sesamecare-oss/redlock'] as const)('%s and its adapter', (name) => {
    it.each([
      ['the adapter', adapters[name], originals[name]],
      ['the original', originals[name], adapters[name]],
    ])('what %s holds, the other one does not get until it is released', async (_which, holderOf, rivalOf) => {
      const holder = holderOf(connect());
      const rival = rivalOf(connect());
      const lock = await holder.acquire(['account'], TTL_MS);
      await everywhere('account', lock.value);
      await expect(rival.acquire(['account'], TTL_MS)).rejects.toThrow();
      await everywhere('account', lock.value);
      await lock.release();
      const next = await rival.acquire(['account'], TTL_MS);
      expect(next.value).not.toBe(lock.value);
      await next.release();
    });

    it.each([
      ['the adapter', adapters[name], originals[name]],
      ['the original', originals[name], adapters[name]],
    ])('of several resources that %s holds, the other one gets none', async (_which, holderOf, rivalOf) => {
      const holder = holderOf(connect());
      const rival = rivalOf(connect());
      const lock = await holder.acquire(['a', 'b'], TTL_MS);
      await expect(rival.acquire(['b', 'c'], TTL_MS)).rejects.toThrow();
      await (await rival.acquire(['c'], TTL_MS)).release();
      await lock.release();
      await (await rival.acquire(['b', 'c'], TTL_MS)).release();
      for (const key of ['a', 'b', 'c']) await everywhere(key, null);
    });

    it('leave the same keys for as long, under the prefix of the clients too', async () => {
      const left: Record<string, unknown>[] = [];
      for (const redlockOf of [originals[name], adapters[name]]) {
        const lock = await redlockOf(connect({ keyPrefix: 'app:' })).acquire(['a', 'b'], TTL_MS);
        for (const key of ['app:a', 'app:b']) await everywhere(key, lock.value);
        const [first] = direct as [Redis];
        const lifeMs = await first.pttl('app:a');
        left.push({
          keys: (await first.keys('*')).sort(),
          type: await first.type('app:b'),
          livesAsLong: lifeMs > TTL_MS / 2 && lifeMs <= TTL_MS,
        });
        await Promise.all(direct.map((client) => client.flushall()));
      }
      expect(left[0]).toEqual({ keys: ['app:a', 'app:b'], type: 'string', livesAsLong: true });
      expect(left[1]).toEqual(left[0]);
    });

    it('neither releases what the other one holds by now', async () => {
      for (const [firstOf, secondOf] of [
        [adapters[name], originals[name]],
        [originals[name], adapters[name]],
      ] as const) {
        const lost = await firstOf(connect()).acquire(['account'], TTL_MS);
        await everywhere('account', lost.value);
        await Promise.all(direct.map((client) => client.del('account')));
        const lock = await secondOf(connect()).acquire(['account'], TTL_MS);
        await lost.release().catch(() => 'originals complain');
        await everywhere('account', lock.value);
        await lock.release();
      }
    });
  });

  it.each([
    ['database 0 unless another is set', {}, 0],
    ['the database that is set', { db: 2 }, 2],
  ])('@sesamecare-oss/redlock and its adapter lock in %s, wherever the clients are', async (_which, settings, db) => {
    const name = '@sesamecare-oss/redlock';
    const lock = await adapters[name](connect({ db: 3 }), settings).acquire(['account'], TTL_MS);
    const [first] = connect({ db }) as [Redis];
    await expect.poll(() => first.get('account')).toBe(lock.value);
    await expect(originals[name](connect({ db: 3 }), settings).acquire(['account'], TTL_MS)).rejects.toThrow();
    await lock.release();
    await originals[name](connect({ db: 3 }), settings).acquire(['account'], TTL_MS);
    await expect(adapters[name](connect({ db: 3 }), settings).acquire(['account'], TTL_MS)).rejects.toThrow();
  });
});
