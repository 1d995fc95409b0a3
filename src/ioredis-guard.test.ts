import { EventEmitter } from 'node:events';
import { Redis, type RedisOptions } from 'ioredis';
import { Redis as Redis5 } from 'ioredis-5';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeWorld } from '../test/fake-world.ts';
import {
  hasRedisServer,
  NEEDS_REDIS_SERVER,
  type RedisServer,
  startRedisServer,
  startRedisServers,
} from '../test/redis-server.ts';
import { infoOf } from '../test/server-info.ts';
import { DistinctServers } from './distinct-servers.ts';
import { UnreachableError } from './errors.ts';
import type { IoredisClient } from './ioredis-client.ts';
import { IoredisNode } from './ioredis-node.ts';
import type { LockCommand, LockReply } from './lock-node.ts';
import { connectTo } from './own-client.ts';
import { Redlock } from './redlock.ts';
import { systemEnvironment } from './system-environment.ts';

const GUARD = { markerKey: 'lock::m', quarantineKey: 'lock::q', quarantineMs: 60_000 };

function acquireOf(value: string, tokenHint: number | null = null, timeoutMs = 5000): LockCommand {
  const key = 'lock:r';
  return { kind: 'acquire', key, value, ttlMs: 10_000, timeoutMs, fresh: true, tokenHint, guard: GUARD };
}

function releaseOf(value: string): LockCommand {
  return { kind: 'release', key: 'lock:r', value, timeoutMs: 5000 };
}

const admit: LockCommand = {
  kind: 'admit',
  key: GUARD.markerKey,
  quarantineKey: GUARD.quarantineKey,
  timeoutMs: 5000,
};

function ask(node: IoredisNode, command: LockCommand): Promise<LockReply> {
  return new Promise((resolve) => {
    node.execute(command, resolve);
  });
}

