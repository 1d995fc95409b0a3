import { EventEmitter } from 'node:events';
import { Redis } from 'ioredis';
import { Redis as Redis5 } from 'ioredis-5';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FakeWorld, watch } from '../test/fake-world.ts';
import { hasRedisServer, NEEDS_REDIS_SERVER, type RedisServer, startRedisServer } from '../test/redis-server.ts';
import { infoOf } from '../test/server-info.ts';
import type { IoredisClient } from './ioredis-client.ts';
import { IoredisNode } from './ioredis-node.ts';
import type { AcquireCommand, LockCommand, LockReply } from './lock-node.ts';
import { Redlock } from './redlock.ts';
import { systemEnvironment } from './system-environment.ts';

function acquireOf(key: string, value: string, more: Partial<AcquireCommand> = {}): AcquireCommand {
  const plain = { kind: 'acquire', key, value, ttlMs: 10_000, timeoutMs: 1000 } as const;
  return { ...plain, fresh: true, tokenHint: null, guard: null, ...more };
}

function releaseOf(key: string, value: string, timeoutMs = 1000): LockCommand {
  return { kind: 'release', key, value, timeoutMs };
}

/** Stands in for a client whose every answer a test gives. */
class StubClient implements IoredisClient {
  status = 'ready';
  isCluster = false;
  readonly options = {};
  /** Name, and all that follows the text of a script. */
  readonly sent: string[] = [];
  readonly answers: { readonly give: (answer: unknown) => void; readonly fail: (error: Error) => void }[] = [];
  private readonly events = new EventEmitter();

  createBuiltinCommand(name: string): ReturnType<IoredisClient['createBuiltinCommand']> {
    return {
      string: (...args) => {
        if (name === 'info') return Promise.resolve(infoOf());
        this.sent.push([name, ...args.slice(name === 'set' ? 0 : 1)].join(' '));
        return new Promise((give, fail) => this.answers.push({ give, fail }));
      },
    };
  }

  connect(): Promise<void> {
    return Promise.resolve();
  }

  disconnect(): void {
    this.become('end');
  }

