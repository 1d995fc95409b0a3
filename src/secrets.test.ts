import { inspect } from 'node:util';
import { Redis, type RedisOptions } from 'ioredis';
import { Redis as Redis5 } from 'ioredis-5';
import { afterEach, describe, expect, it } from 'vitest';
import { failed, FakeWorld, watch } from '../test/fake-world.ts';
import { freePort, hasRedisServer, NEEDS_REDIS_SERVER, startRedisServer } from '../test/redis-server.ts';
import { InvalidOptionError, type LockError } from './errors.ts';
import type { RedlockClient } from './nodes.ts';
import { Redlock } from './redlock.ts';

const PASSWORD = 'correct horse battery staple';

const redlocks: Redlock[] = [];
afterEach(async () => {
  await Promise.all(redlocks.splice(0).map((redlock) => redlock.quit()));
});

function redlockOf(...clients: RedlockClient[]): Redlock {
  const redlock = new Redlock(clients, { retryCount: 0, nodeTimeout: 2000 });
  redlocks.push(redlock);
  return redlock;
}

/** All that a log could come to hold of a value. */
function printed(value: unknown): string {
  return inspect(value, { depth: 20, showHidden: true }) + JSON.stringify(value);
}

describe('the JSON of', () => {
  it('a lock says what was granted', async () => {
    const world = new FakeWorld();
    const lock = watch(world.redlock(world.nodes(3), { fencing: true }).acquire('r', 1000));
    await world.advance(1);
    expect(JSON.parse(JSON.stringify(lock.value))).toEqual({
      resource: 'r',
      resources: ['r'],
      value: 'value-1',
      attempts: 1,
      token: 5_000_000_000,
      validity: 987,
    });
  });

  it('an error says what failed and what each node said', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    nodes.slice(1).forEach((node) => (node.fate = () => failed(`${node.id}: broken`)));
    const lock = watch(world.redlock(nodes).acquire('r', 1000));
    await world.advance(1);
    expect(JSON.parse(JSON.stringify(lock.error))).toEqual({
      name: 'UnreachableError',
      code: 'unreachable',
      message: (lock.error as LockError).message,
      resource: 'r',
      resources: ['r'],
      outcomes: [
        { node: 'node-1', outcome: 'granted' },
        { node: 'node-2', outcome: 'failed', reason: 'node-2: broken' },
        { node: 'node-3', outcome: 'failed', reason: 'node-3: broken' },
      ],
    });
  });

  it('an error of an option says which', () => {
    expect(JSON.parse(JSON.stringify(new InvalidOptionError('ttl', 'must be positive')))).toEqual({
      name: 'InvalidOptionError',
      code: 'invalid-option',
      message: 'ttl must be positive',
      resource: '',
      resources: [],
      outcomes: [],
    });
  });
});

describe('nobody learns a password', () => {
  it('from a Redlock', async () => {
    const redlock = redlockOf({ host: '127.0.0.1', port: await freePort(), password: PASSWORD, lazyConnect: true });
    expect(printed(redlock)).not.toContain(PASSWORD);
  });

  describe.skipIf(!hasRedisServer)(`(${NEEDS_REDIS_SERVER})`, () => {
    it('from a lock', async () => {
      await using server = await startRedisServer('--requirepass', PASSWORD);
      const redlock = redlockOf({ host: '127.0.0.1', port: server.port, password: PASSWORD });
      const lock = await redlock.acquire('r', 10_000);
      expect(printed(lock)).toContain(lock.value);
      expect(printed([lock, redlock])).not.toContain(PASSWORD);
      await redlock.quit();
    });

    it.each([
      ['ioredis 6', (options: RedisOptions) => new Redis(options as { port: number })],
      ['ioredis 5', (options: RedisOptions) => new Redis5(options as { port: number }) as unknown as Redis],
    ])('from the error of a server that refuses it to %s', async (_version, connect) => {
      await using server = await startRedisServer('--requirepass', 'another one');
      const client = connect({ host: '127.0.0.1', port: server.port, password: PASSWORD });
      // Without a listener ioredis itself prints the error.
      client.on('error', () => undefined);
      const redlock = redlockOf(client);
      const error: unknown = await redlock.acquire('r', 10_000).catch((reason: unknown) => reason);
      expect(printed(error)).toContain('unreachable');
      expect(printed(error)).not.toContain(PASSWORD);
      await redlock.quit();
    });
  });
});