describe.skipIf(!hasRedisServer)(`a guarded node over ioredis (${NEEDS_REDIS_SERVER})`, () => {
  let server: RedisServer;
  let direct: Redis;
  let nodes: IoredisNode[];

  beforeEach(async () => {
    server = await startRedisServer();
    direct = new Redis(server.port, '127.0.0.1');
    direct.on('error', () => undefined);
    nodes = [];
  });
  afterEach(async () => {
    await Promise.all(nodes.map((node) => node.connection.quit()));
    direct.disconnect();
    await server[Symbol.asyncDispose]();
  });

  function nodeOf(client: IoredisClient): IoredisNode {
    const node = new IoredisNode('the node', client, { owned: true, environment: systemEnvironment });
    nodes.push(node);
    return node;
  }

  /** What INFO tells. */
  async function field(name: string, client = direct): Promise<string | undefined> {
    return new RegExp(`^${name}:(\\w+)`, 'm').exec(await client.info())?.[1];
  }

  /** Makes `replica` follow `primary`, and resolves once it has all of its keys. */
  async function follow(replica: Redis, primary: RedisServer, primaryDirect: Redis): Promise<void> {
    // It would wait five seconds for more replicas.
    await primaryDirect.config('SET', 'repl-diskless-sync-delay', '0');
    await replica.replicaof('127.0.0.1', primary.port);
    await expect.poll(() => field('master_link_status', replica), { timeout: 20_000 }).toBe('up');
  }

  describe.each<[string, (options: RedisOptions) => IoredisClient]>([
    ['a client of its own', (options) => connectTo(options, systemEnvironment)],
    ['ioredis 6', (options) => new Redis(options as { port: number })],
    ['ioredis 5', (options) => new Redis5(options as { port: number })],
    ['ioredis 6 in RESP3', (options) => new Redis({ ...options, protocol: 3 } as { port: number })],
  ])('with %s', (_name, connect) => {
    function here(options: RedisOptions = {}): IoredisNode {
      return nodeOf(connectHere(options));
    }

    function connectHere(options: RedisOptions = {}): IoredisClient {
      return connect({ host: '127.0.0.1', port: server.port, ...options });
    }

    it('is in quarantine until it is admitted, then votes, and is in quarantine again after a restart', async () => {
      const client = connectHere();
      const node = nodeOf(client);
      let connections = 0;
      let connected: () => void = () => undefined;
      client.on('ready', () => {
        connections += 1;
        connected();
      });
      for (const hint of [null, 7]) {
        expect(await ask(node, acquireOf('a', hint))).toEqual({ kind: 'quarantined' });
        expect(await direct.exists('lock:r')).toBe(0);
        expect(await ask(node, admit)).toEqual({ kind: 'admitted' });
        expect(await ask(node, acquireOf('a', hint))).toEqual({ kind: 'granted', token: hint });
        expect(await ask(node, acquireOf('b', hint))).toEqual({ kind: 'held' });
        const [runId, historyId] = await Promise.all([field('run_id'), field('master_replid')]);
        expect(await direct.get(GUARD.markerKey)).toBe(`${runId} ${historyId}`);
        const again = new Promise<void>((resolve) => (connected = resolve));
        await server.kill();
        await server.start();
        await again;
      }
      expect(connections).toBe(3);
      expect(await ask(node, acquireOf('a'))).toEqual({ kind: 'quarantined' });
      const remainingMs = await direct.pttl(GUARD.quarantineKey);
      expect(remainingMs).toBeGreaterThan(50_000);
      expect(remainingMs).toBeLessThanOrEqual(GUARD.quarantineMs);
    });

    it('is in quarantine once it is flushed, without a new connection', async () => {
      const node = here();
      await ask(node, admit);
      expect(await ask(node, acquireOf('a'))).toEqual({ kind: 'granted', token: null });
      await direct.flushall();
      expect(await ask(node, acquireOf('b'))).toEqual({ kind: 'quarantined' });
      await direct.del(GUARD.quarantineKey);
      expect(await ask(node, acquireOf('b'))).toEqual({ kind: 'granted', token: null });
    });

    it('puts the prefix of the client before the keys of the guard too', async () => {
      const node = here({ keyPrefix: 'app:' });
      await ask(node, acquireOf('a', 3));
      expect((await direct.keys('*')).sort()).toEqual(['app:lock::m', 'app:lock::q']);
      await ask(node, admit);
      expect(await direct.keys('*')).toEqual(['app:lock::m']);
    });

    it('says that it may not ask for the run, lets go of locks all the same, and votes once it may', async () => {
      await direct.call('ACL', 'SETUSER', 'narrow', 'on', '>pw', '~*', '+@all', '-info');
      await direct.set('lock:r', 'a');
      const node = here({ username: 'narrow', password: 'pw', enableReadyCheck: false });
      const refused = await ask(node, acquireOf('b'));
      expect(refused).toMatchObject({ kind: 'failed', sent: false });
      const { message } = (refused as LockReply & { kind: 'failed' }).error;
      expect(message).toMatch(/^the node: .*NOPERM.*info.*, which restartGuard needs \(let this user run .*info\)$/);
      expect(await ask(node, releaseOf('a'))).toEqual({ kind: 'released' });
      await direct.call('ACL', 'SETUSER', 'narrow', '+info');
      // The first one finds out; it has asked again by the time of the next.
      await ask(node, acquireOf('b'));
      expect(await ask(node, releaseOf('b'))).toEqual({ kind: 'absent' });
      expect(await ask(node, acquireOf('b'))).toEqual({ kind: 'quarantined' });
    });
  });

  it('is in quarantine when it was a replica meanwhile, which neither its run_id nor its connections show', async () => {
    // All that a user needs.
    const rights = ['~lock:*', '+set', '+get', '+del', '+pttl', '+pexpire', '+eval', '+evalsha', '+info'];
    await direct.call('ACL', 'SETUSER', 'locks', 'on', '>pw', ...rights);
    await using other = await startRedisServer();
    const otherDirect = new Redis(other.port, '127.0.0.1');
    try {
      const client = connectTo(
        { host: '127.0.0.1', port: server.port, username: 'locks', password: 'pw' },
        systemEnvironment,
      );
      const node = nodeOf(client);
      await follow(otherDirect, server, direct);
      await ask(node, admit);
      await expect.poll(() => otherDirect.get(GUARD.markerKey)).not.toBeNull();
      await otherDirect.replicaof('NO', 'ONE');
      // The other one has the marker, and not this vote.
      expect(await ask(node, acquireOf('a'))).toEqual({ kind: 'granted', token: null });
      const runId = await field('run_id');
      let losses = 0;
      client.on('close', () => (losses += 1));
      await follow(direct, other, otherDirect);
      await direct.replicaof('NO', 'ONE');
      expect([await direct.get('lock:r'), await field('run_id'), losses]).toEqual([null, runId, 0]);
      const together = Promise.all([ask(node, acquireOf('b')), ask(node, acquireOf('b', 7))]);
      expect(await together).toEqual([{ kind: 'quarantined' }, { kind: 'quarantined' }]);
      await direct.del(GUARD.quarantineKey);
      expect(await ask(node, acquireOf('b'))).toEqual({ kind: 'granted', token: null });
    } finally {
      otherDirect.disconnect();
    }
  });
});

