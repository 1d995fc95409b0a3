import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { Cluster as Cluster5, Redis as Redis5 } from 'ioredis-5';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import {
  freePort,
  hasRedisServer,
  NEEDS_REDIS_SERVER,
  type RedisServer,
  startRedisCluster,
  startRedisServer,
  startRedisServers,
} from '../test/redis-server.ts';
import { LockError } from './errors.ts';
import type { RedlockClient } from './nodes.ts';
import type { RedlockOptions } from './options.ts';
import { Redlock } from './redlock.ts';

const TTL_MS = 60_000;
const HOST = '127.0.0.1';

const WAYS: [string, (options: RedisOptions) => RedlockClient][] = [
  ['options', (options) => options],
  ['a client of ioredis 6', (options) => quiet(new Redis(options as { port: number }))],
  ['a client of ioredis 5', (options) => quiet(new Redis5(options as { port: number }) as unknown as Redis)],
];

/** Without a listener ioredis prints the errors of its connection. */
function quiet(client: Redis): Redis {
  client.on('error', () => undefined);
  return client;
}

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  // Last things first: clients before their servers.
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

function redlockOf(clients: readonly RedlockClient[], options: RedlockOptions = {}): Redlock {
  const redlock = new Redlock(clients, { retryCount: 0, nodeTimeout: 5000, ...options });
  cleanUps.push(() => redlock.quit());
  return redlock;
}

function direct(port: number): Redis {
  const client = quiet(new Redis(port, HOST));
  cleanUps.push(() => client.disconnect());
  return client;
}

async function messageOf(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  if (!(error instanceof LockError)) throw new Error(`it was not refused: ${String(error)}`);
  return error.message;
}

describe.skipIf(!hasRedisServer)(`Redlock over Sentinel (${NEEDS_REDIS_SERVER})`, () => {
  async function start(...args: readonly string[]): Promise<RedisServer> {
    const server = await startRedisServer(...args);
    cleanUps.push(() => server[Symbol.asyncDispose]());
    return server;
  }

  it.each(WAYS)(
    'locks on the master that it names, and on the promoted one after a failover, by %s',
    async (way, connect) => {
      const primary = await start();
      const replica = await start('--replicaof', HOST, `${primary.port}`);
      const others = await Promise.all([start(), start()]);
      const sentinel = await start('--sentinel');
      const admin = direct(sentinel.port);
      await admin.call('SENTINEL', 'MONITOR', 'locks', HOST, `${primary.port}`, '1');
      const sentinels = [{ host: HOST, port: sentinel.port }];
      const detector = way === 'options' ? {} : { failoverDetector: true };
      const redlock = redlockOf([
        connect({ sentinels, name: 'locks', ...detector }),
        ...others.map(({ port }) => ({ port })),
      ]);
      const lock = await redlock.acquire('r', TTL_MS);

      const [listener, promoted] = [direct(sentinel.port), direct(replica.port)];
      await listener.subscribe('+switch-master');
      const switched = new Promise((resolve) => listener.once('message', resolve));
      // Sentinel first has to hear of the replica, and to find it in order.
      while ((await admin.call('SENTINEL', 'FAILOVER', 'locks').catch(() => null)) !== 'OK') await admin.ping();
      await switched;

      await lock.extend(TTL_MS);
      // No quorum without the node behind Sentinel.
      await direct(others[0].port).set('lock:other', 'somebody', 'PX', TTL_MS);
      const isOnPromoted = async (): Promise<boolean> => {
        const other = await redlock.acquire('other', TTL_MS, { retryCount: 1000, retryDelay: 20 });
        const stored = await promoted.get('lock:other');
        await other.release();
        return stored === other.value;
      };
      // Sentinel tells its listeners one after the other: the connection to the old primary may live on for a moment.
      await expect.poll(isOnPromoted, { timeout: 10_000 }).toBe(true);
      await lock.release();
    },
  );

  it('finds that the master that Sentinel names is a node by its address as well', async () => {
    const primary = await start();
    const sentinel = await start('--sentinel');
    await direct(sentinel.port).call('SENTINEL', 'MONITOR', 'locks', HOST, `${primary.port}`, '1');
    const redlock = redlockOf([
      { sentinels: [{ host: HOST, port: sentinel.port }], name: 'locks' },
      { port: primary.port },
    ]);
    await expect(redlock.acquire('r', TTL_MS)).rejects.toMatchObject({ code: 'duplicate-node' });
  });
});

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

