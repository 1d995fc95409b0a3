import { describe, expect, it } from 'vitest';
import { type FakeNode, FakeWorld, watch, type Watched } from '../test/fake-world.ts';
import { ContendedError, InvalidOptionError, UnreachableError } from './errors.ts';
import type { AcquiredLock } from './lock.ts';
import type { AcquireOptions, RedlockOptions } from './options.ts';
import { exponentialRetry, fixedRetry, type RetryPolicy } from './retry.ts';

const TTL_MS = 1000;

interface Acquiring {
  readonly world: FakeWorld;
  readonly nodes: readonly FakeNode[];
  readonly lock: Watched<AcquiredLock>;
  /** When each attempt began, from the call of acquire on. */
  readonly attemptsAtMs: number[];
}

/** An acquire of a lock that somebody else holds for ever, on nodes that answer at once. */
function acquireHeld(options: AcquireOptions, redlockOptions: RedlockOptions = {}, fraction = 0): Acquiring {
  const world = new FakeWorld();
  world.fraction = fraction;
  const nodes = world.nodes(3);
  const startedMs = world.nowMs;
  const attemptsAtMs: number[] = [];
  for (const node of nodes) {
    node.occupy('somebody', 1e9);
    node.latencyMs = 0;
  }
  if (nodes[0] !== undefined) {
    nodes[0].fate = ({ kind }) => {
      if (kind === 'acquire') attemptsAtMs.push(world.nowMs - startedMs);
      return undefined;
    };
  }
  const lock = watch(world.redlock(nodes, redlockOptions).acquire('r', TTL_MS, options));
  return { world, nodes, lock, attemptsAtMs };
}

describe('the retries of acquire', () => {
  it.each<[string, AcquireOptions, RedlockOptions, number[]]>([
    ['of its policy', { retry: fixedRetry({ count: 2, delay: 10, jitter: 4 }) }, {}, [0, 12, 24]],
    ["of its Redlock's policy", {}, { retryCount: undefined, retry: fixedRetry({ count: 1, delay: 30 }) }, [0, 80]],
    ['of an exponential policy', { retry: exponentialRetry({ count: 4, base: 8, cap: 30 }) }, {}, [0, 4, 12, 27, 42]],
    ['of its own policy instead', { retry: fixedRetry({ count: 1, delay: 5, jitter: 0 }) }, { retryCount: 9 }, [0, 5]],
    [
      "of its Redlock's policy, but so many",
      { retryCount: 2 },
      { retryCount: undefined, retry: exponentialRetry({ count: 9, base: 8 }) },
      [0, 4, 12],
    ],
    [
      'a fixed delay instead, but as many',
      { retryDelay: 7, retryJitter: 0 },
      { retryCount: undefined, retry: exponentialRetry({ count: 2 }) },
      [0, 7, 14],
    ],
    ['of a jitter alone', { retryJitter: 20 }, { retryCount: 1, retryDelay: 30 }, [0, 40]],
    ['of the options of its Redlock', {}, { retryCount: 1, retryDelay: 30, retryJitter: 2 }, [0, 31]],
  ])('are those %s', async (_whose, options, redlockOptions, expected) => {
    const { world, lock, attemptsAtMs } = acquireHeld(options, redlockOptions, 0.5);
    await world.advance(10_000);
    expect(attemptsAtMs).toEqual(expected);
    expect(lock.error).toBeInstanceOf(ContendedError);
  });

  it.each([-1, Number.POSITIVE_INFINITY])('never end with a count of %d', async (retryCount) => {
    const { world, lock, attemptsAtMs } = acquireHeld({ retryCount, retryDelay: 10, retryJitter: 0 });
    await world.advance(10_000);
    expect(attemptsAtMs).toHaveLength(1001);
    expect(lock.state).toBe('pending');
  });

  it('draw once for each delay, and tell a policy how many attempts failed', async () => {
    const seen: [number, number][] = [];
    const policy: RetryPolicy = {
      count: 3,
      delayMs(failures, drawn) {
        seen.push([failures, drawn]);
        return this.count;
      },
    };
    const { world, attemptsAtMs } = acquireHeld({ retry: policy }, {}, 0.25);
    await world.advance(100);
    expect(seen).toEqual([
      [1, 0.25],
      [2, 0.25],
      [3, 0.25],
    ]);
    expect(attemptsAtMs).toEqual([0, 3, 6, 9]);
  });

  it.each<[string, () => number]>([
    ['throws', () => JSON.parse('{') as number],
    ['gives no delay', () => Number.NaN],
  ])('end with an error when the policy %s', async (_what, delayMs) => {
    const { world, lock, nodes } = acquireHeld({ retry: { count: -1, delayMs } });
    await world.advance(100);
    expect(lock.state).toBe('rejected');
    expect(nodes[0]?.kinds()).toEqual(['acquire', 'release']);
    expect(world.armedTimers).toBe(0);
  });

  it.each<[string, AcquireOptions]>([
    ['retryCount cannot stand beside', { retry: fixedRetry(), retryCount: 1 }],
    ['retryDelay cannot stand beside', { retry: fixedRetry(), retryDelay: 1 }],
    ['retryJitter cannot stand beside', { retry: fixedRetry(), retryJitter: 1 }],
    ['retry must be a RetryPolicy', { retry: 5 as never }],
    ['retry must be a RetryPolicy', { retry: { count: -2, delayMs: () => 1 } }],
    ['retry must be a RetryPolicy', { retry: { count: 1 } as never }],
    ['deadline must be', { deadline: 0 }],
    ['deadline must be', { deadline: Number.POSITIVE_INFINITY }],
    ['retryCount must be a whole number from -1, or Infinity', { retryCount: Number.NEGATIVE_INFINITY }],
  ])('are refused: %s', async (message, options) => {
    const { world, lock, attemptsAtMs } = acquireHeld(options);
    await world.advance(1);
    expect(lock.error).toBeInstanceOf(InvalidOptionError);
    expect((lock.error as Error).message).toContain(message);
    expect(attemptsAtMs).toEqual([]);
    expect(() => new FakeWorld().redlock(new FakeWorld().nodes(1), { retryCount: undefined, ...options })).toThrow(
      message,
    );
  });
});