describe.skipIf(!hasRedisServer)(`a guarded Redlock (${NEEDS_REDIS_SERVER})`, () => {
  it('does without a server that restarted, not without two that forgot, and says which those are', async () => {
    const servers = await startRedisServers(3);
    const clients = servers.map(({ port }) => new Redis(port, '127.0.0.1'));
    for (const client of clients) client.on('error', () => undefined);
    const redlock = new Redlock(clients, { restartGuard: { longestTtl: 30_000 }, retryCount: 0, nodeTimeout: 5000 });
    const ids = servers.map(({ id }) => id);
    const quarantined = async (): Promise<string[]> => {
      const error: unknown = await redlock.acquire('r', 20_000).catch((reason: unknown) => reason);
      if (!(error instanceof UnreachableError)) throw new Error(`it was not unreachable: ${String(error)}`);
      return error.outcomes.filter(({ outcome }) => outcome === 'quarantined').map(({ node }) => node);
    };
    try {
      // Two are a quorum that cannot be had: what the last one says may not be awaited.
      expect((await quarantined()).length).toBeGreaterThan(1);
      await redlock.admitNewNodes('all');
      await (await redlock.acquire('r', 20_000)).release();
      const again = new Promise<void>((resolve) => clients[0]?.once('ready', resolve));
      await servers[0]?.kill();
      await servers[0]?.start();
      await again;
      const lock = await redlock.acquire('r', 20_000);
      await lock.extend(20_000);
      await lock.release();
      await clients[1]?.flushall();
      expect((await quarantined()).sort()).toEqual(ids.slice(0, 2).sort());
      await redlock.admitNewNodes(ids.slice(0, 1));
      await (await redlock.acquire('r', 20_000)).release();
    } finally {
      await redlock.quit();
      await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
    }
  });
});

/** Stands in for a client whose every answer a test gives. */
class StubClient implements IoredisClient {
  status = 'connecting';
  isCluster = false;
  readonly options = {};
  readonly sent: string[] = [];
  readonly answers: ((answer: unknown) => void)[] = [];
  private readonly events = new EventEmitter();

  createBuiltinCommand(name: string): ReturnType<IoredisClient['createBuiltinCommand']> {
    return {
      string: (...args) => {
        this.sent.push([name, ...args.slice(2)].join(' '));
        return new Promise((resolve) => this.answers.push(resolve));
      },
    };
  }

  connect(): Promise<void> {
    return Promise.reject(new Error('nobody there'));
  }

  disconnect(): void {
    this.become('end');
  }

  quit(): Promise<unknown> {
    return Promise.resolve('OK');
  }

  on(event: string, listener: (...details: never[]) => void): void {
    this.events.on(event, (detail: unknown) => listener(detail as never));
  }

  become(status: string): void {
    this.status = status;
    this.events.emit(status);
  }
}

