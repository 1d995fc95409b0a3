import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasRedisServer, NEEDS_REDIS_SERVER, type RedisServer, startRedisServers } from '../test/redis-server.ts';
import { ContendedError, ExpiredError, ExtensionRefusedError } from './errors.ts';
import { Redlock } from './redlock.ts';

const TTL_MS = 1000;

/** Resolves when the signal fires. */
function fired(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(signal.reason), { once: true });
  });
}

describe.skipIf(!hasRedisServer)(`using on real servers (${NEEDS_REDIS_SERVER})`, () => {
  let servers: RedisServer[];
  let redlock: Redlock;
  let rival: Redlock;

  beforeEach(async () => {
    servers = await startRedisServers(3);
    const clients = servers.map(({ port }) => ({ host: '127.0.0.1', port }));
    [redlock, rival] = [0, 1].map(() => new Redlock(clients, { retryCount: 0, nodeTimeout: 2000 })) as [
      Redlock,
      Redlock,
    ];
    // Connections take their time on a busy machine, and are not what is tested.
    for (const each of [redlock, rival]) await (await each.acquire('warm-up', 60_000)).release();
  });
  afterEach(async () => {
    for (const server of servers) server.resume();
    await Promise.all([redlock.quit(), rival.quit()]);
    for (const server of servers) await server[Symbol.asyncDispose]();
  });

  it('keeps others out for longer than the time to live, and lets them in once it has resolved', async () => {
    let extensions = 0;
    let enough: (() => void) | undefined;
    redlock.on('extended', () => {
      extensions += 1;
      if (extensions === 3) enough?.();
    });
    const startedMs = performance.now();
    await redlock.using('r', TTL_MS, async (signal) => {
      await new Promise<void>((resolve) => (enough = resolve));
      expect(signal.aborted).toBe(false);
      await expect(rival.acquire('r', TTL_MS)).rejects.toBeInstanceOf(ContendedError);
    });
    expect(performance.now() - startedMs).toBeGreaterThan(TTL_MS);
    await (await rival.acquire('r', TTL_MS)).release();
  });

  it('fires the signal while all servers hang', async () => {
    const outcome: unknown = await redlock
      .using('r', TTL_MS, async (signal) => {
        for (const server of servers) server.pause();
        expect(await fired(signal)).toBeInstanceOf(ExpiredError);
        return 'too late';
      })
      .catch((error: unknown) => error);
    expect(outcome).toBeInstanceOf(ExpiredError);
  });

  it('fires the signal long before the end when the servers have forgotten the lock', async () => {
    const outcome: unknown = await redlock
      .using('r', 4000, async (signal) => {
        for (const server of servers.slice(0, 2)) {
          await server.kill();
          await server.start();
        }
        expect(await fired(signal)).toBeInstanceOf(ExtensionRefusedError);
        await (await rival.acquire('r', TTL_MS, { retryCount: 5 })).release();
      })
      .catch((error: unknown) => error);
    expect(outcome).toBeInstanceOf(ExtensionRefusedError);
  });

  it('is no hot loop with a small time to live', async () => {
    let extensions = 0;
    redlock.on('started', ({ operation }) => void (extensions += operation.kind === 'extend' ? 1 : 0));
    const startedMs = performance.now();
    await redlock
      .using('r', 40, async (signal) => {
        const over = fired(signal);
        await Promise.race([over, new Promise((resolve) => setTimeout(resolve, 500))]);
      })
      // On a busy machine so short a lock may be lost.
      .catch((error: unknown) => expect(error).toBeInstanceOf(ExpiredError));
    expect(extensions).toBeLessThanOrEqual((performance.now() - startedMs) / 10);
  });
});
