import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { Redis, type RedisOptions } from 'ioredis';
import { Redis as Redis5 } from 'ioredis-5';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hasRedisServer, NEEDS_REDIS_SERVER, type RedisServer, startRedisServer } from '../test/redis-server.ts';
import { TcpProxy } from '../test/tcp-proxy.ts';
import type { IoredisClient } from './ioredis-client.ts';
import { IoredisNode } from './ioredis-node.ts';
import type { AcquireCommand, LockCommand, LockReply } from './lock-node.ts';
import { connectTo } from './own-client.ts';
import { systemEnvironment } from './system-environment.ts';

const TTL_MS = 10_000;
const TIMEOUT_MS = 5000;

function acquireOf(value: string, more: Partial<AcquireCommand> = {}): AcquireCommand {
  const plain = { kind: 'acquire', key: 'lock:r', value, ttlMs: TTL_MS, timeoutMs: TIMEOUT_MS } as const;
  return { ...plain, fresh: true, tokenHint: null, guard: null, ...more };
}

function releaseOf(value: string, key = 'lock:r'): LockCommand {
  return { kind: 'release', key, value, timeoutMs: TIMEOUT_MS };
}

function extendOf(value: string, ttlMs: number): LockCommand {
  return { kind: 'extend', key: 'lock:r', value, ttlMs, timeoutMs: TIMEOUT_MS };
}

function commitOf(value: string, token: number): LockCommand {
  return { kind: 'commit', key: 'lock:r', value, token, timeoutMs: TIMEOUT_MS };
}

const inspect: LockCommand = { kind: 'inspect', key: 'lock:r', timeoutMs: TIMEOUT_MS };

/** Runs one command; rejects if the node answers within the call, or twice. */
function ask(node: IoredisNode, command: LockCommand): Promise<LockReply> {
  return new Promise((resolve, reject) => {
    let isWithinCall = true;
    let answers = 0;
    node.execute(command, (reply) => {
      answers += 1;
      if (isWithinCall) reject(new Error('answered within the call'));
      if (answers > 1) reject(new Error('answered twice'));
      resolve(reply);
    });
    isWithinCall = false;
  });
}

/** Commands leave at the end of the tick in which they are given. */
async function endOfTick(): Promise<void> {
  await Promise.resolve();
}

async function failureOf(node: IoredisNode, command: LockCommand): Promise<{ message: string; sent: boolean }> {
  const reply = await ask(node, command);
  if (reply.kind !== 'failed') throw new Error(`the command was answered: ${JSON.stringify(reply)}`);
  return { message: reply.error.message, sent: reply.sent };
}

const rejections: unknown[] = [];
const noteRejection = (reason: unknown): void => void rejections.push(reason);

beforeAll(() => void process.on('unhandledRejection', noteRejection));
afterAll(() => {
  process.off('unhandledRejection', noteRejection);
  expect(rejections).toEqual([]);
});

