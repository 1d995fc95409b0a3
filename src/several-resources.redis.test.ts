import type { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { hasRedisServer, NEEDS_REDIS_SERVER } from '../test/redis-server.ts';
import { useRedisServers } from '../test/use-redis-servers.ts';
import { AbortedError, ContendedError, ExtensionRefusedError } from './errors.ts';
import { IoredisNode } from './ioredis-node.ts';
import type { LockCommand, LockNode } from './lock-node.ts';
import type { RedlockOptions } from './options.ts';
import { Redlock } from './redlock.ts';
import { systemEnvironment } from './system-environment.ts';

const TTL_MS = 10_000;
const BOTH = ['a', 'b'];

const redlocks: Redlock[] = [];
afterEach(async () => {
  await Promise.all(redlocks.splice(0).map((redlock) => redlock.quit()));
});

describe.skipIf(!hasRedisServer)(`Several resources on real servers (${NEEDS_REDIS_SERVER})`, () => {
  const { servers, direct } = useRedisServers(3);

  function redlockOf(options: RedlockOptions = {}): Redlock {
    const clients = servers.map(({ port }) => ({ host: '127.0.0.1', port }));
    const redlock = new Redlock(clients, { retryCount: 0, nodeTimeout: 2000, ...options });
    redlocks.push(redlock);
    return redlock;
  }

  /** The values of the locks on these resources, by server. */
  function holders(resources: readonly string[] = BOTH): Promise<(string | null)[][]> {
    return Promise.all(direct.map((client) => client.mget(resources.map((resource) => `lock:${resource}`))));
  }

  function sizes(): Promise<number[]> {
    return Promise.all(direct.map((client) => client.dbsize()));
  }

  /** Calls of scripts that each server has seen. */
  async function scriptCalls(): Promise<number[]> {
    const infos = await Promise.all(direct.map((client) => client.info('commandstats')));
    return infos.map((info) =>
      [...info.matchAll(/^cmdstat_eval(?:sha)?:calls=(\d+)/gm)].reduce((sum, [, calls]) => sum + Number(calls), 0),
    );
  }

  it('travel in one call for each node, and leave nothing behind', async () => {
    const redlock = redlockOf();
    const first = await redlock.acquire(BOTH, TTL_MS);
    await expect.poll(() => holders()).toEqual(direct.map(() => [first.value, first.value]));
    await first.release();
    await expect.poll(() => sizes()).toEqual([0, 0, 0]);
    // All servers know the scripts now, and nothing is on its way any more.
    const before = await scriptCalls();
    const lock = await redlock.acquire(['b', 'a'], TTL_MS);
    await expect.poll(() => holders()).toEqual(direct.map(() => [lock.value, lock.value]));
    await lock.extend(2 * TTL_MS);
    for (const client of direct) await expect.poll(() => client.pttl('lock:b')).toBeGreaterThan(TTL_MS);
    await lock.release();
    await expect.poll(() => sizes()).toEqual([0, 0, 0]);
    const calls = async (): Promise<number[]> =>
      (await scriptCalls()).map((count, index) => count - (before[index] ?? 0));
    await expect.poll(calls).toEqual([3, 3, 3]);
  });

  it('exclude others that want one of them, who leave nothing of their own behind', async () => {
    const redlock = redlockOf();
    const other = redlockOf();
    const lock = await redlock.acquire('b', TTL_MS);
    await expect.poll(() => holders()).toEqual(direct.map(() => [null, lock.value]));
    const failure: unknown = await other.acquire(BOTH, TTL_MS).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ContendedError);
    expect((failure as ContendedError).outcomes.filter(({ outcome }) => outcome === 'held')).toMatchObject([
      { resource: 'b' },
      { resource: 'b' },
    ]);
    const single = await other.acquire('a', TTL_MS);
    await expect.poll(() => holders()).toEqual(direct.map(() => [single.value, lock.value]));
    await expect(redlock.acquire(['a', 'c'], TTL_MS)).rejects.toBeInstanceOf(ContendedError);
    await single.release();
    await lock.release();
    await expect.poll(() => sizes()).toEqual([0, 0, 0]);
  });

  it('in sets that overlap are never held twice, and every client gets its turn', async () => {
    const sets = [
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'a'],
    ];
    const inside = new Map<string, number>();
    let most = 0;
    let cycles = 0;
    const client = async (number: number): Promise<void> => {
      const redlock = redlockOf({ retryCount: -1, retryDelay: 5, retryJitter: 50, fencing: true });
      for (let round = 0; round < 10; round += 1) {
        const resources = sets[(number + round) % sets.length] ?? [];
        const lock = await redlock.acquire(resources, TTL_MS);
        for (const resource of resources) {
          const count = (inside.get(resource) ?? 0) + 1;
          inside.set(resource, count);
          most = Math.max(most, count);
        }
        // A turn of the servers, so that others can try meanwhile.
        await direct[0]?.ping();
        expect(lock.remaining()).toBeGreaterThan(0);
        for (const resource of resources) inside.set(resource, (inside.get(resource) ?? 0) - 1);
        await lock.release();
        cycles += 1;
      }
    };
    await Promise.all(Array.from({ length: 12 }, (_, number) => client(number)));
    expect(cycles).toBe(120);
    expect(most).toBe(1);
    await Promise.all(redlocks.splice(0).map((redlock) => redlock.quit()));
    const keys = (await Promise.all(direct.map((server) => server.keys('*')))).flat();
    expect(keys.filter((key) => !key.endsWith(':fencing-counter'))).toEqual([]);
  });

  it('may be more than travel together', async () => {
    const resources = Array.from({ length: 250 }, (_, index) => `seat-${index}`);
    const redlock = redlockOf({ fencing: true });
    const lock = await redlock.acquire(resources, TTL_MS);
    await expect.poll(() => holders(resources)).toEqual(direct.map(() => resources.map(() => lock.value)));
    await expect(redlock.acquire(['seat-249', 'other'], TTL_MS)).rejects.toBeInstanceOf(ContendedError);
    await lock.extend(TTL_MS);
    await lock.release();
    await expect
      .poll(() => holders([...resources, 'other']))
      .toEqual(direct.map(() => [...resources, 'other'].map(() => null)));
    const single = await redlock.acquire('seat-123', TTL_MS);
    expect(single.token).toBeGreaterThan(lock.token ?? Number.NaN);
  });

  it('are not extended where a majority lost one of them, and nothing is deleted or made anew', async () => {
    const redlock = redlockOf();
    const lock = await redlock.acquire(BOTH, TTL_MS);
    // A quorum decides: the last node may grant it a little later.
    await expect.poll(() => holders()).toEqual(direct.map(() => [lock.value, lock.value]));
    const before = lock.remaining();
    for (const client of direct.slice(0, 2)) await client.del('lock:b');
    await expect(lock.extend(2 * TTL_MS)).rejects.toBeInstanceOf(ExtensionRefusedError);
    expect(lock.remaining()).toBeLessThanOrEqual(before);
    await expect
      .poll(() => holders())
      .toEqual([
        [lock.value, null],
        [lock.value, null],
        [lock.value, lock.value],
      ]);
    // Somebody else has it on the majority by now: neither an extension nor the release harms that.
    const other = await redlockOf().acquire('b', TTL_MS);
    await expect(lock.extend(2 * TTL_MS)).rejects.toBeInstanceOf(ExtensionRefusedError);
    await lock.release();
    await expect
      .poll(() => holders())
      .toEqual([
        [null, other.value],
        [null, other.value],
        [null, null],
      ]);
  });

  it('are removed from a node that stored one of them after all was over', async () => {
    const held: [LockCommand, () => void][] = [];
    const nodes = direct.map((client, index): LockNode => {
      const node = new IoredisNode(`n${index}`, client, { owned: false, environment: systemEnvironment });
      const isLate = ({ kind, key }: LockCommand): boolean => index === 2 && kind === 'acquire' && key === 'lock:b';
      return {
        id: node.id,
        execute(command, settle): void {
          if (isLate(command)) held.push([command, () => node.execute(command, settle)]);
          else node.execute(command, settle);
        },
      };
    });
    for (const client of direct.slice(0, 2)) await client.set('lock:a', 'other');
    const redlock = new Redlock(nodes, { retryCount: 0, nodeTimeout: 2000 });
    await expect(redlock.acquire(BOTH, TTL_MS)).rejects.toBeInstanceOf(ContendedError);
    await expect
      .poll(() => holders())
      .toEqual([
        ['other', null],
        ['other', null],
        [null, null],
      ]);
    const monitor = await (direct[2] as Redis).duplicate().monitor();
    const deleted = new Promise<void>((resolve) => {
      monitor.on('monitor', (_time: string, [name, key]: string[]) => {
        if (name?.toLowerCase() === 'del' && key === 'lock:b') resolve();
      });
    });
    expect(held).toHaveLength(1);
    held[0]?.[1]();
    await deleted;
    monitor.disconnect();
    await expect
      .poll(() => holders())
      .toEqual([
        ['other', null],
        ['other', null],
        [null, null],
      ]);
  });

  it('are taken back when the acquire is aborted on its way', async () => {
    const redlock = redlockOf({ nodeTimeout: 60_000 });
    await (await redlock.acquire('warm', TTL_MS)).release();
    for (const server of servers.slice(0, 2)) server.pause();
    const controller = new AbortController();
    const acquired = redlock.acquire(BOTH, 2 * 60_000 + 10_000, { signal: controller.signal });
    const aborted = expect(acquired).rejects.toBeInstanceOf(AbortedError);
    await expect.poll(() => direct[2]?.exists(...BOTH.map((name) => `lock:${name}`))).toBe(2);
    controller.abort();
    await aborted;
    for (const server of servers) server.resume();
    await expect.poll(() => sizes()).toEqual([0, 0, 0]);
  });

  it('are kept by using, and with the key prefix of a client', async () => {
    const clients = servers.map(({ port }) => ({ host: '127.0.0.1', port, keyPrefix: 'app:' }));
    const redlock = new Redlock(clients, { retryCount: 0, nodeTimeout: 2000 });
    redlocks.push(redlock);
    await redlock.using(BOTH, TTL_MS, async (_signal, { value }) => {
      await expect.poll(() => direct[0]?.mget('app:lock:a', 'app:lock:b')).toEqual([value, value]);
    });
    await expect.poll(() => sizes()).toEqual([0, 0, 0]);
  });

  it.each([
    ['one after two', [BOTH, ['a']]],
    ['two after one', [['b'], BOTH]],
    ['two after another two', [BOTH, ['b', 'c']]],
  ])('have tokens in order, %s, though the wall clock goes back', async (_what, [first = [], second = []]) => {
    let wallMs = Date.now();
    const clock = { now: () => systemEnvironment.clock.now(), wall: () => (wallMs -= 60_000) };
    const redlock = redlockOf({ fencing: true, environment: { ...systemEnvironment, clock } });
    const tokens: (number | undefined)[] = [];
    for (const resources of [first, second, first, second]) {
      const lock = await redlock.acquire(resources, TTL_MS);
      tokens.push(lock.token);
      await lock.release();
    }
    expect(tokens).toEqual([...tokens].sort((one = 0, other = 0) => one - other));
    expect(new Set(tokens).size).toBe(4);
  });
});