describe.skipIf(!hasRedisServer || !hasOpenssl)(`Redlock over TLS (${NEEDS_REDIS_SERVER} openssl)`, () => {
  let directory: string;
  const servers: { readonly server: RedisServer; readonly tlsPort: number }[] = [];

  function openssl(...args: readonly string[]): void {
    const { status, stderr } = spawnSync('openssl', args, { cwd: directory, encoding: 'utf8' });
    if (status !== 0) throw new Error(`openssl ${args.join(' ')}: ${stderr}`);
  }

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'distrilock-tls-'));
    // One certificate that signed itself, for servers and clients.
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-keyout', 'key.pem'];
    const name = ['-subj', '/CN=distrilock', '-addext', 'subjectAltName=IP:127.0.0.1'];
    openssl('req', '-x509', '-days', '2', '-out', 'cert.pem', ...key, ...name);
    for (let count = 0; count < 3; count += 1) {
      const tlsPort = await freePort();
      const files = ['cert', 'ca-cert', 'key'].flatMap((file) => [
        `--tls-${file}-file`,
        join(directory, file === 'key' ? 'key.pem' : 'cert.pem'),
      ]);
      servers.push({ server: await startRedisServer('--tls-port', `${tlsPort}`, ...files), tlsPort });
    }
  });
  afterAll(async () => {
    for (const { server } of servers) await server[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  it.each(WAYS)('acquires, extends and releases by %s with a certificate of the client', async (_way, connect) => {
    const [cert, key] = ['cert.pem', 'key.pem'].map((file) => readFileSync(join(directory, file), 'utf8'));
    const tls = { ca: cert ?? '', cert: cert ?? '', key: key ?? '' };
    const redlock = redlockOf(
      servers.map(({ tlsPort }) => connect({ host: HOST, port: tlsPort, tls })),
      { fencing: true },
    );
    const lock = await redlock.acquire('r', TTL_MS);
    const stored = await Promise.all(servers.map(({ server }) => direct(server.port).get('lock:r')));
    expect(stored.filter((value) => value === lock.value).length).toBeGreaterThan(1);
    await lock.extend(TTL_MS);
    await lock.release();
  });

  it.each(WAYS)('says by %s that a certificate is not trusted, or missing', async (_way, connect) => {
    const [first] = servers as [(typeof servers)[0]];
    const distrusting = redlockOf([connect({ host: HOST, port: first.tlsPort, tls: {} })]);
    expect(await messageOf(distrusting.acquire('r', TTL_MS))).toMatch(/no connection: self-signed certificate/);
    const ca = readFileSync(join(directory, 'cert.pem'), 'utf8');
    const anonymous = redlockOf([connect({ host: HOST, port: first.tlsPort, tls: { ca } })]);
    expect(await messageOf(anonymous.acquire('r', TTL_MS))).toContain('no connection: ');
  });

  it('finds that a server is two nodes, with TLS and without', async () => {
    const [{ server, tlsPort }] = servers as [(typeof servers)[0]];
    const [ca, key] = ['cert.pem', 'key.pem'].map((file) => readFileSync(join(directory, file), 'utf8')) as [
      string,
      string,
    ];
    const redlock = redlockOf([
      { host: HOST, port: tlsPort, tls: { ca, cert: ca, key } },
      { host: HOST, port: server.port },
    ]);
    await expect(redlock.acquire('r', TTL_MS)).rejects.toMatchObject({ code: 'duplicate-node' });
  });
});

/** As in docs/connections.md. */
const LEAST_RIGHTS = ['set', 'get', 'del', 'pttl', 'pexpire', 'eval', 'evalsha'];

describe.skipIf(!hasRedisServer)(`a user with the least rights (${NEEDS_REDIS_SERVER})`, () => {
  let servers: RedisServer[];
  beforeAll(async () => {
    servers = await startRedisServers(2);
  });
  afterAll(async () => {
    for (const server of servers) await server[Symbol.asyncDispose]();
  });

  /** Lets a user who may do nothing else do these, with these keys, on all servers, and connects as that user. */
  async function clientsWith(
    connect: (options: RedisOptions) => RedlockClient,
    rights: readonly string[],
    keys = ['~lock:*'],
  ): Promise<RedlockClient[]> {
    for (const { port } of servers) {
      const admin = direct(port);
      await admin.flushall();
      const allowed = rights.map((right) => `+${right}`);
      await admin.call('ACL', 'SETUSER', 'locks', 'reset', 'on', '>secret', ...keys, ...allowed);
    }
    return servers.map(({ port }) => {
      const login = { username: 'locks', password: 'secret' };
      // Or ioredis itself would print a warning where INFO is not allowed.
      return connect({ port, ...login, enableReadyCheck: rights.includes('info') });
    });
  }

  /** Everything that locks do, so that each way to send it is taken. */
  async function useLocks(redlock: Redlock): Promise<void> {
    for (let round = 0; round < 2; round += 1) {
      const lock = await redlock.acquire('r', TTL_MS);
      await lock.extend(2 * TTL_MS);
      await lock.release();
    }
    const [one, other] = await Promise.all([redlock.acquire('one', TTL_MS), redlock.acquire('other', TTL_MS)]);
    await Promise.all([one.release(), other.release()]);
    await redlock.using(['several', 'at once'], TTL_MS, () => Promise.resolve());
  }

  it.each(WAYS)('acquires, extends and releases by %s, fencing and restart guard included', async (_way, connect) => {
    const clients = await clientsWith(connect, [...LEAST_RIGHTS, 'info']);
    await useLocks(redlockOf(clients));
    const guarded = redlockOf(await clientsWith(connect, [...LEAST_RIGHTS, 'info']), {
      fencing: true,
      restartGuard: { longestTtl: 2 * TTL_MS },
    });
    await guarded.admitNewNodes('all');
    await useLocks(guarded);
    await expect(guarded.acquire('r', TTL_MS)).resolves.toMatchObject({ token: expect.any(Number) as number });
  });

  it.each(LEAST_RIGHTS)('needs the right to %s', async (right) => {
    const rights = [...LEAST_RIGHTS, 'info'].filter((each) => each !== right);
    const redlock = redlockOf(await clientsWith((options) => options, rights));
    expect(await messageOf(useLocks(redlock))).toMatch(
      /\(let this user run set, evalsha, eval, get, del, pttl and pexpire/,
    );
  });

  it('needs the keys of locks', async () => {
    const redlock = redlockOf(await clientsWith((options) => options, [...LEAST_RIGHTS, 'info'], ['~others:*']));
    expect(await messageOf(useLocks(redlock))).toMatch(/\(let this user run .* on the keys of locks/);
    const elsewhere = redlockOf(await clientsWith((options) => options, [...LEAST_RIGHTS, 'info'], ['~others:*']), {
      keyPrefix: 'others:',
      fencing: true,
    });
    await useLocks(elsewhere);
  });

  it('needs INFO for the restart guard only, and else to find two nodes that are one server', async () => {
    await useLocks(redlockOf(await clientsWith((options) => options, LEAST_RIGHTS)));
    const clients = await clientsWith((options) => options, LEAST_RIGHTS);
    const guarded = redlockOf(clients, { restartGuard: { longestTtl: TTL_MS } });
    expect(await messageOf(guarded.acquire('r', TTL_MS))).toMatch(/NOPERM.*info.*which restartGuard needs/);
  });

  it.each<[string, typeof Cluster]>([
    ['ioredis 6', Cluster],
    ['ioredis 5', Cluster5 as unknown as typeof Cluster],
  ])('needs two questions more on a Redis Cluster, by %s', async (_version, ClusterOfVersion) => {
    const members = await startRedisCluster();
    cleanUps.push(() => Promise.all(members.map((server) => server[Symbol.asyncDispose]())));
    const rights = [...LEAST_RIGHTS, 'info', 'cluster|slots', 'cluster|info'];
    for (const { port } of members) {
      const allowed = rights.map((right) => `+${right}`);
      await direct(port).call('ACL', 'SETUSER', 'locks', 'reset', 'on', '>secret', '~lock:*', ...allowed);
    }
    const cluster = new ClusterOfVersion(
      members.map(({ port }) => ({ host: HOST, port })),
      { redisOptions: { username: 'locks', password: 'secret' } },
    );
    const redlock = redlockOf([cluster], { fencing: true });
    for (const resource of ['a', 'b', 'c', 'd', 'e', 'f']) {
      for (let round = 0; round < 2; round += 1) {
        const lock = await redlock.acquire(resource, TTL_MS);
        await lock.extend(2 * TTL_MS);
        await lock.release();
      }
    }
  });
});