describe('the deadline of acquire', () => {
  const retry = fixedRetry({ count: -1, delay: 30, jitter: 0 });

  it('ends the retries, and does not wait for one that would come to nothing', async () => {
    const { world, lock, attemptsAtMs } = acquireHeld({ retry, deadline: 100 });
    await world.advance(89);
    expect(lock.state).toBe('pending');
    await world.advance(1);
    expect(attemptsAtMs).toEqual([0, 30, 60, 90]);
    expect(lock.error).toBeInstanceOf(ContendedError);
    expect((lock.error as Error).message).toBe(
      'No quorum granted the lock on "r" in 4 attempts within 100 ms (0 of 3 granted, 2 held, 1 not awaited)',
    );
    expect(world.armedTimers).toBe(0);
  });

  it('does not begin a retry at the deadline itself', async () => {
    const { world, attemptsAtMs } = acquireHeld({ retry, deadline: 90 });
    await world.advance(1000);
    expect(attemptsAtMs).toEqual([0, 30, 60]);
  });

  it('may be that of the Redlock', async () => {
    const { world, attemptsAtMs } = acquireHeld({ retry }, { deadline: 50 });
    await world.advance(1000);
    expect(attemptsAtMs).toEqual([0, 30]);
  });

  it('cuts an attempt, which is then cleaned up', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    for (const node of nodes) node.latencyMs = 80;
    const lock = watch(
      world.redlock(nodes, { retryCount: -1, nodeTimeout: 500 }).acquire('r', TTL_MS, { deadline: 50 }),
    );
    expect(nodes[0]?.commands[0]).toMatchObject({ kind: 'acquire', timeoutMs: 50 });
    await world.advance(49);
    expect(lock.state).toBe('pending');
    await world.advance(1);
    expect(lock.error).toBeInstanceOf(UnreachableError);
    expect((lock.error as Error).message).toContain('in 1 attempt within 50 ms (0 of 3 granted, 3 timed out)');
    // Nobody waits for the clean-up: it has all the time there is.
    expect(nodes[0]?.commands[1]).toMatchObject({ kind: 'release', timeoutMs: 500 });
    await world.advance(80);
    expect(nodes.map((node) => node.holder())).toEqual([null, null, null]);
  });

  it('cuts the commit of a fencing token', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    nodes.forEach((node, index) => {
      node.counters.set('lock:r', 6_000_000_000 + index);
      node.latencyMs = 20;
      node.fate = ({ kind }) => (kind === 'commit' ? 'lost' : undefined);
    });
    const redlock = world.redlock(nodes, { fencing: true, retryCount: -1, nodeTimeout: 400 });
    const lock = watch(redlock.acquire('r', TTL_MS, { deadline: 50 }));
    await world.advance(49);
    expect(nodes.some((node) => node.kinds().includes('commit'))).toBe(true);
    expect(lock.state).toBe('pending');
    await world.advance(1);
    expect(lock.error).toBeInstanceOf(UnreachableError);
  });

  it('leaves a lock that is granted in time as it would be without', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    const lock = watch(world.redlock(nodes).acquire('r', TTL_MS, { deadline: 5 }));
    await world.advance(1);
    expect(lock.value?.validity).toBe(987);
    await world.advance(10);
    const release = watch((lock.value as AcquiredLock).release());
    expect(nodes[0]?.commands.at(-1)).toMatchObject({ kind: 'release', timeoutMs: 100 });
    await world.advance(1);
    expect(release.state).toBe('resolved');
  });

  it('holds on a busy event loop, too: a retry whose timer comes too late is not begun', async () => {
    const { world, lock, attemptsAtMs } = acquireHeld({ retry, deadline: 100 });
    await world.advance(10);
    world.nowMs += 200;
    await world.advance(1);
    expect(attemptsAtMs).toEqual([0]);
    expect(lock.error).toBeInstanceOf(ContendedError);
  });
});
