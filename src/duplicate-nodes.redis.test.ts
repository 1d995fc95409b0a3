import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster, Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis-5';
import { afterEach, describe, expect, it } from 'vitest';
import {
  hasRedisServer,
  NEEDS_REDIS_SERVER,
  startRedisCluster,
  startRedisServer,
  startRedisServers,
} from '../test/redis-server.ts';
import { TcpProxy } from '../test/tcp-proxy.ts';
import { DuplicateNodeError } from './errors.ts';
import type { RedlockClient } from './nodes.ts';
import type { RedlockOptions } from './options.ts';
import { Redlock } from './redlock.ts';
import { systemEnvironment } from './system-environment.ts';

const TTL_MS = 60_000;

const SILENT = { channel: () => ({ hasSubscribers: false, publish: () => undefined }), warn: () => undefined };

const cleanUps: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  // Last things first: clients before their servers.
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function own<Thing extends AsyncDisposable>(thing: Thing): Thing {
  cleanUps.push(async () => {
    await thing[Symbol.asyncDispose]();
  });
  return thing;
}

function redlockOf(clients: readonly RedlockClient[], options: RedlockOptions = {}): Redlock {
  const redlock = new Redlock(clients, { retryCount: 0, nodeTimeout: 5000, ...options });
  cleanUps.push(() => redlock.quit());
  return redlock;
}

async function duplicatesOf(promise: Promise<unknown>): Promise<readonly string[]> {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  if (!(error instanceof DuplicateNodeError)) throw new Error(`no duplicates were told of: ${String(error)}`);
  expect(error.code).toBe('duplicate-node');
  for (const node of error.nodes) expect(error.message).toContain(node);
  return error.nodes;
}

