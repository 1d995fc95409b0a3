import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasRedisServer, NEEDS_REDIS_SERVER, type RedisServer, startRedisServer } from '../test/redis-server.ts';
import { IoredisNode } from './ioredis-node.ts';
import type { LockCommand, LockReply } from './lock-node.ts';
import { connectTo } from './own-client.ts';
import { systemEnvironment } from './system-environment.ts';

const TTL_MS = 600_000;
const PATIENT_MS = 60_000;

function releaseOf(timeoutMs: number, keptMs?: number): LockCommand {
  return { kind: 'release', key: 'lock:r', value: 'a', timeoutMs, ...(keptMs !== undefined && { keptMs }) };
}

const inspect: LockCommand = { kind: 'inspect', key: 'lock:r', timeoutMs: PATIENT_MS };

describe.skipIf(!hasRedisServer)(`a release that was lost with the connection (${NEEDS_REDIS_SERVER})`, () => {
  let server: RedisServer;
  let client: Redis;
  let node: IoredisNode;

  beforeEach(async () => {
    server = await startRedisServer('--appendonly', 'yes', '--appendfsync', 'always');
    client = connectTo({ host: '127.0.0.1', port: server.port }, systemEnvironment);
    node = new IoredisNode('the node', client, { owned: true, environment: systemEnvironment });
    const direct = new Redis(server.port, '127.0.0.1');
    await direct.set('lock:r', 'a', 'PX', TTL_MS);
    direct.disconnect();
    // Connected, and told who the server is.
    await ask(inspect);
  });
  afterEach(async () => {
    await node.connection.quit();
    await server[Symbol.asyncDispose]();
  });

  function ask(command: LockCommand): Promise<LockReply> {
    return new Promise((resolve) => {
      node.execute(command, resolve);
    });
  }

  function next(event: string): Promise<void> {
    return new Promise((resolve) => client.once(event, () => resolve()));
  }

  /** Kills the server before it runs what it is sent. */
  async function loseWhile(send: () => void): Promise<void> {
    server.pause();
    send();
    await new Promise((resolve) => setImmediate(resolve));
    const closed = next('close');
    await server.kill();
    await closed;
  }

  /** Starts the server again, and resolves to whether the key is there once all that came before was done. */
  async function keyLaterOn(): Promise<string | null> {
    const ready = next('ready');
    await server.start();
    await ready;
    const reply = await ask(inspect);
    return reply.kind === 'inspected' ? reply.value : reply.kind;
  }

  it.each([1, 2])('is sent again while its caller waits, alone or with others (%s)', async (count) => {
    const replies: Promise<LockReply>[] = [];
    server.pause();
    for (let each = 0; each < count; each += 1) replies.push(ask(releaseOf(PATIENT_MS)));
    await new Promise((resolve) => setImmediate(resolve));
    // The connection is cut, and the server is there: it gets what it had not read, and then the same once more.
    client.disconnect(true);
    server.resume();
    const kinds = (await Promise.all(replies)).map(({ kind }) => kind);
    expect(kinds.every((kind) => kind === 'released' || kind === 'absent')).toBe(true);
    expect(await ask(inspect)).toEqual({ kind: 'inspected', value: null, remainingMs: null });
  });

  it('fails when the server does not come back at once, and is sent all the same when it does', async () => {
    const replies: Promise<LockReply>[] = [];
    await loseWhile(() => void replies.push(ask(releaseOf(PATIENT_MS, TTL_MS))));
    expect(await replies[0]).toMatchObject({ kind: 'failed' });
    expect(await keyLaterOn()).toBeNull();
  });

  it('is sent when the server comes back, where it found it down', async () => {
    const reconnecting = next('reconnecting');
    await loseWhile(() => undefined);
    await reconnecting;
    expect(await ask(releaseOf(PATIENT_MS, TTL_MS))).toMatchObject({ kind: 'failed', sent: false });
    expect(await keyLaterOn()).toBeNull();
  });

  it.each([undefined, 0, 1])(
    'is not sent when its key may be anew there, or is over: kept for %s ms',
    async (keptMs) => {
      const replies: Promise<LockReply>[] = [];
      await loseWhile(() => void replies.push(ask(releaseOf(PATIENT_MS, keptMs))));
      expect(await replies[0]).toMatchObject({ kind: 'failed' });
      expect(await keyLaterOn()).toBe('a');
    },
  );
});