  quit(): Promise<unknown> {
    this.sent.push('quit');
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

describe('commands of one tick', () => {
  let world: FakeWorld;
  let client: StubClient;
  let node: IoredisNode;
  let replies: string[];

  beforeEach(async () => {
    world = new FakeWorld();
    client = new StubClient();
    node = new IoredisNode('the node', client, { owned: false, environment: world.environment });
    replies = [];
    // The server tells who it is.
    await world.advance(0);
  });

  function send(...commands: readonly LockCommand[]): void {
    for (const command of commands) {
      node.execute(command, (reply) => {
        replies.push(
          `${command.kind} ${command.key} ${reply.kind === 'failed' ? `failed sent=${reply.sent}` : reply.kind}`,
        );
      });
    }
  }

  it('travel together, and one alone as it is', async () => {
    send(acquireOf('k', 'a'), releaseOf('l', 'b'), acquireOf('m', 'c', { tokenHint: 5 }));
    expect(client.sent).toEqual([]);
    await world.advance(0);
    send(acquireOf('n', 'd'));
    await world.advance(0);
    send(releaseOf('n', 'd'));
    await world.advance(0);
    expect(client.sent).toEqual([
      'eval 4 k l m m{m}:fencing-counter acquire 1 10000 a release 1 b acquire-token 1 10000 5 c',
      'set n d PX 10000 NX',
      'eval 1 n d',
    ]);
    client.answers[0]?.give([1, 0, null]);
    await world.advance(0);
    expect(replies).toEqual(['acquire k granted', 'release l absent', 'acquire m held']);
  });

  it('may come from whatever the promises of that tick set off', async () => {
    send(releaseOf('a', '1'));
    await Promise.resolve();
    expect(client.sent).toHaveLength(1);
    const level = [Promise.resolve(), Promise.resolve(), Promise.resolve()];
    for (const [index, promise] of level.entries()) void promise.then(() => send(releaseOf(`k${index}`, '1')));
    await world.advance(0);
    expect(client.sent.slice(1)).toEqual(['eval 3 k0 k1 k2 release 3 1 1 1']);
  });

  it('are so many at most that no server is blocked, and the first ones leave at once for a server that has nothing to do', async () => {
    send(...Array.from({ length: 250 }, (_, index) => releaseOf(`k${index}`, 'v')));
    expect(client.sent).toHaveLength(3);
    await world.advance(0);
    expect(client.sent.map((words) => words.split(' ')[1])).toEqual(['20', '100', '100', '30']);
    expect(client.sent.map((words) => words.split(' ')[0])).toEqual(['eval', 'evalsha', 'evalsha', 'evalsha']);
    client.answers[0]?.give(new Array(20).fill(1));
    await world.advance(0);
    // The server still works on the others.
    send(...Array.from({ length: 50 }, (_, index) => releaseOf(`k${index}`, 'v')));
    await world.advance(0);
    expect(client.sent.slice(4).map((words) => words.split(' ')[1])).toEqual(['50']);
  });

  it('go one by one to a cluster, where their keys lie apart', async () => {
    client.isCluster = true;
    send(releaseOf('a', '1'), releaseOf('b', '2'));
    await world.advance(0);
    expect(client.sent).toEqual(['eval 1 a 1', 'evalsha 1 b 2']);
  });

  it('are sent whole again when the server has forgotten the script, but for those that are late by then', async () => {
    send(releaseOf('a', '1'), releaseOf('b', '2'));
    await world.advance(0);
    send(releaseOf('a', '1', 100), releaseOf('b', '2'), acquireOf('c', '3'));
    await world.advance(0);
    await world.advance(200);
    client.answers[1]?.fail(new Error('NOSCRIPT No matching script'));
    await world.advance(0);
    expect(client.sent[2]).toBe('eval 2 b c release 1 2 acquire 1 10000 3');
    expect(replies).toEqual(['release a failed sent=false']);
    client.answers[2]?.give([1, 1]);
    await world.advance(0);
    expect(replies.slice(1)).toEqual(['release b released', 'acquire c granted']);
  });

  it('fail each for itself when their connection is lost', async () => {
    send(releaseOf('a', '1'), acquireOf('b', '2'));
    await world.advance(0);
    client.answers[0]?.fail(new Error('Connection is closed.'));
    await world.advance(0);
    expect(replies).toEqual(['release a failed sent=true', 'acquire b failed sent=true']);
  });

  it.each([['nothing of the kind'], [[1]], [null]])('fail when %j is answered', async (answer) => {
    send(releaseOf('a', '1'), acquireOf('b', '2'));
    await world.advance(0);
    client.answers[0]?.give(answer);
    await world.advance(0);
    expect(replies).toEqual(['release a failed sent=true', 'acquire b failed sent=true']);
  });

  it('wait in their order when the connection goes before they left', async () => {
    send(acquireOf('a', '1'));
    client.become('close');
    send(releaseOf('a', '1'));
    client.status = 'connecting';
    await world.advance(0);
    expect(client.sent).toEqual([]);
    client.become('ready');
    await world.advance(0);
    expect(client.sent).toEqual(['eval 2 a a acquire 1 10000 1 release 1 1']);
  });

  it('leave before the node quits', async () => {
    send(releaseOf('a', '1'), releaseOf('b', '2'));
    void node.connection.quit();
    await world.advance(0);
    expect(client.sent).toEqual(['eval 2 a b release 2 1 2', 'quit']);
  });

  it('are taken back one by one where their grants come too late', async () => {
    const redlock = new Redlock([node], { environment: world.environment, retryCount: 0, nodeTimeout: 100 });
    const locks = ['r', 's'].map((resource) => watch(redlock.acquire(resource, 1000)));
    await world.advance(100);
    expect(locks.map(({ state }) => state)).toEqual(['rejected', 'rejected']);
    expect(client.sent.slice(1)).toEqual(['eval 1 lock:r value-1', 'evalsha 1 lock:s value-2']);
    // The server says it had nothing to release; then the grant of one arrives after all.
    client.answers[1]?.give(0);
    client.answers[2]?.give(0);
    await world.advance(0);
    client.answers[0]?.give([1, null]);
    await world.advance(0);
    expect(client.sent.slice(3)).toEqual(['evalsha 1 lock:r value-1']);
  });
});

describe.skipIf(!hasRedisServer)(`commands of one tick to a server (${NEEDS_REDIS_SERVER})`, () => {
  let server: RedisServer;
  let direct: Redis;
  let nodes: IoredisNode[];

  beforeAll(async () => {
    server = await startRedisServer();
    direct = new Redis(server.port, '127.0.0.1');
  });
  afterAll(async () => {
    direct.disconnect();
    await server[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    nodes = [];
    await direct.flushall();
  });
  afterEach(async () => {
    await direct.config('SET', 'maxmemory', '0');
    await Promise.all(nodes.map((node) => node.connection.quit()));
  });

  function nodeOf(client: IoredisClient): IoredisNode {
    const node = new IoredisNode('the node', client, { owned: true, environment: systemEnvironment });
    nodes.push(node);
    return node;
  }

  function askTogether(node: IoredisNode, commands: readonly LockCommand[]): Promise<LockReply[]> {
    return Promise.all(commands.map((command) => new Promise<LockReply>((resolve) => node.execute(command, resolve))));
  }

  describe.each<[string, (port: number) => IoredisClient]>([
    ['ioredis 6', (port) => new Redis({ port, stringNumbers: true })],
    ['ioredis 5', (port) => new Redis5({ port, keyPrefix: 'app:' })],
    ['ioredis 6 in RESP3', (port) => new Redis({ port, protocol: 3 })],
  ])('by %s', (_name, connect) => {
    it('what fails alone fails alone among others, with the same words', async () => {
      const node = nodeOf(connect(server.port));
      await askTogether(node, [acquireOf('list', 'x')]);
      for (const name of await direct.keys('*list')) {
        await direct.del(name);
        await direct.lpush(name, 'not a lock');
      }
      const bad = releaseOf('list', 'x');
      const [aloneReply] = await askTogether(node, [bad]);
      const together = await askTogether(node, [acquireOf('r', 'a'), bad, acquireOf('r', 'b'), releaseOf('r', 'a')]);
      expect(together.map(({ kind }) => kind)).toEqual(['granted', 'failed', 'held', 'released']);
      const messages = [aloneReply, together[1]].map((reply) => (reply?.kind === 'failed' ? reply.error.message : ''));
      const words = /^the node: WRONGTYPE Operation against .*\(the key belongs to something else: set a `keyPrefix`/;
      for (const message of messages) expect(message).toMatch(words);
    });

    it('a full server refuses what needs memory, and goes on with the rest', async () => {
      const node = nodeOf(connect(server.port));
      await askTogether(node, [acquireOf('held', 'a')]);
      await direct.config('SET', 'maxmemory', '1');
      const commands = [acquireOf('held', 'b'), acquireOf('free', 'c'), acquireOf('held', 'a', { fresh: false })];
      const replies = await askTogether(node, [...commands, releaseOf('held', 'a')]);
      expect(replies.map(({ kind }) => kind)).toEqual(['held', 'failed', 'granted', 'released']);
      expect(replies[1]).toMatchObject({
        error: { message: expect.stringMatching(/^the node: OOM .*the server is out of memory/) as string },
      });
    });

    it('a broken counter fails its own command only', async () => {
      const node = nodeOf(connect(server.port));
      await askTogether(node, [acquireOf('r', 'a', { tokenHint: 7 }), releaseOf('r', 'a')]);
      for (const name of await direct.keys('*fencing-counter')) await direct.set(name, 'x');
      const commands = [acquireOf('r', 'b', { tokenHint: 7 }), acquireOf('s', 'c', { tokenHint: 9 })];
      const replies = await askTogether(node, commands);
      expect(replies).toMatchObject([
        { kind: 'failed', error: { message: expect.stringContaining('does not hold a whole number') as string } },
        { kind: 'granted', token: 9 },
      ]);
    });
  });
});
