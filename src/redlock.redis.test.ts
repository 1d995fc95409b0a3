import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { Cluster, Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  freePort,
  hasRedisServer,
  NEEDS_REDIS_SERVER,
  type RedisServer,
  startRedisCluster,
  startRedisServers,
} from '../test/redis-server.ts';
import { useRedisServers } from '../test/use-redis-servers.ts';
import { AbortedError, ContendedError, UnreachableError } from './errors.ts';
import type { RedlockClient } from './nodes.ts';
import type { RedlockOptions } from './options.ts';
import { Redlock } from './redlock.ts';
import { systemEnvironment } from './system-environment.ts';

const TTL_MS = 10_000;

const rejections: unknown[] = [];
const noteRejection = (reason: unknown): void => void rejections.push(reason);
beforeAll(() => void process.on('unhandledRejection', noteRejection));
afterAll(() => {
  process.off('unhandledRejection', noteRejection);
  expect(rejections).toEqual([]);
});

const redlocks: Redlock[] = [];
afterEach(async () => {
  await Promise.all(redlocks.splice(0).map((redlock) => redlock.quit()));
});

function redlockOf(clients: readonly RedlockClient[], options: RedlockOptions = {}): Redlock {
  const redlock = new Redlock(clients, { retryCount: 0, nodeTimeout: 2000, ...options });
  redlocks.push(redlock);
  return redlock;
}

function here(servers: readonly RedisServer[]): { host: string; port: number }[] {
  return servers.map(({ port }) => ({ host: '127.0.0.1', port }));
}