describe.skipIf(!hasRedisServer)(`two nodes that are one server (${NEEDS_REDIS_SERVER})`, () => {
  describe.each<[string, (options: { port: number } | { path: string }) => RedlockClient]>([
    ['options', (options) => options],
    ['clients of ioredis 6', (options) => new Redis(options)],
    ['clients of ioredis 5', (options) => new Redis5(options) as unknown as Redis],
    ['clients without ready check', (options) => new Redis({ ...options, enableReadyCheck: false })],
  ])('by %s', (_way, connect) => {
    it.each<[string, RedlockOptions, object]>([
      ['', {}, {}],
      [' with fencing', { fencing: true }, {}],
      [' with a value of the caller', {}, { lockValue: 'mine' }],
      [' with the restart guard', { restartGuard: { longestTtl: TTL_MS } }, {}],
    ])('are no quorum%s, and acquire says which they are', async (_what, options, acquireOptions) => {
      const path = join(tmpdir(), `distrilock-${process.pid}.sock`);
      const { port } = own(await startRedisServer('--unixsocket', path));
      const direct = new Redis(port, '127.0.0.1');
      cleanUps.push(() => direct.quit());
      const redlock = redlockOf([connect({ port }), connect({ path })], { retryCount: 100, ...options });
      for (let count = 0; count < 2; count += 1) {
        const nodes = await duplicatesOf(redlock.acquire('r', TTL_MS, acquireOptions));
        expect([...nodes].sort()).toEqual([path, `localhost:${port}`]);
      }
      await redlock.quit();
      expect(await direct.exists('lock:r')).toBe(0);
    });
  });

  it('are found when a connection comes to lead to another server, keep locks with one vote, and are forgiven when it leads back', async () => {
    const servers = (await startRedisServers(3)).map(own);
    const [first, second, third] = servers.map(({ port }) => port) as [number, number, number];
    const proxy = own(await TcpProxy.to(second));
    const client = new Redis({ host: '127.0.0.1', port: proxy.port, retryStrategy: () => 5 });
    client.on('error', () => undefined);
    const redlock = redlockOf([{ port: first }, client, { port: third }]);
    const failures: string[] = [];
    redlock.on('node-error', ({ node, error }) => failures.push(`${node}: ${error.message}`));
    const lock = await redlock.acquire('r', TTL_MS);
    let ready = readyAgain(client);
    proxy.leadTo(first);
    await ready;
    // What had been asked before the server was known tells nothing: this waits for it.
    expect(await duplicatesOf(untilRejected(() => redlock.acquire('other', TTL_MS)))).toEqual([
      `localhost:${first}`,
      `127.0.0.1:${proxy.port}`,
    ]);
    await lock.extend(2 * TTL_MS);
    const refusal = expect.stringContaining(`this is the same server as localhost:${first}`) as string;
    await expect.poll(() => failures).toContainEqual(refusal);
    await servers[2]?.kill();
    // The one server that is left has one vote.
    await expect(lock.extend(TTL_MS)).rejects.toMatchObject({ code: 'unreachable' });
    await servers[2]?.start();
    ready = readyAgain(client);
    proxy.leadTo(second);
    await ready;
    const again = await redlock.acquire('another', TTL_MS, { retryCount: 500, retryDelay: 10 });
    await again.release();
  });

  it('may be one cluster that is handed over twice', async () => {
    const servers = (await startRedisCluster()).map(own);
    const clusters = servers.slice(0, 2).map(({ port }) => new Cluster([{ host: '127.0.0.1', port }]));
    const redlock = redlockOf(clusters);
    const names = servers.slice(0, 2).map(({ port }) => `cluster of 127.0.0.1:${port}`);
    expect([...(await duplicatesOf(redlock.acquire('r', TTL_MS)))].sort()).toEqual(names.sort());
  });

  it.each<[string, RedlockOptions, string | readonly string[], number]>([
    ['', {}, 'r', 1],
    [' with fencing', { fencing: true }, 'r', 1],
    [' on several resources', {}, ['r', 's'], 1],
    [' at once with others', {}, 'r', 3],
    [' with fencing at once with others', { fencing: true }, 'r', 3],
  ])(
    'are no quorum where nobody can tell that they are one, for acquiring%s',
    async (_what, options, resource, count) => {
      const path = join(tmpdir(), `distrilock-untold-${process.pid}.sock`);
      const { port } = own(await startRedisServer('--unixsocket', path));
      const direct = new Redis(port, '127.0.0.1');
      cleanUps.push(() => direct.quit());
      await direct.call('ACL', 'SETUSER', 'narrow', 'on', '>pw', '~*', '+@all', '-info');
      const narrow = { username: 'narrow', password: 'pw', enableReadyCheck: false };
      const redlock = redlockOf([new Redis({ port, ...narrow }), new Redis({ path, ...narrow })], {
        environment: { ...systemEnvironment, diagnostics: SILENT },
        ...options,
      });
      const resources = Array.from({ length: count }, (_, place) =>
        typeof resource === 'string' ? `${resource}${place}` : resource,
      );
      const outcomes = await Promise.allSettled(resources.map((each) => redlock.acquire(each, TTL_MS)));
      for (const outcome of outcomes) expect(outcome).toMatchObject({ reason: { code: 'contended' } });
      await redlock.quit();
      const keys = await direct.keys('lock:*');
      expect(keys.filter((key) => !key.endsWith(':fencing-counter'))).toEqual([]);
    },
  );

  it('cannot be told where INFO is not allowed, of which a warning is given once for each node', async () => {
    const servers = (await startRedisServers(2)).map(own);
    const clients = servers.map(({ port }) => {
      return new Redis({ port, username: 'narrow', password: 'pw', enableReadyCheck: false, lazyConnect: true });
    });
    for (const { port } of servers) {
      const admin = new Redis(port, '127.0.0.1');
      await admin.call('ACL', 'SETUSER', 'narrow', 'on', '>pw', '~*', '+@all', '-info');
      await admin.quit();
    }
    const warnings: string[] = [];
    const diagnostics = {
      channel: () => ({ hasSubscribers: false, publish: () => undefined }),
      warn: (warning: Error) => void warnings.push(`${warning.name}: ${warning.message}`),
    };
    const redlock = redlockOf(clients, { environment: { ...systemEnvironment, diagnostics } });
    for (let count = 0; count < 3; count += 1) await (await redlock.acquire('r', TTL_MS)).release();
    expect(warnings).toHaveLength(2);
    for (const { port } of servers) {
      const wanted = `DistrilockWarning: localhost:${port} does not tell which server it is \\(NOPERM .*let this user run info$`;
      expect(warnings.filter((warning) => new RegExp(wanted).test(warning))).toHaveLength(1);
    }
  });
});

/** Not `once` of Node, which rejects when the client tells of an error before. */
function readyAgain(client: Redis): Promise<void> {
  return new Promise((resolve) => {
    client.once('ready', resolve);
  });
}

/** Acquires until that is refused for good: a connection may still be being made. */
async function untilRejected(acquire: () => Promise<{ release(): Promise<void> }>): Promise<void> {
  for (;;) await (await acquire()).release();
}
