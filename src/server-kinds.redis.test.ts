import { once } from 'node:events';
import { Cluster, Redis } from 'ioredis';
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis-5';
import { afterEach, describe, expect, it } from 'vitest';
import { hasRedisServer, NEEDS_REDIS_SERVER, type RedisServer, startRedisServer } from '../test/redis-server.ts';
import { LockError } from './errors.ts';
import type { RedlockClient } from './nodes.ts';
import type { RedlockOptions } from './options.ts';
import { Redlock } from './redlock.ts';

const TTL_MS = 10_000;

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  // In the order in which things were made, servers last.
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

async function start(...args: readonly string[]): Promise<RedisServer> {
  const server = await startRedisServer(...args);
  cleanUps.push(() => server[Symbol.asyncDispose]());
  return server;
}

function redlockOf(clients: readonly RedlockClient[], options: RedlockOptions = {}): Redlock {
  const redlock = new Redlock(clients, { retryCount: 0, nodeTimeout: 2000, ...options });
  cleanUps.push(() => redlock.quit());
  return redlock;
}

async function refusalOf(promise: Promise<unknown>): Promise<LockError> {
  const error: unknown = await promise.then(
    () => 'no error',
    (reason: unknown) => reason,
  );
  if (!(error instanceof LockError)) throw new Error(`it was not refused: ${String(error)}`);
  return error;
}

const WAYS: [string, (options: { host: string; port: number; maxLoadingRetryTime?: number }) => RedlockClient][] = [
  ['options', (options) => options],
  ['a client of ioredis 6', (options) => new Redis(options)],
  ['a client of ioredis 5', (options) => new Redis5(options) as unknown as Redis],
  [
    'a client that does not look whether the server is ready',
    (options) => new Redis({ ...options, enableReadyCheck: false }),
  ],
];

describe.skipIf(!hasRedisServer)(`a server that is no independent master (${NEEDS_REDIS_SERVER})`, () => {
  describe.each(WAYS)('behind %s', (way, connect) => {
    it('is refused by name if it is a Sentinel', async () => {
      const { port } = await start('--sentinel');
      const redlock = redlockOf([connect({ host: '127.0.0.1', port })]);
      for (let count = 0; count < 2; count += 1) {
        const error = await refusalOf(redlock.acquire('r', TTL_MS));
        expect(error.code).toBe('unreachable');
        expect(error.message).toMatch(
          new RegExp(`127\\.0\\.0\\.1:${port}: this is a Sentinel, .* write \\{ sentinels: \\[.*\\], name \\}`),
        );
      }
    });

    it('is refused by name if it belongs to a cluster', async () => {
      const { port } = await start('--cluster-enabled', 'yes');
      const redlock = redlockOf([connect({ host: '127.0.0.1', port })]);
      const error = await refusalOf(redlock.acquire('r', TTL_MS));
      expect(error.message).toMatch(/this is a server of a Redis Cluster: hand over new Cluster\(/);
    });

    it('is refused by name if it is a replica, even one that can be written to, until it is promoted', async () => {
      const primary = await start();
      const replica = await start('--replicaof', '127.0.0.1', `${primary.port}`, '--replica-read-only', 'no');
      const admin = new Redis(replica.port, '127.0.0.1');
      cleanUps.push(() => admin.quit());
      const redlock = redlockOf([connect({ host: '127.0.0.1', port: replica.port })]);
      for (let count = 0; count < 2; count += 1) {
        const error = await refusalOf(redlock.acquire('r', TTL_MS));
        expect(error.message).toContain(`this is a replica of ${primary.id}, and locks need independent masters`);
        expect(await admin.exists('lock:r')).toBe(0);
      }
      await admin.replicaof('NO', 'ONE');
      // This one asks again, on the connection that is there.
      await refusalOf(redlock.acquire('r', TTL_MS));
      const lock = await redlock.acquire('r', TTL_MS, { retryCount: 50, retryDelay: 10 });
      await lock.release();
    });

    it('is refused by name while it reads its data, at once, and votes when it has', async () => {
      const server = await start('--rdbcompression', 'no');
      const admin = new Redis({
        host: '127.0.0.1',
        port: server.port,
        enableReadyCheck: false,
        retryStrategy: () => 5,
      });
      admin.on('error', () => undefined);
      cleanUps.push(() => admin.quit());
      // It serves others after each kibibyte that it has read, and takes 20 ms for each key.
      for (let key = 0; key < 1000; key += 1) void admin.set(`key ${key}`, 'x'.repeat(1024));
      await admin.call('SAVE');
      const again = new Promise<void>((resolve) => {
        admin.once('close', () => admin.once('ready', resolve));
      });
      await server.kill();
      const started = server.start('--key-load-delay', '20000', '--loading-process-events-interval-bytes', '1024');
      await again;
      // Handed over, ioredis would ask again only after 10 seconds, which it takes from the server's own estimate.
      const patience = way === 'options' ? {} : { maxLoadingRetryTime: 100 };
      const client = connect({ host: '127.0.0.1', port: server.port, ...patience });
      const redlock = redlockOf([client], { nodeTimeout: 10_000 });
      const error = await refusalOf(redlock.acquire('r', 30_000));
      expect(error.message).toMatch(/LOADING .*still reading its data/);
      await admin.config('SET', 'key-load-delay', '0');
      await started;
      const lock = await redlock.acquire('r', 30_000, { retryCount: 500, retryDelay: 10 });
      await lock.release();
    });
  });

  it.each<[string, (port: number) => Cluster]>([
    ['ioredis 6', (port) => new Cluster([{ host: '127.0.0.1', port }])],
    ['ioredis 5', (port) => new Cluster5([{ host: '127.0.0.1', port }]) as unknown as Cluster],
  ])('is refused by name if it belongs to no cluster, but is handed over as one by %s', async (_version, connect) => {
    const { port } = await start();
    const cluster = connect(port);
    cluster.on('error', () => undefined);
    const redlock = redlockOf([cluster]);
    const error = await refusalOf(redlock.acquire('r', TTL_MS));
    expect(error.message).toMatch(/cluster support disabled \(hand over one new Redis\(…\) of ioredis for each/);
  });

  it('gets no vote by a connection that knew it as a master', async () => {
    const primary = await start();
    const server = await start();
    const client = new Redis(server.port, '127.0.0.1');
    const redlock = redlockOf([client]);
    await (await redlock.acquire('r', TTL_MS)).release();
    await client.replicaof('127.0.0.1', primary.port);
    expect((await refusalOf(redlock.acquire('r', TTL_MS))).message).toMatch(/READONLY .*\(this is a replica/);
    const closed = once(client, 'close');
    await client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'no').catch(() => undefined);
    await closed;
    const error = await refusalOf(redlock.acquire('r', TTL_MS));
    expect(error.message).toContain(`this is a replica of ${primary.id}`);
  });
});