describe.skipIf(!hasRedisServer)(`Redlock on real servers (${NEEDS_REDIS_SERVER})`, () => {
  const { servers, direct } = useRedisServers(5);

  function holders(key = 'lock:r'): Promise<(string | null)[]> {
    return Promise.all(direct.map((client) => client.get(key)));
  }

  it('acquires in the first attempt right after its construction, extends and releases', async () => {
    const redlock = redlockOf(here(servers));
    const lock = await redlock.acquire('r', TTL_MS);
    expect(lock.attempts).toBe(1);
    expect(lock.validity).toBeGreaterThan(0);
    expect(lock.validity).toBeLessThan(TTL_MS - 102);
    expect(await redlock.extend(lock, 2 * TTL_MS)).toBe(lock);
    expect(lock.validity).toBeGreaterThan(TTL_MS);
    await expect(redlock.acquire('r', TTL_MS)).rejects.toBeInstanceOf(ContendedError);
    await lock.release();
    await lock.release();
    const again = await redlock.acquire('r', TTL_MS);
    await again.release();
  });

  it('excludes another client, and leaves none of its own keys where it lost', async () => {
    const [one, other] = [redlockOf(here(servers)), redlockOf(here(servers))];
    const lock = await one.acquire('r', TTL_MS);
    // A quorum decides: the other nodes grant it a little later, if nobody else is there first.
    await expect.poll(async () => new Set(await holders())).toEqual(new Set([lock.value]));
    await expect(other.acquire('r', TTL_MS)).rejects.toBeInstanceOf(ContendedError);
    await expect(other.acquire('r', TTL_MS, { retryCount: 2, retryDelay: 5, retryJitter: 0 })).rejects.toThrow(
      'in 3 attempts',
    );
    expect(new Set(await holders())).toEqual(new Set([lock.value]));
    await lock.release();
    await (await other.acquire('r', TTL_MS)).release();
  });

  it('settles a tie of two nodes', async () => {
    await direct[0]?.set('lock:r', 'somebody');
    const redlock = redlockOf(here(servers.slice(0, 2)));
    const error: unknown = await redlock.acquire('r', TTL_MS).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ContendedError);
    await redlock.quit();
    expect((await holders()).slice(0, 2)).toEqual(['somebody', null]);
  });

  it('takes as many locks at once as it is asked for', async () => {
    const redlock = redlockOf(here(servers), { fencing: true });
    const names = Array.from({ length: 200 }, (_, index) => `resource ${index}`);
    const locks = await Promise.all(names.map((name) => redlock.acquire(name, TTL_MS)));
    expect(new Set(locks.map(({ value }) => value)).size).toBe(200);
    await Promise.all(locks.map((lock) => lock.release()));
  });

  it('gives growing fencing tokens, and commits them where counters differ', async () => {
    await direct[1]?.set('lock:r{lock:r}:fencing-counter', '9007199254740000');
    const redlock = redlockOf(here(servers.slice(0, 3)), { fencing: true });
    const tokens: number[] = [];
    for (let count = 0; count < 5; count += 1) {
      const lock = await redlock.acquire('r', TTL_MS);
      tokens.push(lock.token ?? Number.NaN);
      await lock.release();
      // The release is decided by two nodes: the third may still be about to let go.
      await redlock.acquire('fence', TTL_MS).then((fence) => fence.release());
    }
    expect(tokens).toEqual([...tokens].sort((one, other) => one - other));
    expect(new Set(tokens).size).toBe(5);
    expect(tokens.every((token) => Number.isSafeInteger(token))).toBe(true);
  });

  it('needs no node that hangs, and leaves no lock on it once it runs again', async () => {
    const redlock = redlockOf(here(servers));
    await (await redlock.acquire('warm', TTL_MS)).release();
    const hung = servers.slice(0, 2);
    for (const server of hung) server.pause();
    try {
      const lock = await redlock.acquire('r', TTL_MS);
      expect(lock.attempts).toBe(1);
      await lock.release();
    } finally {
      for (const server of hung) server.resume();
    }
    await redlock.quit();
    expect(await holders()).toEqual([null, null, null, null, null]);
  });

  it('tells a node that hangs for long only of locks that it was asked for, and leaves none of those on it', async () => {
    let laterMs = 0;
    const { clock, ...rest } = systemEnvironment;
    const environment = { ...rest, clock: { ...clock, now: () => clock.now() + laterMs } };
    const redlock = redlockOf(here(servers.slice(0, 3)), { environment });
    const refused = new Set<string>();
    redlock.on('node-error', ({ command, error }) => {
      if (error.message.includes('has not answered anything')) refused.add(command);
    });
    await (await redlock.acquire('warm', 60_000)).release();
    const [hung, log] = [servers[0], direct[0]] as [RedisServer, Redis];
    await log.config('SET', 'slowlog-log-slower-than', 0, 'slowlog-max-len', 100_000);
    hung.pause();
    try {
      const held = await redlock.acquire('held', 60_000);
      laterMs += 10_000;
      while (!refused.has('acquire')) await (await redlock.acquire('noticing', 60_000)).release();
      await (await redlock.acquire('withheld', 60_000)).release();
      await held.release();
    } finally {
      hung.resume();
    }
    await redlock.quit();
    expect([...refused].sort()).toEqual(['acquire', 'release']);
    for (const key of ['lock:held', 'lock:noticing', 'lock:withheld']) expect((await holders(key))[0]).toBeNull();
    // Each: its number, when, how long, and its words.
    const commands = ((await log.slowlog('GET', -1)) as [number, number, number, string[]][]).map(
      ([, , , words]) => words,
    );
    const namesFor = (key: string): (string | undefined)[] =>
      commands.flatMap(([name = '', ...words]) =>
        /^(set|eval)/.test(name) && words.includes(key) ? [name.slice(0, 4)] : [],
      );
    expect(namesFor('lock:held').sort()).toEqual(['eval', 'set']);
    expect(namesFor('lock:withheld')).toEqual([]);
  });

  it('does not take its own busy event loop for servers that are silent', async () => {
    let busyMs = 0;
    const { clock, ...rest } = systemEnvironment;
    const environment = { ...rest, clock: { ...clock, now: () => clock.now() + busyMs } };
    const redlock = redlockOf(here(servers.slice(0, 3)), { environment });
    const lock = await redlock.acquire('r', 60_000);
    const underWay = redlock.acquire('under way', 60_000);
    busyMs += 10_000;
    const extension = lock.extend(60_000);
    const another = redlock.acquire('another', 60_000);
    expect(await extension).toBe(lock);
    for (const other of [await underWay, await another]) await other.release();
    const onceMore = redlock.acquire('once more', 60_000);
    busyMs += 10_000;
    await lock.release();
    await (await onceMore).release();
    await redlock.quit();
    expect((await holders()).slice(0, 3)).toEqual([null, null, null]);
  });

  it('tells why too few nodes answered', async () => {
    const dead = { host: '127.0.0.1', port: await freePort() };
    const deader = { host: '127.0.0.1', port: await freePort() };
    const redlock = redlockOf([...here(servers.slice(0, 1)), dead, deader]);
    const error: unknown = await redlock.acquire('r', TTL_MS).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(UnreachableError);
    expect(String(error)).toMatch(/2 failed.*; 127\.0\.0\.1:\d+: no connection: connect ECONNREFUSED/);
  });

  it('survives the loss of a minority of its servers while a lock is held', async () => {
    const three = await startRedisServers(3);
    const redlock = redlockOf(here(three));
    const lock = await redlock.acquire('r', TTL_MS);
    await three[0]?.kill();
    await lock.extend(TTL_MS);
    await lock.release();
    await (await redlock.acquire('r', TTL_MS)).release();
    await redlock.quit();
    for (const server of three) await server[Symbol.asyncDispose]();
  });

  describe('when it is closed', () => {
    it('closes its own connections, and by quit those handed over too', async () => {
      const [own] = here(servers);
      const handedOver = servers.slice(1, 3).map(({ port }) => new Redis(port, '127.0.0.1'));
      const closing = redlockOf([own as { port: number }, ...handedOver]);
      const lock = await closing.acquire('r', TTL_MS);
      await closing.close();
      expect(await handedOver[0]?.ping()).toBe('PONG');
      // Two of three nodes can still be told.
      await lock.release();
      await expect(closing.acquire('r', TTL_MS)).rejects.toMatchObject({ code: 'aborted' });
      await closing.quit();
      for (const client of handedOver) if (client.status !== 'end') await once(client, 'end');
      expect(handedOver.map(({ status }) => status)).toEqual(['end', 'end']);
    });

    it('answers a release or an extension at once', async () => {
      const redlock = redlockOf(here(servers.slice(0, 3)));
      const lock = await redlock.acquire('r', TTL_MS);
      await redlock.quit();
      await expect(lock.extend(TTL_MS)).rejects.toMatchObject({ code: 'aborted' });
      const error: unknown = await lock.release().catch((reason: unknown) => reason);
      expect(error).toBeInstanceOf(AbortedError);
      expect(String(error)).toMatch(
        /The Redlock was closed before it released the lock on "r".*\(0 of 3 released, 2 failed, 1 not awaited; .*the connection was closed by quit\(\) or close\(\)\)/,
      );
    });

    it('resolves even if the servers are down or were never there', async () => {
      const redlock = redlockOf([{ port: await freePort() }, { host: '127.0.0.1', port: await freePort() }]);
      await redlock.quit();
      await redlock.quit();
    });

    it('lets the process end by itself', async () => {
      const program = `
        import { Redlock } from './src/index.ts';
        const redlock = new Redlock(${JSON.stringify([...here(servers.slice(0, 3)), { port: await freePort() }])});
        const lock = await redlock.acquire('of a process', 10_000);
        await lock.release();
        const busy = await redlock.acquire('of a process', 10_000);
        const waiting = redlock.acquire('of a process', 10_000, { retryCount: -1 });
        await busy.release();
        await (await waiting).release();
        await redlock.quit();
      `;
      const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '--eval', program], {
        cwd: new URL('..', import.meta.url).pathname,
        stdio: ['ignore', 'inherit', 'inherit'],
      });
      expect(await once(child, 'exit')).toEqual([0, null]);
    });
  });

  it('connects a lazy client that was handed over, and does without it when its server is down', async () => {
    const options = { host: '127.0.0.1', port: await freePort(), lazyConnect: true, retryStrategy: () => null };
    const broken = new Redis(options);
    const redlock = redlockOf([...here(servers.slice(0, 2)), broken]);
    await (await redlock.acquire('r', TTL_MS)).release();
    if (broken.status !== 'end') await once(broken, 'end');
    await (await redlock.acquire('r', TTL_MS)).release();
  });
});