describe('the run of the server behind a connection', () => {
  let world: FakeWorld;
  let client: StubClient;
  let replies: LockReply[];

  function guardedNode(): IoredisNode {
    return new IoredisNode('the node', client, { owned: false, environment: world.environment });
  }

  function send(node: IoredisNode, command: LockCommand): void {
    node.execute(command, (reply) => replies.push(reply));
  }

  async function answer(place: number, value: unknown): Promise<void> {
    client.answers[place]?.(value);
    await world.advance(0);
  }

  beforeEach(() => {
    world = new FakeWorld();
    client = new StubClient();
    replies = [];
  });

  it('is asked for before anything else is sent, and commands keep their order', async () => {
    const node = guardedNode();
    send(node, acquireOf('a'));
    client.become('ready');
    send(node, releaseOf('a'));
    expect(client.sent).toEqual(['info']);
    await answer(0, infoOf({ run_id: 'abc123' }));
    expect(client.sent).toEqual([
      'info',
      'eval lock:r lock::m lock::q lock:r acquire-guarded 1 10000 abc123 60000 a release 1 a',
    ]);
  });

  it('is asked for at once where the connection is ready when it is handed over, and once only', () => {
    client.status = 'ready';
    guardedNode();
    guardedNode();
    expect(client.sent).toEqual(['info']);
  });

  it('does not send what is late when it is known', async () => {
    const node = guardedNode();
    client.become('ready');
    send(node, acquireOf('a', null, 100));
    await world.advance(100);
    await answer(0, infoOf({ run_id: 'abc' }));
    expect(client.sent).toEqual(['info']);
    expect(replies).toMatchObject([{ kind: 'failed', sent: false }]);
  });

  it('is asked for on each connection; what an earlier one tells late is of no use', async () => {
    const node = guardedNode();
    client.become('ready');
    client.become('close');
    client.become('ready');
    expect(client.sent).toEqual(['info', 'info']);
    await answer(0, infoOf({ run_id: 'aaa' }));
    send(node, admit);
    expect(client.sent).toHaveLength(2);
    await answer(1, infoOf({ run_id: 'bbb' }));
    expect(client.sent[2]).toBe('eval lock::m lock::q bbb');
  });

  it('must be the one that a command named: an answer after the connection was lost may be another server’s', async () => {
    const node = guardedNode();
    client.become('ready');
    await answer(0, infoOf({ run_id: 'aaa' }));
    send(node, acquireOf('a'));
    send(node, acquireOf('b', 5));
    send(node, admit);
    send(node, releaseOf('a'));
    await world.advance(0);
    client.become('close');
    client.become('ready');
    // As a client answers that sends again by itself.
    await answer(1, [1, '5', 1, 1]);
    expect(replies.pop()).toEqual({ kind: 'released' });
    const error = expect.objectContaining({
      message: expect.stringMatching(/^the node: .*sent again/) as string,
    }) as Error;
    const failed = { kind: 'failed', sent: true, error };
    // What it stored is there, and to be cleaned up.
    expect(replies).toEqual([{ ...failed, mayHold: true }, { ...failed, mayHold: true }, failed]);
  });

  it('must not be that of another node: a vote that may have been sent again to that one’s server is none', async () => {
    const servers = new DistinctServers();
    const other = new StubClient();
    const nodes = [other, client].map(
      (each, place) =>
        new IoredisNode(`node ${place}`, each, { owned: false, environment: world.environment, servers }),
    );
    for (const [place, each] of [other, client].entries()) {
      each.become('ready');
      each.answers[0]?.(infoOf({ run_id: place === 0 ? 'aaa' : 'bbb' }));
    }
    await world.advance(0);
    send(nodes[1] as IoredisNode, { ...acquireOf('a'), guard: null } as LockCommand);
    await world.advance(0);
    client.become('close');
    client.become('ready');
    await answer(2, infoOf({ run_id: 'aaa' }));
    await answer(1, 'OK');
    expect(replies).toMatchObject([
      {
        kind: 'failed',
        mayHold: true,
        error: { message: expect.stringContaining('is the same server as node 0') as string },
      },
    ]);
  });

  it('keeps the votes that it gave late in a long tick', async () => {
    const servers = new DistinctServers();
    const other = new StubClient();
    const [node, another] = [client, other].map(
      (each, place) =>
        new IoredisNode(`node ${place}`, each, { owned: false, environment: world.environment, servers }),
    ) as [IoredisNode, IoredisNode];
    for (const each of [client, other]) each.become('ready');
    other.answers[0]?.(infoOf({ run_id: 'bbb' }));
    await answer(0, infoOf({ run_id: 'aaa' }));
    send(node, voteOf('a'));
    // The caller is busy for longer than the votes of before count.
    world.nowMs += 20_000;
    send(node, voteOf('b'));
    await world.advance(0);
    for (const each of [client, other]) {
      each.become('close');
      each.become('ready');
    }
    client.answers.at(-1)?.(infoOf({ run_id: 'ccc' }));
    other.answers.at(-1)?.(infoOf({ run_id: 'aaa' }));
    await world.advance(0);
    send(another, voteOf('c'));
    await world.advance(0);
    expect(replies).toMatchObject([
      {
        kind: 'failed',
        sent: false,
        error: { message: expect.stringContaining('is the same server as node 0') as string },
      },
    ]);
  });

  it.each([
    [3000, 3],
    [21_000, 2],
  ])('is sent no more after a silence of four timeouts of 5 s, and not before: %s ms', async (silenceMs, sent) => {
    const node = guardedNode();
    client.become('ready');
    await answer(0, infoOf());
    send(node, voteOf('a'));
    await world.advance(silenceMs);
    // The second finds the silence, the third meets it once the event loop has turned.
    for (const value of ['b', 'c']) {
      send(node, voteOf(value));
      await world.advance(100);
    }
    expect(client.sent.filter((words) => words.startsWith('set'))).toHaveLength(sent);
  });

  it('that cannot be read is said, and asked for again with the next command that needs it', async () => {
    const node = guardedNode();
    client.become('ready');
    await answer(0, 'nothing of the kind');
    send(node, acquireOf('a'));
    await world.advance(0);
    expect(replies).toMatchObject([
      {
        kind: 'failed',
        sent: false,
        error: { message: 'the node: INFO tells no run_id, which restartGuard needs' },
      },
    ]);
    expect(client.sent).toEqual(['info', 'info']);
    await answer(1, infoOf({ run_id: 'ccc' }));
    send(node, admit);
    await world.advance(0);
    expect(client.sent[2]).toBe('eval lock::m lock::q ccc');
  });

  function voteOf(value: string): LockCommand {
    return { ...acquireOf(value), guard: null } as LockCommand;
  }

  it('is asked for while ioredis still asks whether the server is ready, and once', async () => {
    const node = guardedNode();
    client.become('connect');
    send(node, voteOf('a'));
    await answer(0, infoOf());
    expect(client.sent).toEqual(['info']);
    client.become('ready');
    await world.advance(0);
    expect(client.sent).toEqual(['info', 'set PX 10000 NX']);
  });

  it('is asked for again once the connection is ready, if it could not be told before', async () => {
    const node = guardedNode();
    client.become('connect');
    send(node, voteOf('a'));
    await answer(0, Promise.reject(new Error('NOAUTH Authentication required.')));
    expect(replies).toEqual([]);
    client.become('ready');
    await answer(1, infoOf());
    expect(client.sent).toEqual(['info', 'info', 'set PX 10000 NX']);
  });

  it('is not waited for while it reads its data', async () => {
    const node = guardedNode();
    client.become('connect');
    send(node, voteOf('a'));
    await answer(0, infoOf({ loading: '1' }));
    send(node, releaseOf('a'));
    await world.advance(0);
    expect(replies.map((reply) => reply.kind === 'failed' && reply.error.message)).toEqual([
      'the node: LOADING the server is still reading its data, and votes once it has',
      'the node: LOADING the server is still reading its data, and votes once it has',
    ]);
    // The second one has asked again.
    await answer(1, infoOf());
    client.become('ready');
    send(node, voteOf('b'));
    await world.advance(0);
    expect(client.sent).toEqual(['info', 'info', 'set PX 10000 NX']);
  });

  it('must be known for a vote to count that may have been sent to another one, after the connection was lost', async () => {
    const node = guardedNode();
    client.become('ready');
    await answer(0, infoOf());
    send(node, voteOf('a'));
    await world.advance(0);
    send(node, voteOf('b'));
    await world.advance(0);
    client.become('close');
    client.become('ready');
    await answer(1, 'OK');
    await answer(3, infoOf({ run_id: 'def' }));
    await answer(2, 'OK');
    expect(replies).toMatchObject([
      { kind: 'failed', sent: true, error: { message: expect.stringContaining('sent again') as string } },
      { kind: 'granted' },
    ]);
  });

  it('is no reason for a cluster not to vote if one of its servers hangs: another one is asked', async () => {
    client.isCluster = true;
    const node = guardedNode();
    client.become('ready');
    send(node, { ...voteOf('a'), timeoutMs: 100 });
    await world.advance(100);
    send(node, voteOf('b'));
    expect(client.sent).toEqual(['cluster', 'cluster']);
    await answer(1, [[0, 16_383, ['127.0.0.1', 7001, 'abc']]]);
    expect(client.sent).toEqual(['cluster', 'cluster', 'set PX 10000 NX']);
    expect(replies).toMatchObject([{ kind: 'failed', sent: false }]);
  });

  it('may be one of a cluster that was sent a SET twice, by a client that does not tell: whose key that met is asked', async () => {
    client.isCluster = true;
    const node = guardedNode();
    client.become('ready');
    await answer(0, [[0, 16_383, ['127.0.0.1', 7001, 'abc']]]);
    send(node, voteOf('a'));
    await world.advance(0);
    await answer(1, null);
    expect(replies).toEqual([]);
    expect(client.sent).toHaveLength(3);
    await answer(2, 1);
    expect(replies).toEqual([{ kind: 'granted', token: null }]);
  });

  it('is that of the connection: what names another is not sent again where the script is not known', async () => {
    const node = guardedNode();
    client.become('ready');
    await answer(0, infoOf({ run_id: 'aaa' }));
    send(node, acquireOf('a'));
    await world.advance(0);
    await answer(1, 1);
    send(node, acquireOf('b'));
    await world.advance(0);
    client.become('close');
    client.become('ready');
    await answer(3, infoOf({ run_id: 'bbb' }));
    await answer(2, Promise.reject(new Error('NOSCRIPT No matching script')));
    expect(client.sent.map((words) => words.split(' ')[0])).toEqual(['info', 'eval', 'evalsha', 'info']);
    expect(replies).toMatchObject([{ kind: 'granted' }, { kind: 'failed', sent: true }]);
  });
});
