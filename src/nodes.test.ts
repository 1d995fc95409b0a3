import { Cluster, Redis, type RedisOptions } from 'ioredis';
import { Redis as Redis5 } from 'ioredis-5';
import { createClient, createClientPool, createCluster, createSentinel } from 'redis';
import { afterEach, describe, expect, it } from 'vitest';
import { InvalidOptionError } from './errors.ts';
import type { LockNode } from './lock-node.ts';
import { nodesFrom, type RedlockClient } from './nodes.ts';
import { reconnectDelayMs } from './own-client.ts';
import { systemEnvironment } from './system-environment.ts';

const opened: LockNode[] = [];
afterEach(async () => {
  for (const node of opened.splice(0)) await node.connection?.quit();
});

function idsOf(...clients: RedlockClient[]): string[] {
  const nodes = nodesFrom(clients, systemEnvironment);
  opened.push(...nodes);
  return nodes.map(({ id }) => id);
}

function lazy(options: { host?: string; port?: number; path?: string } = {}): Redis {
  return new Redis({ ...options, lazyConnect: true });
}

const fake: LockNode = { id: 'fake', execute: () => undefined };

describe('the nodes of clients', () => {
  it('are named by where they are', () => {
    expect(
      idsOf(
        { lazyConnect: true },
        { host: 'Redis.example', port: 7001, lazyConnect: true },
        { path: '/tmp/redis.sock', lazyConnect: true },
        { path: '/tmp/Redis.sock', lazyConnect: true },
        lazy({ host: '10.0.0.1', port: 7002 }),
        { sentinels: [{ host: 's1', port: 26_379 }, { host: 's2' }], name: 'm', lazyConnect: true },
        new Cluster([{ host: 'c1', port: 7003 }, 7004, 'redis://c2:7005'], { lazyConnect: true }),
        fake,
      ),
    ).toEqual([
      'localhost:6379',
      'Redis.example:7001',
      '/tmp/redis.sock',
      '/tmp/Redis.sock',
      '10.0.0.1:7002',
      'm@s1:26379,s2:6379',
      'cluster of c1:7003,127.0.0.1:7004,redis://c2:7005',
      'fake',
    ]);
  });

  it('take over a LockNode as it is, and own the connections that they open', () => {
    const handedOver = lazy({ port: 7001 });
    const nodes = nodesFrom([fake, handedOver, { port: 7002, lazyConnect: true }], systemEnvironment);
    opened.push(...nodes);
    expect(nodes[0]).toBe(fake);
    expect(nodes.map((node) => node.connection?.owned)).toEqual([undefined, false, true]);
  });

  it('accept a port that is text, as ioredis does', () => {
    expect(idsOf({ port: '7001' as unknown as number, lazyConnect: true })).toEqual(['localhost:7001']);
  });

  const twice = lazy({ port: 7001 });
  it.each<[string, RedlockClient[]]>([
    ['the same client', [twice, twice]],
    ['two clients of one server', [lazy({ port: 7001 }), lazy({ port: 7001 })]],
    ['a client and options of one server', [lazy({ port: 7001 }), { port: 7001 }]],
    [
      'two databases of one server',
      [
        { port: 7001, db: 0 },
        { port: 7001, db: 1 },
      ],
    ],
    [
      'two names of this machine',
      [
        { host: 'LOCALHOST', port: 7001 },
        { host: '127.0.0.1', port: 7001 },
      ],
    ],
    ['one host in two spellings', [{ host: 'a.example' }, { host: 'A.example', port: 6379 }]],
    ['one socket', [{ path: '/tmp/a' }, { path: '/tmp/a' }]],
    ['one id', [fake, { id: 'fake', execute: () => undefined }]],
    [
      'the id of a LockNode and a server',
      [
        { id: 'a:1', execute: () => undefined },
        { host: 'a', port: 1 },
      ],
    ],
  ])('must not be the same twice: %s', (_what, clients) => {
    expect(() => nodesFrom(clients, systemEnvironment)).toThrow(InvalidOptionError);
    expect(() => nodesFrom(clients, systemEnvironment)).toThrow(
      /^clients\[1\] is the same node as clients\[0\] \(.*two votes/,
    );
  });

  class Socket {
    readonly host = 'a';
  }
  it.each<[string, unknown, RegExp]>([
    ['a URL', 'redis://a:7001', /must not be a string: write new Redis\("redis:\/\/a:7001"\)/],
    ['a port', 7001, /must not be a number: write { host: 'localhost', port: 7001 }/],
    ['nothing', undefined, /not undefined/],
    ['null', null, /not null/],
    ['a function', () => undefined, /not function/],
    ['an array', [{ port: 7001 }], /not an array: a Redis Cluster is handed over as new Cluster/],
    ['a promise', Promise.resolve(), /is a promise: await it/],
    ['a client of node-redis', createClient(), /node-redis: make one with new Redis\(.*package 'ioredis'/],
    ['a pool of node-redis', createClientPool(), /node-redis.*package 'ioredis'/],
    ['a cluster of node-redis', createCluster({ rootNodes: [{ url: 'redis://a:1' }] }), /node-redis.*'ioredis'/],
    ['a Sentinel client of node-redis', createSentinel({ name: 'm', sentinelRootNodes: [] }), /node-redis.*'ioredis'/],
    ['a client of node-redis with callbacks', createClient().legacy(), /node-redis.*package 'ioredis'/],
    [
      'Sentinels that are to name a replica',
      { sentinels: [{ host: 's' }], name: 'm', role: 'slave' },
      /leave `role` out/,
    ],
    [
      'a client of a replica',
      new Redis({ sentinels: [{ host: 's' }], name: 'm', role: 'slave', lazyConnect: true }),
      /the `role` 'slave'/,
    ],
    ['options of node-redis', { socket: { host: 'a' } }, /`socket`, which are options of node-redis/],
    ['options with a URL', { url: 'redis://a' }, /`url`.*new Redis\(url\)/],
    ['half a LockNode', { execute: () => undefined }, /has `execute`, but no `id`/],
    ['some other object', new Socket(), /is a Socket/],
    ['a pipeline', lazy({ port: 7009 }).pipeline(), /Pipeline|ioredis/],
    ['a host that is no text', { host: 1 }, /has a host that is no string, but number/],
    ['a path that is no text', { path: 1 }, /has a path that is no string, but number/],
    ['a port that is none', { port: 70_000 }, /has the port 70000: it must be a whole number from 1 to 65535/],
    ['a port that is no number', { port: 'redis' }, /has the port redis/],
    [
      'no place, but a slip',
      { hots: 'a.example' },
      /has `hots`, which is no option of ioredis, and nothing that says where/,
    ],
    ['no place, but a slip among options', { password: 'secret', prot: 7001 }, /has `prot`, which is no option/],
    ['what every object has', { toString: 'a' }, /has `toString`, which is no option/],
    ['Sentinels without a name', { sentinels: [{ host: 's1' }] }, /no `name` of the master/],
  ])('are made of ioredis clients, options and LockNodes, not of %s', (_what, client, message) => {
    const clients = [fake, client] as RedlockClient[];
    expect(() => nodesFrom(clients, systemEnvironment)).toThrow(InvalidOptionError);
    expect(() => nodesFrom(clients, systemEnvironment)).toThrow(/^clients\[1\] /);
    expect(() => nodesFrom(clients, systemEnvironment)).toThrow(message);
  });

  it('may have options that only a newer ioredis knows, beside the place of the server', () => {
    expect(idsOf({ host: 'a.example', lazyConnect: true, novelty: 1 } as RedlockClient)).toEqual(['a.example:6379']);
  });

  it.each([Redis, Redis5])('may have every option that ioredis gives a default', (client) => {
    const { defaultOptions } = client as unknown as { defaultOptions: object };
    const { host, port, sentinels, ...options } = defaultOptions as RedisOptions;
    expect([host, port, sentinels]).toEqual(['localhost', 6379, null]);
    expect(idsOf({ ...options, lazyConnect: true })).toEqual(['localhost:6379']);
    expect(() => idsOf({ ...options, prot: 7001 } as RedlockClient)).toThrow(/has `prot`/);
  });

  it('are the default server when there is nothing to say about it', async () => {
    const [node] = nodesFrom([{}], systemEnvironment);
    expect(node?.id).toBe('localhost:6379');
    await node?.connection?.quit();
  });

  it('do not repeat the password of a URL in a message', () => {
    expect(() => nodesFrom(['redis://user:sec/r@t@a:7001' as never], systemEnvironment)).toThrow(
      /new Redis\("redis:\/\/…@a:7001"\)/,
    );
  });

  it('must be some', () => {
    expect(() => nodesFrom([], systemEnvironment)).toThrow(/^clients must not be empty/);
    expect(() => nodesFrom({ port: 7001 } as never, systemEnvironment)).toThrow(/^clients must be an array/);
  });

  it('may be no cluster where the restart guard is to know each server', () => {
    const cluster = new Cluster(['c1:7003'], { lazyConnect: true });
    expect(() => nodesFrom([{ port: 7001, lazyConnect: true }, cluster], systemEnvironment, true)).toThrow(
      'clients[1] is a Redis Cluster, whose servers restart one by one: restartGuard needs a client for each master',
    );
  });

  it('may not have holes', () => {
    const clients = [fake];
    clients.length = 2;
    expect(() => nodesFrom(clients, systemEnvironment)).toThrow(/^clients\[1\] .*not undefined/);
  });
});

describe('the delay before it connects again', () => {
  it('doubles up to a second, less up to a half at random', () => {
    expect([1, 2, 3, 5, 6, 60].map((attempts) => reconnectDelayMs(attempts, 0))).toEqual([
      50, 100, 200, 800, 1000, 1000,
    ]);
    expect(reconnectDelayMs(1, 0.5)).toBe(37.5);
  });
});