describe.skipIf(!hasRedisServer)(`a node over ioredis (${NEEDS_REDIS_SERVER})`, () => {
  let server: RedisServer;
  /** What the tests look at the server with, and change it by. */
  let direct: Redis;
  const nodes: IoredisNode[] = [];

  beforeAll(async () => {
    server = await startRedisServer();
    direct = new Redis(server.port, '127.0.0.1');
  });
  afterAll(async () => {
    direct.disconnect();
    await server[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await direct.flushall();
    await direct.script('FLUSH');
  });
  afterEach(async () => {
    await Promise.all(nodes.splice(0).map((node) => node.connection.quit()));
  });

  function nodeOf(client: IoredisClient, owned = false): IoredisNode {
    const node = new IoredisNode('the node', client, { owned, environment: systemEnvironment });
    nodes.push(node);
    return node;
  }

  describe.each([
    ['ioredis 6', (options: RedisOptions): IoredisClient => new Redis(options as { port: number })],
    ['ioredis 5', (options: RedisOptions): IoredisClient => new Redis5(options as { port: number })],
  ])('with %s', (_version, connect) => {
    function here(options: RedisOptions = {}): IoredisClient {
      return connect({ host: '127.0.0.1', port: server.port, ...options });
    }

    it('grants a free lock, stores it with its time to live, and refuses it to others', async () => {
      const node = nodeOf(here());
      expect(await ask(node, acquireOf('a'))).toEqual({ kind: 'granted', token: null });
      expect(await direct.get('lock:r')).toBe('a');
      const remainingMs = await direct.pttl('lock:r');
      expect(remainingMs).toBeGreaterThan(TTL_MS - 1000);
      expect(remainingMs).toBeLessThanOrEqual(TTL_MS);
      expect(await ask(node, acquireOf('b'))).toEqual({ kind: 'held' });
      expect(await direct.get('lock:r')).toBe('a');
    });

    it('grants a value again that is not fresh, and lets it live as long as was asked', async () => {
      const node = nodeOf(here());
      await direct.set('lock:r', 'a', 'PX', TTL_MS / 2);
      expect(await ask(node, acquireOf('a', { fresh: false }))).toEqual({ kind: 'granted', token: null });
      expect(await direct.pttl('lock:r')).toBeGreaterThan(TTL_MS - 1000);
      expect(await ask(node, acquireOf('b', { fresh: false }))).toEqual({ kind: 'held' });
    });

    it('releases and extends only what holds the value', async () => {
      const node = nodeOf(here());
      await direct.set('lock:r', 'a', 'PX', 1000);
      expect(await ask(node, releaseOf('b'))).toEqual({ kind: 'absent' });
      expect(await ask(node, extendOf('b', TTL_MS))).toEqual({ kind: 'absent' });
      expect(await direct.pttl('lock:r')).toBeLessThanOrEqual(1000);
      expect(await ask(node, extendOf('a', TTL_MS))).toEqual({ kind: 'extended' });
      expect(await direct.pttl('lock:r')).toBeGreaterThan(TTL_MS - 1000);
      expect(await ask(node, extendOf('a', 50))).toEqual({ kind: 'extended' });
      expect(await direct.pttl('lock:r')).toBeGreaterThan(TTL_MS - 1000);
      expect(await ask(node, releaseOf('a'))).toEqual({ kind: 'released' });
      expect(await direct.exists('lock:r')).toBe(0);
      expect(await ask(node, releaseOf('a'))).toEqual({ kind: 'absent' });
      expect(await ask(node, extendOf('a', TTL_MS))).toEqual({ kind: 'absent' });
      expect(await direct.exists('lock:r')).toBe(0);
    });

    it('inspects a key', async () => {
      const node = nodeOf(here());
      expect(await ask(node, inspect)).toEqual({ kind: 'inspected', value: null, remainingMs: null });
      await direct.set('lock:r', 'a', 'PX', TTL_MS);
      const reply = await ask(node, inspect);
      expect(reply).toMatchObject({ kind: 'inspected', value: 'a' });
      if (reply.kind === 'inspected') expect(reply.remainingMs).toBeGreaterThan(TTL_MS - 1000);
      await direct.persist('lock:r');
      expect(await ask(node, inspect)).toEqual({ kind: 'inspected', value: 'a', remainingMs: null });
    });

    describe('with fencing', () => {
      const counterKey = 'lock:r{lock:r}:fencing-counter';

      it('raises the counter by one, or to the hint, and answers it', async () => {
        const node = nodeOf(here());
        expect(await ask(node, acquireOf('a', { tokenHint: 0 }))).toEqual({ kind: 'granted', token: 1 });
        expect(await ask(node, acquireOf('b', { tokenHint: 0 }))).toEqual({ kind: 'held' });
        expect(await direct.get(counterKey)).toBe('1');
        await ask(node, releaseOf('a'));
        expect(await ask(node, acquireOf('b', { tokenHint: 1000 }))).toEqual({ kind: 'granted', token: 1000 });
        await ask(node, releaseOf('b'));
        expect(await ask(node, acquireOf('c', { tokenHint: 5 }))).toEqual({ kind: 'granted', token: 1001 });
        expect(await direct.pttl('lock:r')).toBeGreaterThan(TTL_MS - 1000);
        expect(await direct.pttl(counterKey)).toBe(-1);
      });

      it('grants its own value again, with a further token and at least the time to live', async () => {
        const node = nodeOf(here());
        await ask(node, acquireOf('a', { tokenHint: 7 }));
        const again = { tokenHint: 7, fresh: false };
        expect(await ask(node, acquireOf('a', { ...again, ttlMs: 50 }))).toEqual({ kind: 'granted', token: 8 });
        expect(await direct.pttl('lock:r')).toBeGreaterThan(TTL_MS - 1000);
        expect(await ask(node, acquireOf('a', { ...again, ttlMs: 20_000 }))).toEqual({ kind: 'granted', token: 9 });
        expect(await direct.pttl('lock:r')).toBeGreaterThan(TTL_MS);
      });

      it('answers the largest safe integer exactly, and refuses to go beyond before it writes anything', async () => {
        const node = nodeOf(here());
        await direct.set(counterKey, String(Number.MAX_SAFE_INTEGER - 1));
        const reply = await ask(node, acquireOf('a', { tokenHint: 5 }));
        expect(reply).toEqual({ kind: 'granted', token: Number.MAX_SAFE_INTEGER });
        expect(await direct.get(counterKey)).toBe('9007199254740991');
        await ask(node, releaseOf('a'));
        const failure = await failureOf(node, acquireOf('b', { tokenHint: 5 }));
        expect(failure.message).toContain(`the fencing counter ${counterKey} is used up`);
        expect(await direct.exists('lock:r')).toBe(0);
      });

      it('commits a token while the lock holds the value and the counter is not above it', async () => {
        const node = nodeOf(here());
        await ask(node, acquireOf('a', { tokenHint: 10 }));
        expect(await ask(node, commitOf('b', 20))).toEqual({ kind: 'refused' });
        expect(await ask(node, commitOf('a', 9))).toEqual({ kind: 'refused' });
        expect(await ask(node, commitOf('a', 10))).toEqual({ kind: 'committed' });
        expect(await ask(node, commitOf('a', 9_007_199_254_740_991))).toEqual({ kind: 'committed' });
        expect(await direct.get(counterKey)).toBe('9007199254740991');
        expect(await ask(node, commitOf('a', 9_007_199_254_740_990))).toEqual({ kind: 'refused' });
        await ask(node, releaseOf('a'));
        expect(await ask(node, commitOf('a', 9_007_199_254_740_991))).toEqual({ kind: 'refused' });
      });

      it.each(['not a number', '1.5', '-1', 'nan', 'inf'])('says so when the counter holds %s', async (content) => {
        const node = nodeOf(here());
        await direct.set(counterKey, content);
        const { message, sent } = await failureOf(node, acquireOf('a', { tokenHint: 5 }));
        expect(message).toContain(`the fencing counter ${counterKey}`);
        expect(sent).toBe(true);
        expect(await direct.exists('lock:r')).toBe(0);
      });
    });

    it('sends scripts by name once the server knows them, and whole when it has forgotten them', async () => {
      const node = nodeOf(here());
      await ask(node, acquireOf('a', { tokenHint: 1 }));
      await ask(node, releaseOf('a'));
      await direct.config('RESETSTAT');
      await ask(node, acquireOf('b', { tokenHint: 1 }));
      expect(await ask(node, releaseOf('b'))).toEqual({ kind: 'released' });
      const known = await direct.info('commandstats');
      expect(known).toContain('cmdstat_evalsha:calls=2');
      expect(known).not.toContain('cmdstat_eval:');
      await direct.script('FLUSH');
      expect(await ask(node, acquireOf('c', { tokenHint: 1 }))).toMatchObject({ kind: 'granted' });
      expect(await ask(node, releaseOf('c'))).toEqual({ kind: 'released' });
      expect(await direct.info('commandstats')).toContain('cmdstat_eval:calls=2');
    });

    it('does not send a script whole after its caller gave up', async () => {
      const client = here({ lazyConnect: true });
      let nowMs = 0;
      const clock = { now: () => nowMs, wall: () => 0 };
      const node = new IoredisNode('the node', client, {
        owned: false,
        environment: { ...systemEnvironment, clock },
      });
      nodes.push(node);
      await client.connect();
      await ask(node, acquireOf('a', { tokenHint: 1 }));
      await ask(node, releaseOf('a'));
      await direct.script('FLUSH');
      const reply = ask(node, acquireOf('a', { tokenHint: 1 }));
      nowMs = TIMEOUT_MS;
      expect(await reply).toMatchObject({ kind: 'failed', sent: false });
      expect(await direct.exists('lock:r')).toBe(0);
    });

    it('puts the prefix of a client before the lock and its counter alike', async () => {
      const node = nodeOf(here({ keyPrefix: 'app:' }));
      expect(await ask(node, acquireOf('a', { tokenHint: 3 }))).toEqual({ kind: 'granted', token: 3 });
      expect((await direct.keys('*')).sort()).toEqual(['app:lock:r', 'app:lock:r{app:lock:r}:fencing-counter']);
      expect(await ask(node, extendOf('a', TTL_MS))).toEqual({ kind: 'extended' });
      expect(await ask(node, commitOf('a', 4))).toEqual({ kind: 'committed' });
      expect(await ask(node, releaseOf('a'))).toEqual({ kind: 'released' });
      expect(await ask(node, acquireOf('b'))).toEqual({ kind: 'granted', token: null });
      expect(await direct.get('app:lock:r')).toBe('b');
    });

    it('works on a client that gathers commands, wants numbers as text, and selects a database', async () => {
      const node = nodeOf(
        here({ enableAutoPipelining: true, stringNumbers: true, db: 5, showFriendlyErrorStack: true }),
      );
      expect(await ask(node, acquireOf('a', { tokenHint: 4 }))).toEqual({ kind: 'granted', token: 4 });
      expect(await ask(node, acquireOf('b'))).toEqual({ kind: 'held' });
      expect(await ask(node, commitOf('a', 4))).toEqual({ kind: 'committed' });
      expect(await ask(node, extendOf('b', 10))).toEqual({ kind: 'absent' });
      const [inspected, released] = await Promise.all([ask(node, inspect), ask(node, releaseOf('a'))]);
      expect(inspected).toMatchObject({ value: 'a', remainingMs: expect.any(Number) as number });
      expect(released).toEqual({ kind: 'released' });
      expect(await direct.dbsize()).toBe(0);
    });

    it('connects a lazy client, and answers the commands that waited in their order', async () => {
      const client = here({ lazyConnect: true });
      const node = nodeOf(client);
      expect(client.status).toBe('wait');
      const replies = Promise.all([
        ask(node, acquireOf('a')),
        ask(node, acquireOf('b')),
        ask(node, releaseOf('a')),
        ask(node, acquireOf('c')),
      ]);
      expect((await replies).map(({ kind }) => kind)).toEqual(['granted', 'held', 'released', 'granted']);
    });

    it('reports a MULTI that the application left open on the connection', async () => {
      const client = here() as unknown as Redis;
      await once(client, 'ready');
      await client.multi({ pipeline: false });
      const node = nodeOf(client);
      const failure = await failureOf(node, acquireOf('a'));
      expect(failure).toEqual({ message: expect.stringContaining('unexpected answer "QUEUED"') as string, sent: true });
      expect((await failureOf(node, releaseOf('a'))).message).toContain('MULTI');
      await client.discard();
    });

    it('passes on why ioredis itself refuses a command', async () => {
      const client = here() as unknown as Redis;
      await once(client, 'ready');
      await client.subscribe('news');
      const node = nodeOf(client);
      if (client.mode === 'subscriber')
        expect((await failureOf(node, inspect)).message).toMatch(/^the node: Connection in subscriber mode/);
      // By the newer protocol commands and subscriptions get along.
      else expect(await ask(node, inspect)).toMatchObject({ kind: 'inspected' });
    });

    it('fails at once on a client that is closed, without having sent anything', async () => {
      const client = here();
      await once(client as unknown as Redis, 'ready');
      const node = nodeOf(client);
      const end = once(client as unknown as Redis, 'end');
      await client.quit();
      await end;
      const failure = await failureOf(node, acquireOf('a'));
      expect(failure).toEqual({ message: 'the node: the connection is closed', sent: false });
    });

    it('lets a server that is silent for long collect nothing more but releases of what it was sent, until it speaks again', async () => {
      let nowMs = 0;
      const clock = { now: () => nowMs, wall: () => 0 };
      const timers: (() => void)[] = [];
      const schedule = (_delayMs: number, run: () => void): (() => void) => {
        timers.push(run);
        return () => undefined;
      };
      const node = new IoredisNode('the node', here(), {
        owned: false,
        environment: { ...systemEnvironment, clock, timers: { schedule } },
      });
      nodes.push(node);
      await ask(node, inspect);
      server.pause();
      try {
        const acquired = ask(node, acquireOf('a', { timeoutMs: 100 }));
        await endOfTick();
        nowMs = 2000;
        const inspected = ask(node, { ...inspect, timeoutMs: 100 });
        await endOfTick();
        expect(timers).toEqual([]);
        nowMs = 2001;
        const noticing = ask(node, { ...inspect, timeoutMs: 100 });
        timers.shift()?.();
        timers.shift()?.();
        const refused = await failureOf(node, acquireOf('b', { timeoutMs: 100 }));
        expect(refused).toEqual({ message: expect.stringContaining('not answered anything') as string, sent: false });
        const spared = await failureOf(node, { ...releaseOf('b'), timeoutMs: 100 });
        expect(spared).toEqual(refused);
        const released = ask(node, releaseOf('a'));
        server.resume();
        const replies = await Promise.all([acquired, inspected, noticing, released]);
        expect(replies.map(({ kind }) => kind)).toEqual(['granted', 'inspected', 'inspected', 'released']);
        expect(await ask(node, inspect)).toMatchObject({ kind: 'inspected', value: null });
      } finally {
        server.resume();
      }
    });

    it.each<[string, Partial<AcquireCommand>]>([
      ['a plain SET', {}],
      ['a script', { tokenHint: 5 }],
    ])('does not take the answer to %s that was sent again for that of another client', async (_what, more) => {
      // A proxy that swallows the first answer and then cuts the connection: the client sends the command again.
      const proxy = await TcpProxy.to(server.port);
      const client = here({ port: proxy.port });
      const node = nodeOf(client);
      await ask(node, inspect);
      proxy.cutBeforeNextAnswer();
      const token = more.tokenHint === undefined ? null : 6;
      expect(await ask(node, acquireOf('a', more))).toEqual({ kind: 'granted', token });
      expect(proxy.cuts).toBe(1);
      expect(await direct.get('lock:r')).toBe('a');
      // Sent only once, the value could be there by another way alone.
      expect(await ask(node, acquireOf('a', more))).toEqual({ kind: 'held' });
      proxy.cutBeforeNextAnswer();
      expect(await ask(node, acquireOf('b', more))).toEqual({ kind: 'held' });
      expect(proxy.cuts).toBe(2);
      client.disconnect();
      await proxy[Symbol.asyncDispose]();
    });
  });

  describe('that distrilock connects', () => {
    function own(options: RedisOptions = {}): { client: Redis; node: IoredisNode } {
      const client = connectTo({ host: '127.0.0.1', port: server.port, ...options }, systemEnvironment);
      return { client, node: nodeOf(client, true) };
    }

    it('never queues, repeats or resends, whatever the caller asked for', () => {
      const { client } = own({
        enableOfflineQueue: true,
        autoResendUnfulfilledCommands: true,
        maxRetriesPerRequest: 9,
      });
      expect(client.options).toMatchObject({
        enableOfflineQueue: false,
        autoResendUnfulfilledCommands: false,
        maxRetriesPerRequest: 0,
      });
    });

    it('keeps the wish of the caller when, or whether, to connect again', () => {
      const retryStrategy = (): number => 5;
      expect(own({ retryStrategy }).client.options.retryStrategy).toBe(retryStrategy);
      const never = null as unknown as () => null;
      expect(own({ retryStrategy: never }).client.options.retryStrategy).toBeNull();
    });

    it('fails the commands in flight when the connection is lost, and serves the next ones once it is back', async () => {
      const proxy = await TcpProxy.to(server.port);
      const { node } = own({ port: proxy.port });
      await ask(node, inspect);
      proxy.cutBeforeNextAnswer();
      const failure = await failureOf(node, acquireOf('a'));
      expect(failure).toEqual({ message: expect.stringContaining('the connection was lost') as string, sent: true });
      // It had run all the same: what waits for the connection now finds it.
      expect(await ask(node, releaseOf('a'))).toEqual({ kind: 'released' });
      await node.connection.quit();
      await proxy[Symbol.asyncDispose]();
    });

    it('tells why it cannot connect, at once while it knows, and connects when the server is back', async () => {
      const other = await startRedisServer();
      const { client, node } = own({ port: other.port });
      await ask(node, inspect);
      await other.kill();
      const lost = await failureOf(node, acquireOf('a'));
      expect(lost).toEqual({ message: `the node: no connection: connect ECONNREFUSED ${other.id}`, sent: false });
      const reply = await ask(node, acquireOf('a'));
      expect(reply).toMatchObject({ kind: 'failed', sent: false, error: { cause: { code: 'ECONNREFUSED' } } });
      await other.start();
      await once(client, 'ready');
      expect(await ask(node, acquireOf('b'))).toEqual({ kind: 'granted', token: null });
      await node.connection.quit();
      await other[Symbol.asyncDispose]();
    });

    it('drops commands whose callers gave up while it was connecting', async () => {
      const silent = createServer();
      silent.listen(0, '127.0.0.1');
      await once(silent, 'listening');
      let nowMs = 0;
      const clock = { now: () => nowMs, wall: () => 0 };
      const client = connectTo({ host: '127.0.0.1', port: portOf(silent) }, systemEnvironment);
      const node = new IoredisNode('the node', client, {
        owned: true,
        environment: { ...systemEnvironment, clock },
      });
      const early = failureOf(node, acquireOf('a'));
      nowMs = TIMEOUT_MS;
      const late = failureOf(node, acquireOf('b'));
      expect(await early).toEqual({ message: 'the node: no connection', sent: false });
      await node.connection.quit();
      expect(await late).toMatchObject({ sent: false });
      silent.close();
    });

    it.each([
      [{}, 'NOAUTH'],
      [{ password: 'wrong' }, 'WRONGPASS'],
    ])('says that the password is missing or wrong', async (options, code) => {
      const closed = await startRedisServer('--requirepass', 'secret');
      const { node } = own({ port: closed.port, ...options });
      const { message, sent } = await failureOf(node, acquireOf('a'));
      expect(message).toContain(code);
      expect(sent).toBe(false);
      await node.connection.quit();
      await closed[Symbol.asyncDispose]();
    });

    it('says that the other side is no Redis', async () => {
      const other = createServer((socket) => {
        socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
        socket.on('error', () => undefined);
      });
      other.listen(0, '127.0.0.1');
      await once(other, 'listening');
      const { node } = own({ port: portOf(other) });
      const { message, sent } = await failureOf(node, acquireOf('a'));
      expect(message).toMatch(/no connection: .*(RESP|protocol)/i);
      expect(sent).toBe(false);
      await node.connection.quit();
      other.close();
    });
  });

  describe('passes on why a server refuses, and what to do about it:', () => {
    it('a master that has become a replica since', async () => {
      const replica = await startRedisServer();
      const node = nodeOf(new Redis(replica.port, '127.0.0.1'));
      await ask(node, inspect);
      const admin = new Redis(replica.port, '127.0.0.1');
      await admin.replicaof('127.0.0.1', server.port);
      const plain = await failureOf(node, acquireOf('a'));
      expect(plain.message).toMatch(/^the node: READONLY .*independent masters/);
      expect(plain.sent).toBe(true);
      expect((await failureOf(node, acquireOf('a', { tokenHint: 1 }))).message).toContain('READONLY');
      admin.disconnect();
      await node.connection.quit();
      await replica[Symbol.asyncDispose]();
    });

    it('a full server', async () => {
      const full = await startRedisServer('--maxmemory', '1', '--maxmemory-policy', 'noeviction');
      const node = nodeOf(new Redis(full.port, '127.0.0.1'));
      expect(await failureOf(node, acquireOf('a'))).toEqual({
        message: expect.stringMatching(/OOM .*out of memory/) as string,
        sent: true,
      });
      await node.connection.quit();
      await full[Symbol.asyncDispose]();
    });

    it('a user without the right', async () => {
      await direct.acl('SETUSER', 'reader', 'on', '>word', '~*', '+@read', '+info', '+hello', '+client');
      const node = nodeOf(new Redis(server.port, '127.0.0.1', { username: 'reader', password: 'word' }));
      const { message, sent } = await failureOf(node, acquireOf('a'));
      expect(message).toMatch(/NOPERM .*let this user run set/);
      expect(sent).toBe(true);
      await direct.acl('DELUSER', 'reader');
    });

    it('a key of another type', async () => {
      const node = nodeOf(new Redis(server.port, '127.0.0.1'));
      await direct.lpush('lock:r', 'x');
      const { message } = await failureOf(node, releaseOf('a'));
      expect(message).toMatch(/WRONGTYPE .*keyPrefix/);
      expect(await direct.llen('lock:r')).toBe(1);
    });
  });

  describe('when it quits', () => {
    it('lets the server answer what was sent before', async () => {
      const client = new Redis(server.port, '127.0.0.1');
      const node = nodeOf(client);
      await ask(node, inspect);
      const [reply] = await Promise.all([ask(node, acquireOf('a')), node.connection.quit()]);
      expect(reply).toEqual({ kind: 'granted', token: null });
      expect(await failureOf(node, releaseOf('a'))).toEqual({
        message: 'the node: the connection was closed by quit() or close()',
        sent: false,
      });
    });

    it('cuts a connection that is not ready, and drops what waits for it', async () => {
      const client = new Redis({ host: '127.0.0.1', port: server.port, lazyConnect: true });
      const node = nodeOf(client);
      const reply = failureOf(node, acquireOf('a'));
      await node.connection.quit();
      expect((await reply).sent).toBe(false);
      expect(client.status).toBe('end');
      await node.connection.quit();
    });

    it('gives up a server that hangs', async () => {
      const hung = await startRedisServer();
      const timers: (() => void)[] = [];
      const schedule = (delayMs: number, run: () => void): (() => void) => {
        expect(delayMs).toBe(1000);
        timers.push(run);
        return () => undefined;
      };
      const client = new Redis(hung.port, '127.0.0.1', { disconnectTimeout: 1 });
      const node = new IoredisNode('the node', client, {
        owned: true,
        environment: { ...systemEnvironment, timers: { schedule } },
      });
      await ask(node, inspect);
      hung.pause();
      const quit = node.connection.quit();
      expect(timers).toHaveLength(1);
      timers[0]?.();
      await quit;
      await once(client, 'end');
      hung.resume();
      await hung[Symbol.asyncDispose]();
    });
  });

  it('puts no more listeners on a client, however many nodes use it', async () => {
    const client = new Redis(server.port, '127.0.0.1');
    nodeOf(client);
    const listeners = client.listenerCount('error');
    for (let count = 0; count < 20; count += 1) nodeOf(client);
    expect(client.listenerCount('error')).toBe(listeners);
    await once(client, 'ready');
  });
});

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port;
}
