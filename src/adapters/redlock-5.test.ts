import { inspect } from 'node:util';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { freePort, hasRedisServer, NEEDS_REDIS_SERVER, type RedisServer } from '../../test/redis-server.ts';
import { useRedisServers } from '../../test/use-redis-servers.ts';
import { ContendedError, ExpiredError, InvalidOptionError, UnreachableError } from '../index.ts';
import { ExecutionError, Lock, Redlock, ResourceLockedError, type Settings } from './redlock-5.ts';

const TTL_MS = 20_000;
/** Short, and yet long enough for a node to answer in time, which is a tenth of it, beside other tests. */
const SHORT_TTL_MS = 1000;
const KEY = 'account';

async function reasonOf(promise: Promise<unknown>): Promise<ExecutionError> {
  const error: unknown = await promise.catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(ExecutionError);
  return error as ExecutionError;
}

describe.skipIf(!hasRedisServer)(`the adapter of redlock 5 (${NEEDS_REDIS_SERVER})`, () => {
  const { servers, direct } = useRedisServers(3);
  const redlocks: Redlock[] = [];

  afterEach(async () => {
    for (const server of servers) server.resume();
    await Promise.all(redlocks.splice(0).map((redlock) => redlock.quit()));
  });

  function connect(): Redis[] {
    return servers.map(({ port }) => new Redis(port, '127.0.0.1'));
  }

  function redlockOf(settings: Partial<Settings> = {}, clients: Iterable<Redis> = connect()): Redlock {
    const redlock = new Redlock(clients, { retryCount: 0, ...settings });
    redlocks.push(redlock);
    return redlock;
  }

  const holdElsewhere = (key: string, nodes = [0, 1, 2]): Promise<unknown> =>
    Promise.all(direct.filter((_, index) => nodes.includes(index)).map((client) => client.set(key, 'another')));
  const valuesOf = (key: string): Promise<unknown[]> => Promise.all(direct.map((client) => client.get(key)));

  it('locks, with the fields that a lock had', async () => {
    const clients = connect();
    const redlock = redlockOf({}, new Set(clients));
    const beforeMs = Date.now();
    const lock = await redlock.acquire(['b', 'a'], TTL_MS);
    expect(lock).toBeInstanceOf(Lock);
    expect(lock.redlock).toBe(redlock);
    expect(lock.resources).toEqual(['b', 'a']);
    // A quorum is enough to go on.
    await expect.poll(() => valuesOf('a')).toEqual([lock.value, lock.value, lock.value]);
    const driftMs = TTL_MS * 0.01 + 2;
    expect(lock.expiration).toBeGreaterThanOrEqual(beforeMs + TTL_MS - driftMs - 1);
    expect(lock.expiration).toBeLessThanOrEqual(Date.now() + TTL_MS - driftMs);
    const [stats, ...others] = await Promise.all(lock.attempts);
    expect(others).toEqual([]);
    expect(stats).toMatchObject({ membershipSize: 3, quorumSize: 2, votesAgainst: new Map() });
    expect(stats?.votesFor.size).toBeGreaterThanOrEqual(2);
    for (const client of stats?.votesFor ?? []) expect(clients).toContain(client);
    expect(redlock.clients).toEqual(new Set(clients));
    expect(redlock.settings).toMatchObject({ driftFactor: 0.01, retryDelay: 200, automaticExtensionThreshold: 500 });
  });

  it('extends to the same lock, and never makes it shorter', async () => {
    const lock = await redlockOf().acquire([KEY], TTL_MS);
    const { expiration } = lock;
    expect(await lock.extend(3 * TTL_MS)).toBe(lock);
    expect(lock.expiration).toBeGreaterThan(expiration + TTL_MS);
    await expect.poll(() => direct[0]?.pttl(KEY)).toBeGreaterThan(2 * TTL_MS);
    const extended = lock.expiration;
    await lock.extend(TTL_MS);
    // Both are read off two clocks, of which one counts whole milliseconds.
    expect(Math.abs(lock.expiration - extended)).toBeLessThanOrEqual(2);
    expect(await direct[0]?.pttl(KEY)).toBeGreaterThan(2 * TTL_MS);
  });

  it('releases, also what was released or is over', async () => {
    const redlock = redlockOf({ retryCount: 10 });
    const lock = await redlock.acquire([KEY], TTL_MS);
    const releasing = lock.release();
    expect(lock.expiration).toBe(0);
    const { attempts, start } = await releasing;
    expect(attempts).toEqual([]);
    expect(Math.abs(start - Date.now())).toBeLessThan(TTL_MS);
    await expect.poll(() => valuesOf(KEY)).toEqual([null, null, null]);
    await redlock.release(lock);
    const short = await redlock.acquire([KEY], SHORT_TTL_MS);
    const isOver = (): unknown => Date.now() > short.expiration && direct[0]?.exists(KEY);
    await expect.poll(isOver, { timeout: 10 * SHORT_TTL_MS }).toBe(0);
    await short.release();
    expect((await reasonOf(short.extend(TTL_MS))).attempts).toEqual([]);
  });

  it('an acquire that fails says who voted how in each of its attempts', async () => {
    const clients = connect();
    await holdElsewhere(KEY, [1, 2]);
    const error = await reasonOf(
      redlockOf({ retryCount: 2, retryDelay: 5, retryJitter: 5 }, clients).acquire([KEY], TTL_MS),
    );
    expect(error.name).toBe('ExecutionError');
    expect(error.cause).toBeInstanceOf(ContendedError);
    const attempts = await Promise.all(error.attempts);
    expect(attempts).toHaveLength(3);
    for (const { membershipSize, quorumSize, votesFor, votesAgainst } of attempts) {
      expect({ membershipSize, quorumSize }).toEqual({ membershipSize: 3, quorumSize: 2 });
      expect(votesFor.has(clients[1] as Redis)).toBe(false);
      expect(new Set(votesAgainst.keys())).toEqual(new Set([clients[1], clients[2]]));
      for (const reason of votesAgainst.values()) expect(reason).toBeInstanceOf(ResourceLockedError);
    }
    await expect.poll(() => valuesOf(KEY)).toEqual([null, 'another', 'another']);
  });

  it('heeds the settings of a call, 0 retries among them', async () => {
    await holdElsewhere(KEY);
    const redlock = redlockOf({ retryCount: 3, retryDelay: 1, retryJitter: 0 });
    expect((await reasonOf(redlock.acquire([KEY], TTL_MS))).attempts).toHaveLength(4);
    expect((await reasonOf(redlock.acquire([KEY], TTL_MS, { retryCount: 0 }))).attempts).toHaveLength(1);
    const routine = (): Promise<never> => Promise.reject(new Error('must not run'));
    expect((await reasonOf(redlock.using([KEY], TTL_MS, { retryCount: 1 }, routine))).attempts).toHaveLength(2);
  });

  it('retries without limit do not pile up attempts', async () => {
    await holdElsewhere(KEY);
    const redlock = redlockOf({ retryCount: -1, retryDelay: 1, retryJitter: 0 });
    let refusals = 0;
    redlock.on('error', () => {
      refusals += 1;
      if (refusals === 20) for (const client of direct) void client.del(KEY);
    });
    const lock = await redlock.acquire([KEY], TTL_MS);
    expect(refusals).toBeGreaterThanOrEqual(20);
    expect(lock.attempts).toHaveLength(1);
  });

  it('emits an error for every node that refuses or fails, and none where nobody listens', async () => {
    const down = new Redis({ port: await freePort(), host: '127.0.0.1', retryStrategy: () => null });
    const redlock = redlockOf({}, [...connect().slice(0, 2), down]);
    await redlock.acquire(['in silence'], TTL_MS);
    await holdElsewhere(KEY, [0]);
    const errors: Error[] = [];
    redlock.on('error', (error: Error) => errors.push(error));
    await reasonOf(redlock.acquire([KEY], TTL_MS));
    await expect.poll(() => errors.filter((error) => error instanceof ResourceLockedError).length).toBe(1);
    await expect.poll(() => errors.filter((error) => error.message.includes('ECONNREFUSED')).length).toBeGreaterThan(0);
  });

  it('a listener that throws changes nothing', async () => {
    const redlock = redlockOf();
    redlock.on('error', () => {
      throw new Error('a bad listener');
    });
    const warnings: string[] = [];
    const note = ({ message }: Error): void => void warnings.push(message);
    process.on('warning', note);
    await holdElsewhere(KEY, [0]);
    await redlock.acquire([KEY], TTL_MS);
    await expect.poll(() => warnings.join()).toContain('a bad listener');
    process.off('warning', note);
  });

  it.each(['extend', 'release'] as const)('%s is tried again while too few nodes answer', async (operation) => {
    const redlock = redlockOf({ retryCount: 50, retryDelay: 10, retryJitter: 0 });
    const lock = await redlock.acquire([KEY], TTL_MS);
    const paused = servers.slice(0, 2);
    for (const server of paused) server.pause();
    redlock.on('error', () => {
      for (const server of paused) server.resume();
    });
    if (operation === 'extend') await lock.extend(2 * TTL_MS);
    else expect((await lock.release()).attempts.length).toBeGreaterThan(0);
  });

  it('an extension without retries says who did not answer', async () => {
    const redlock = redlockOf();
    const lock = await redlock.acquire([KEY], 2000);
    for (const server of servers.slice(0, 2)) server.pause();
    const error = await reasonOf(lock.extend(2000));
    expect(error.cause).toBeInstanceOf(UnreachableError);
    const [stats, ...others] = await Promise.all(error.attempts);
    expect(others).toEqual([]);
    expect(stats?.votesAgainst.size).toBe(2);
    expect(stats?.votesFor.size).toBe(1);
  });

  it('an extension that the nodes refuse leaves the lock where it is', async () => {
    const redlock = redlockOf({ retryCount: 5, retryDelay: 1 });
    const lock = await redlock.acquire([KEY], TTL_MS);
    await expect.poll(() => valuesOf(KEY)).toEqual([lock.value, lock.value, lock.value]);
    await holdElsewhere(KEY, [0, 1]);
    expect((await reasonOf(lock.extend(2 * TTL_MS))).attempts).toHaveLength(1);
    expect(await valuesOf(KEY)).toEqual(['another', 'another', lock.value]);
  });

  it('using extends, and passes on what the routine returns', async () => {
    const redlock = redlockOf({ retryCount: 10 });
    const seen = await redlock.using(
      [KEY],
      SHORT_TTL_MS,
      { automaticExtensionThreshold: SHORT_TTL_MS },
      async (signal, context) => {
        const { value, expiration } = context.lock;
        await expect.poll(() => context.extensions, { timeout: 10 * SHORT_TTL_MS }).toBeGreaterThanOrEqual(2);
        expect(context.lock.expiration).toBeGreaterThan(expiration);
        return { signal, value, held: await direct[0]?.get(KEY), error: signal.error };
      },
    );
    expect(seen.held).toBe(seen.value);
    expect(seen.error).toBeUndefined();
    expect(seen.signal.aborted).toBe(false);
    await expect.poll(() => valuesOf(KEY)).toEqual([null, null, null]);
    expect(await redlock.using([KEY], SHORT_TTL_MS, () => Promise.resolve(1))).toBe(1);
    expect(await redlock.using([KEY], SHORT_TTL_MS, undefined, () => Promise.resolve(2))).toBe(2);
  });

  it('using counts the extensions of its own lock alone', async () => {
    const redlock = redlockOf();
    await redlock.using([KEY], TTL_MS, async (_signal, context) => {
      const other = await redlock.acquire(['another'], TTL_MS);
      await other.extend(TTL_MS);
      expect(context.extensions).toBe(0);
      await context.lock.extend(TTL_MS);
      expect(context.extensions).toBe(1);
      await other.release();
    });
  });

  it('using passes on what the routine throws as it is, even if it is of the library', async () => {
    const own = new ExpiredError('of another lock', 'r', []);
    const routine = (): Promise<never> => Promise.reject(own);
    await expect(redlockOf().using([KEY], TTL_MS, routine)).rejects.toBe(own);
  });

  it('using tells a routine that its lock is lost, and rejects although the routine ended well', async () => {
    const redlock = redlockOf({ retryCount: 10 });
    let told: Error | undefined;
    const error = await reasonOf(
      redlock.using([KEY], SHORT_TTL_MS, async (signal) => {
        await expect.poll(async () => (await valuesOf(KEY)).includes(null)).toBe(false);
        await holdElsewhere(KEY);
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
        told = signal.error;
      }),
    );
    expect(told).toBeInstanceOf(ExecutionError);
    expect(error.message).toBe(told?.message);
    expect(await valuesOf(KEY)).toEqual(['another', 'another', 'another']);
  });

  it('refuses what cannot be done, by name', async () => {
    const clients = connect();
    const refusal = (construct: () => unknown): unknown => {
      try {
        return construct();
      } catch (error) {
        return error instanceof InvalidOptionError ? error.option : error;
      }
    };
    expect(refusal(() => new Redlock([]))).toBe('clients');
    expect(refusal(() => new Redlock(clients, {}, { acquireScript: (lua: string) => lua }))).toBe(
      'scripts.acquireScript',
    );
    expect(refusal(() => new Redlock(clients, { retries: 1 } as object))).toBe('settings.retries');
    expect(refusal(() => new Redlock(clients, { retryCount: '1' } as object))).toBe('settings.retryCount');
    expect(refusal(() => new Redlock(clients, { driftFactor: 1 }))).toBe('settings.driftFactor');
    expect(refusal(() => new Redlock([clients[0], clients[0]] as Redis[]))).toBe('clients[1]');
    const redlock = redlockOf({}, clients);
    const option = (promise: Promise<unknown>): Promise<unknown> =>
      promise.catch((error: unknown) => (error as InvalidOptionError).option);
    expect(await option(redlock.acquire(KEY as unknown as string[], TTL_MS))).toBe('resources');
    expect(await option(redlock.acquire([], TTL_MS))).toMatch(/^resource/);
    expect(await option(redlock.acquire([KEY], 1.5))).toBe('ttl');
    expect(await option(redlock.acquire([KEY], TTL_MS, { driftFactor: 0.5 }))).toBe('settings.driftFactor');
    expect(await option(redlock.using([KEY], TTL_MS, {}))).toBe('routine');
    const byHand = new Lock(redlock, [KEY], 'value', [], Date.now() + TTL_MS);
    expect(await option(byHand.release())).toBe('lock');
    expect(await option(byHand.extend(TTL_MS))).toBe('lock');
    const lock = await redlock.acquire([KEY], TTL_MS, { driftFactor: 0.01 });
    await lock.release();
  });

  it('shows no passwords to whoever prints it', () => {
    const [server] = servers as [RedisServer];
    const client = new Redis({ port: server.port, host: '127.0.0.1', lazyConnect: true });
    client.options.password = 'a secret';
    const redlock = redlockOf({}, [client]);
    const lock = new Lock(redlock, [KEY], 'value', [], 0);
    for (const text of [inspect(redlock, { depth: 9 }), inspect(lock, { depth: 9 }), JSON.stringify([redlock, lock])]) {
      expect(text).not.toContain('a secret');
    }
  });
});