describe.skipIf(!hasRedisServer)(`Redlock on a Redis Cluster (${NEEDS_REDIS_SERVER})`, () => {
  let servers: RedisServer[];
  beforeAll(async () => {
    servers = await startRedisCluster();
  });
  afterAll(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
  });

  it.each(['', 'app:', '{app}:'])('acquires, extends and releases with the key prefix "%s"', async (keyPrefix) => {
    const cluster = new Cluster(here(servers), { keyPrefix });
    const redlock = redlockOf([cluster], { fencing: true });
    for (const resource of ['a', 'b', '{c}', 'd', 'e', 'f']) {
      const lock = await redlock.acquire(resource, TTL_MS);
      expect(lock.token).toBeGreaterThan(0);
      await lock.extend(2 * TTL_MS);
      await expect(redlock.acquire(resource, TTL_MS)).rejects.toBeInstanceOf(ContendedError);
      await lock.release();
    }
  });

  it('tells a lock of its own that it is asked for again from that of another client', async () => {
    const redlock = redlockOf([new Cluster(here(servers), { lazyConnect: true })]);
    const lock = await redlock.acquire('r', TTL_MS);
    await expect(redlock.acquire('r', TTL_MS)).rejects.toBeInstanceOf(ContendedError);
    expect((await redlock.acquire('r', TTL_MS, { lockValue: lock.value })).value).toBe(lock.value);
    await lock.release();
  });
});
