import { inspect } from 'node:util';
import { Redis } from 'ioredis';
import { afterEach, describe, expect, it } from 'vitest';
import { bluebird } from '../../test/original-redlocks.ts';
import { freePort, hasRedisServer, NEEDS_REDIS_SERVER } from '../../test/redis-server.ts';
import { useRedisServers } from '../../test/use-redis-servers.ts';
import { ContendedError, InvalidOptionError } from '../index.ts';
import { Lock, LockError, type Options, Redlock } from './redlock-4.ts';

const TTL_MS = 20_000;
/** Short, and yet long enough for a node to answer in time, which is a tenth of it, beside other tests. */
const SHORT_TTL_MS = 1000;
const KEY = 'account';

async function reasonOf(promise: PromiseLike<unknown>): Promise<LockError> {
  const error: unknown = await promise.then(
    () => 'no error',
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(Redlock.LockError);
  return error as LockError;
}

/** What a callback is called with, once. */
function called<T>(
  call: (callback: (error: unknown, result?: T) => void) => unknown,
): Promise<readonly [unknown, T | undefined]> {
  return new Promise((resolve) => {
    call((error, result) => resolve([error, result]));
  });
}

describe.skipIf(!hasRedisServer)(`the adapter of redlock 4 (${NEEDS_REDIS_SERVER})`, () => {
  const { servers, direct } = useRedisServers(3);
  const redlocks: Redlock[] = [];

  afterEach(async () => {
    for (const server of servers) server.resume();
    await Promise.all(redlocks.splice(0).map((redlock) => redlock.quit()));
  });

  function connect(): Redis[] {
    return servers.map(({ port }) => new Redis(port, '127.0.0.1'));
  }

  function redlockOf(options: Options = {}, clients: Iterable<Redis> = connect()): Redlock {
    const redlock = new Redlock(clients, { retryCount: 0, ...options });
    redlocks.push(redlock);
    return redlock;
  }

  const holdElsewhere = (key: string): Promise<unknown> =>
    Promise.all(direct.map((client) => client.set(key, 'another')));
  const valuesOf = (key: string): Promise<unknown[]> => Promise.all(direct.map((client) => client.get(key)));
  const held = async (key: string, value: string | null): Promise<void> => {
    // A quorum is enough to go on.
    await expect.poll(() => valuesOf(key)).toEqual([value, value, value]);
  };

  it.each(['lock', 'acquire'] as const)('%s locks, with the fields that a lock had', async (method) => {
    const clients = connect();
    const redlock = redlockOf({ retryCount: 7 }, new Set(clients));
    expect(redlock).toMatchObject({
      servers: clients,
      driftFactor: 0.01,
      retryCount: 7,
      retryDelay: 200,
      retryJitter: 100,
    });
    const beforeMs = Date.now();
    const lock = await redlock[method](KEY, TTL_MS);
    expect(lock).toBeInstanceOf(Redlock.Lock);
    expect(lock).toMatchObject({ redlock, resource: [KEY], attempts: 1, attemptsRemaining: 6 });
    const driftMs = TTL_MS * 0.01 + 2;
    expect(lock.expiration).toBeGreaterThanOrEqual(beforeMs + TTL_MS - driftMs - 1);
    expect(lock.expiration).toBeLessThanOrEqual(Date.now() + TTL_MS - driftMs);
    await held(KEY, lock.value);
    await lock.unlock();
    await held(KEY, null);
  });

  it('locks all of several resources or none', async () => {
    const redlock = redlockOf();
    const lock = await redlock.lock(['b', 'a'], TTL_MS);
    expect(lock.resource).toEqual(['b', 'a']);
    for (const key of ['a', 'b']) await held(key, lock.value);
    await reasonOf(redlock.lock(['b', 'c'], TTL_MS));
    await held('c', null);
    await redlock.release(lock);
    for (const key of ['a', 'b']) await held(key, null);
  });

  it('calls back with what comes of each method', async () => {
    const redlock = redlockOf({ retryCount: 1, retryDelay: 1, retryJitter: 0 });
    const [noError, lock] = await called<Lock>((callback) => redlock.lock(KEY, TTL_MS, callback));
    expect(noError).toBeNull();
    expect(lock?.resource).toEqual([KEY]);
    const [contended, nothing] = await called<Lock>((callback) => redlock.acquire(KEY, TTL_MS, callback));
    expect(contended).toBeInstanceOf(LockError);
    expect(nothing).toBeUndefined();
    const options = { retryCount: 0 };
    const [once] = await called<Lock>((callback) => redlock.lockWithOptions(KEY, TTL_MS, options, callback));
    expect((once as LockError).attempts).toBe(1);
    const [again] = await called<Lock>((callback) => redlock.acquireWithOptions(KEY, TTL_MS, options, callback));
    expect((again as LockError).attempts).toBe(1);
    expect(await called<Lock>((callback) => lock?.extend(2 * TTL_MS, callback))).toEqual([null, lock]);
    expect(await called((callback) => lock?.unlock((error) => callback(error)))).toEqual([null, undefined]);
    const [refused] = await called<Lock>((callback) => lock?.extend(TTL_MS, callback));
    expect((refused as LockError).attempts).toBe(0);
    expect(await called<string[]>((callback) => redlock.quit(callback))).toEqual([null, ['OK', 'OK', 'OK']]);
  });

  it('what a callback throws is thrown outside, and is no rejection', async () => {
    const redlock = redlockOf();
    // The test runner's own listeners would take it for a failure.
    const listeners = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException');
    const thrown = new Promise((resolve) => process.once('uncaughtException', resolve));
    const promise = redlock.lock(KEY, TTL_MS, () => {
      throw new Error('of the callback');
    });
    expect(await thrown).toMatchObject({ message: 'of the callback' });
    for (const listener of listeners) process.on('uncaughtException', listener);
    await (await promise).unlock();
  });

  it('tells how many attempts failed, and why', async () => {
    await holdElsewhere(KEY);
    const redlock = redlockOf({ retryCount: 2, retryDelay: 1, retryJitter: 1 });
    const error = await reasonOf(redlock.lock(KEY, TTL_MS));
    expect(error).toMatchObject({ name: 'LockError', attempts: 3 });
    expect(error.cause).toBeInstanceOf(ContendedError);
    expect((await reasonOf(redlock.lockWithOptions(KEY, TTL_MS, { retryCount: 0 }))).attempts).toBe(1);
  });

  it('without a limit of retries, tries until the lock is free', async () => {
    await holdElsewhere(KEY);
    const redlock = redlockOf({ retryCount: -1, retryDelay: 5, retryJitter: 0 });
    const locking = redlock.lock(KEY, TTL_MS);
    await Promise.all(direct.map((client) => client.pexpire(KEY, 100)));
    const lock = await locking;
    expect(lock.attempts).toBeGreaterThan(1);
    expect(lock.attemptsRemaining).toBe(Number.POSITIVE_INFINITY);
  });

  it('extends the lock itself, and never makes it shorter', async () => {
    const lock = await redlockOf().lock(KEY, TTL_MS);
    const { expiration } = lock;
    expect(await lock.extend(3 * TTL_MS)).toBe(lock);
    expect(lock.expiration).toBeGreaterThan(expiration + TTL_MS);
    const extended = lock.expiration;
    await lock.redlock.extend(lock, TTL_MS);
    // Both are read off two clocks, of which one counts whole milliseconds.
    expect(Math.abs(lock.expiration - extended)).toBeLessThanOrEqual(2);
    await expect.poll(() => direct[0]?.pttl(KEY)).toBeGreaterThan(2 * TTL_MS);
  });

  it('an extension is tried again while too few nodes answer', async () => {
    const redlock = redlockOf({ retryCount: 50, retryDelay: 10, retryJitter: 0 });
    const lock = await redlock.lock(KEY, TTL_MS);
    const paused = servers.slice(0, 2);
    for (const server of paused) server.pause();
    let silences = 0;
    redlock.on('clientError', () => {
      silences += 1;
      for (const server of paused) server.resume();
    });
    await lock.extend(2 * TTL_MS);
    expect(silences).toBeGreaterThan(0);
  });

  it('an extension that the nodes refuse fails, and leaves the lock where it is', async () => {
    const redlock = redlockOf({ retryCount: 5, retryDelay: 1 });
    const lock = await redlock.lock(KEY, TTL_MS);
    await held(KEY, lock.value);
    await Promise.all(direct.slice(0, 2).map((client) => client.set(KEY, 'another')));
    expect((await reasonOf(lock.extend(2 * TTL_MS))).attempts).toBe(1);
    expect(await valuesOf(KEY)).toEqual(['another', 'another', lock.value]);
  });

  it('unlocks what is unlocked or over without an error', async () => {
    const redlock = redlockOf({ retryCount: 10 });
    const lock = await redlock.lock(KEY, TTL_MS);
    const unlocking = lock.unlock();
    expect(lock.expiration).toBe(0);
    await unlocking;
    await lock.unlock();
    const short = await redlock.lock(KEY, SHORT_TTL_MS);
    const isOver = (): unknown => Date.now() > short.expiration && direct[0]?.exists(KEY);
    await expect.poll(isOver, { timeout: 10 * SHORT_TTL_MS }).toBe(0);
    expect((await reasonOf(short.extend(TTL_MS))).attempts).toBe(0);
    await short.unlock();
  });

  it('fails to unlock where too few nodes answer', async () => {
    const lock = await redlockOf().lock(KEY, TTL_MS);
    for (const server of servers.slice(0, 2)) server.pause();
    expect((await reasonOf(lock.unlock())).attempts).toBeUndefined();
  });

  it('emits a clientError for a node that fails, and for nothing else', async () => {
    const down = new Redis({ port: await freePort(), host: '127.0.0.1', retryStrategy: () => null });
    const redlock = redlockOf({}, [...connect().slice(0, 2), down]);
    const errors: Error[] = [];
    redlock.on('clientError', (error: Error) => errors.push(error));
    await redlock.lock(KEY, TTL_MS);
    await reasonOf(redlock.lock(KEY, TTL_MS));
    await expect.poll(() => errors.length).toBeGreaterThan(0);
    for (const { message } of errors) expect(message).toContain('ECONNREFUSED');
  });

  it('hands out the promises of bluebird where it is given, and disposers', async () => {
    const redlock = redlockOf({ Promise: bluebird });
    const promise = redlock.lock(KEY, TTL_MS);
    expect(promise).toBeInstanceOf(bluebird);
    await (await promise).unlock();
    let seen: Lock | null = null;
    const result = await bluebird.using(redlock.disposer(KEY, TTL_MS), (lock: Lock) => {
      seen = lock;
      return lock.value;
    });
    await held(KEY, null);
    expect(seen).toMatchObject({ value: result, expiration: 0 });
  });

  it('a disposer tells of an unlock that fails, and of nothing else', async () => {
    const redlock = redlockOf({ Promise: bluebird });
    const failures: unknown[] = [];
    const disposer = redlock.disposer(KEY, TTL_MS, (error) => void failures.push(error));
    await bluebird.using(disposer, (lock: Lock) => {
      lock.resource = ['other'];
    });
    expect(failures).toEqual([expect.any(LockError)]);
    await direct[0]?.flushall();
    const ignored = redlock.disposer('another', TTL_MS);
    await bluebird.using(ignored, (lock: Lock) => {
      lock.value = 'other';
    });
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
    expect(refusal(() => new Redlock(clients, { lockScript: 'return 1' } as object))).toBe('options.lockScript');
    expect(refusal(() => new Redlock(clients, { retries: 1 } as object))).toBe('options.retries');
    expect(refusal(() => new Redlock(clients, { retryDelay: -1 }))).toBe('options.retryDelay');
    expect(refusal(() => new Redlock(clients, { Promise: {} } as object))).toBe('options.Promise');
    const inDatabase = (db: number): Redis => new Redis({ port: servers[0]?.port ?? 0, db, lazyConnect: true });
    expect(refusal(() => new Redlock([inDatabase(1), inDatabase(2)]))).toBe('clients[1]');
    const redlock = redlockOf({}, clients);
    expect(refusal(() => redlock.disposer(KEY, TTL_MS))).toBe('options.Promise');
    await held(KEY, null);
    const option = (promise: Promise<unknown>): Promise<unknown> =>
      promise.catch((error: unknown) => (error as InvalidOptionError).option);
    expect(await option(redlock.lock(KEY, 0))).toBe('ttl');
    expect(await option(redlock.lockWithOptions(KEY, TTL_MS, { driftFactor: 0.1 } as object))).toBe(
      'options.driftFactor',
    );
    const byHand = new Lock(redlock, [KEY], 'value', Date.now() + TTL_MS, 1, 0);
    await reasonOf(byHand.unlock());
    await reasonOf(byHand.extend(TTL_MS));
  });

  it('shows no passwords to whoever prints it', async () => {
    const client = new Redis({ port: servers[0]?.port ?? 0, host: '127.0.0.1', lazyConnect: true });
    client.options.password = 'a secret';
    const redlock = redlockOf({}, [client]);
    const lock = new Lock(redlock, [KEY], 'value', 0, 1, 0);
    for (const text of [inspect(redlock, { depth: 9 }), inspect(lock, { depth: 9 }), JSON.stringify([redlock, lock])]) {
      expect(text).not.toContain('a secret');
    }
    await redlock.quit();
  });
});
