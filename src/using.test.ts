import { describe, expect, it } from 'vitest';
import { failed, type FakeNode, FakeWorld, watch, type Watched } from '../test/fake-world.ts';
import type { Environment } from './environment.ts';
import { ContendedError, ExpiredError, ExtensionRefusedError, InvalidOptionError, UnreachableError } from './errors.ts';
import type { AcquiredLock } from './lock.ts';
import type { RedlockOptions, UsingOptions } from './options.ts';
import type { Redlock } from './redlock.ts';

const TTL_MS = 1000;
/** 1000 ms, less 1 % and 2 ms. */
const LONGEST_VALIDITY_MS = 988;
/** How much sooner than the validity the signal ends. */
const LEAD_MS = 2;

/** A routine that ends when a test says so. */
class Work<T = string> {
  readonly outcome: Watched<T>;
  signal: AbortSignal = new AbortController().signal;
  lock!: AcquiredLock;
  /** When the signal fired, by the monotonic clock; undefined before. */
  abortedAtMs: number | undefined;
  begun = 0;
  finish!: (value: T) => void;
  fail!: (error: unknown) => void;
  private readonly done = new Promise<T>((resolve, reject) => {
    this.finish = resolve;
    this.fail = reject;
  });

  constructor(world: FakeWorld, redlock: Redlock, options: UsingOptions = {}, ttlMs = TTL_MS) {
    this.outcome = watch(
      redlock.using('r', ttlMs, options, (signal, lock) => {
        this.begun += 1;
        this.signal = signal;
        this.lock = lock;
        signal.addEventListener('abort', () => (this.abortedAtMs = world.nowMs));
        return this.done;
      }),
    );
  }
}

interface Working {
  readonly world: FakeWorld;
  readonly nodes: readonly FakeNode[];
  readonly redlock: Redlock;
  readonly work: Work;
  readonly grantedAtMs: number;
}

/** Work that began a millisecond after its `using`. */
async function working(
  options: UsingOptions = {},
  ttlMs = TTL_MS,
  redlockOptions: RedlockOptions = {},
): Promise<Working> {
  const world = new FakeWorld();
  const nodes = world.nodes(3);
  const redlock = world.redlock(nodes, redlockOptions);
  const work = new Work(world, redlock, options, ttlMs);
  await world.advance(1);
  return { world, nodes, redlock, work, grantedAtMs: world.nowMs };
}

function commandsOf(nodes: readonly FakeNode[], kind: string): number {
  return nodes[0]?.kinds().filter((each) => each === kind).length ?? 0;
}

function hang(nodes: readonly FakeNode[]): void {
  for (const node of nodes) node.fate = () => 'lost';
}

/** The reason of a rejection, which is also that of the signal. */
function lossOf({ outcome, signal }: Work): unknown {
  expect(outcome.state).toBe('rejected');
  expect(signal.reason).toBe(outcome.error);
  return outcome.error;
}

describe('using', () => {
  it('runs the routine under the lock, resolves to its result, and has released the lock by then', async () => {
    const { world, nodes, work } = await working();
    expect(work.lock.resource).toBe('r');
    expect(nodes.map((node) => node.holder())).toEqual(nodes.map(() => work.lock.value));
    work.finish('result');
    await world.advance(0);
    expect(work.outcome.state).toBe('pending');
    await world.advance(1);
    expect(work.outcome).toEqual({ state: 'resolved', value: 'result' });
    expect(nodes.map((node) => node.holder())).toEqual([null, null, null]);
    expect(work.signal.aborted).toBe(false);
    expect(world.armedTimers).toBe(0);
  });

  it('takes a routine without options, one that is no promise, and an array of one name', async () => {
    const world = new FakeWorld();
    const redlock = world.redlock(world.nodes(3));
    const outcomes = [
      watch(redlock.using('a', TTL_MS, () => 1)),
      watch(redlock.using(['b'], TTL_MS, (_signal, lock) => lock.resource)),
      watch(redlock.using(['d', 'c'], TTL_MS, (_signal, lock) => lock.resources)),
    ];
    await world.advance(2);
    expect(outcomes).toEqual([
      { state: 'resolved', value: 1 },
      { state: 'resolved', value: 'b' },
      { state: 'resolved', value: ['c', 'd'] },
    ]);
  });

  it('rejects like acquire, and then does not run the routine', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    for (const node of nodes) node.occupy();
    const work = new Work(world, world.redlock(nodes));
    await world.advance(1);
    expect(work.outcome.error).toBeInstanceOf(ContendedError);
    expect(work.begun).toBe(0);
  });

  it('passes the options of acquire on', async () => {
    const { work } = await working({ lockValue: 'mine' });
    expect(work.lock.value).toBe('mine');
  });

  it.each([
    ['routine must be a function', (redlock: Redlock) => redlock.using('r', TTL_MS, 5 as never)],
    ['routine must be a function', (redlock: Redlock) => redlock.using('r', TTL_MS, {}, null as never)],
    ['ttl must be', (redlock: Redlock) => redlock.using('r', -1, () => 1)],
    ['extensionLimit must be', (redlock: Redlock) => redlock.using('r', TTL_MS, { extensionLimit: -2 }, () => 1)],
    ['extend is not an option', (redlock: Redlock) => redlock.using('r', TTL_MS, { extend: 1 } as never, () => 1)],
    ['options must be an object', (redlock: Redlock) => redlock.using('r', TTL_MS, null as never, () => 1)],
    ['resources must not be an empty array', (redlock: Redlock) => redlock.using([], TTL_MS, () => 1)],
    ['resources[0] must be a string', (redlock: Redlock) => redlock.using([5] as never, TTL_MS, () => 1)],
  ])('says that %s', async (message, use) => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    const outcome = watch(use(world.redlock(nodes)));
    await world.advance(10);
    expect(outcome.error).toBeInstanceOf(InvalidOptionError);
    expect((outcome.error as Error).message).toContain(message);
    expect(nodes[0]?.commands).toEqual([]);
  });

  it("rejects with the routine's own error, thrown at once or later", async () => {
    const error = new Error('of the routine');
    const { world, nodes, work, redlock } = await working();
    work.fail(error);
    await world.advance(1);
    expect(work.outcome.error).toBe(error);
    const thrown = watch(
      redlock.using('r', TTL_MS, () => {
        throw error;
      }),
    );
    await world.advance(2);
    expect(thrown.error).toBe(error);
    expect(nodes.map((node) => node.holder())).toEqual([null, null, null]);
    expect(world.armedTimers).toBe(0);
  });

  it("never masks the routine's own error, whatever fails after it", async () => {
    const error = new Error('of the routine');
    const { world, nodes, work } = await working();
    hang(nodes);
    work.fail(error);
    await world.advance(TTL_MS);
    expect(work.outcome.error).toBe(error);

    const late = await working();
    hang(late.nodes);
    await late.world.advance(2 * TTL_MS);
    expect(late.work.signal.aborted).toBe(true);
    late.work.fail(error);
    await late.world.advance(TTL_MS);
    expect(late.work.outcome.error).toBe(error);

    let broken = false;
    const world2 = new FakeWorld();
    const environment: Environment = {
      ...world2.environment,
      clock: {
        ...world2.environment.clock,
        now: () => {
          if (broken) throw new Error('no clock');
          return world2.nowMs;
        },
      },
    };
    const clockless = new Work(world2, world2.redlock(world2.nodes(3), { environment }));
    await world2.advance(1);
    broken = true;
    clockless.fail(error);
    await world2.advance(TTL_MS);
    expect(clockless.outcome.error).toBe(error);
  });

  it('does not lose a result because the release failed', async () => {
    const { world, nodes, work } = await working();
    for (const node of nodes) node.fate = () => failed('down');
    work.finish('result');
    await world.advance(1);
    expect(work.outcome).toEqual({ state: 'resolved', value: 'result' });
  });

  it('lets a routine release its lock early', async () => {
    const { world, nodes, work } = await working();
    const release = watch(work.lock.release());
    await world.advance(3 * TTL_MS);
    expect(release.state).toBe('resolved');
    expect(work.signal.aborted).toBe(false);
    expect(commandsOf(nodes, 'extend')).toBe(0);
    expect(world.armedTimers).toBe(0);
    work.finish('result');
    await world.advance(1);
    expect(work.outcome).toEqual({ state: 'resolved', value: 'result' });
  });
});

describe('automatic extension', () => {
  it('comes when half of the validity is gone, for as long as the routine works', async () => {
    const { world, nodes, work } = await working();
    await world.advance((LONGEST_VALIDITY_MS - 1) / 2);
    expect(commandsOf(nodes, 'extend')).toBe(1);
    expect(nodes[0]?.commands.at(-1)).toMatchObject({ kind: 'extend', value: work.lock.value, ttlMs: TTL_MS });
    for (let second = 0; second < 60; second += 1) {
      await world.advance(1000);
      expect(work.lock.remaining()).toBeGreaterThan(LONGEST_VALIDITY_MS / 2 - 2);
    }
    expect(work.signal.aborted).toBe(false);
    expect(commandsOf(nodes, 'extend')).toBeLessThanOrEqual(1 + 60_000 / ((LONGEST_VALIDITY_MS - 1) / 2));
    work.finish('result');
    await world.advance(1);
    expect(work.outcome.state).toBe('resolved');
    const extensions = commandsOf(nodes, 'extend');
    await world.advance(10 * TTL_MS);
    expect(commandsOf(nodes, 'extend')).toBe(extensions);
    expect(world.armedTimers).toBe(0);
  });

  it.each([6, 10, 13, 20, 25, 30, 50])('is no hot loop with a time to live of %d ms', async (ttlMs) => {
    const { world, nodes, work } = await working({}, ttlMs);
    for (const node of nodes) node.latencyMs = 0;
    await world.advance(1000);
    expect(commandsOf(nodes, 'extend')).toBeLessThanOrEqual(100);
    // Where 10 ms are too long to wait, the lock is not extended, and its end is told in time.
    expect(work.signal.aborted).toBe(ttlMs <= 13);
  });

  it('is no hot loop when extensions fail, either', async () => {
    const { world, nodes } = await working({}, 10_000);
    for (const node of nodes) node.fate = ({ kind }) => (kind === 'extend' ? failed('down') : undefined);
    await world.advance(10_000);
    // Half of 10 seconds, of 5, and so on, down to 10 milliseconds.
    expect(commandsOf(nodes, 'extend')).toBe(10);
  });

  it('is tried again when it failed, and the lock lives on once nodes answer', async () => {
    const { world, nodes, work } = await working();
    hang(nodes);
    await world.advance(800);
    expect(commandsOf(nodes, 'extend')).toBeGreaterThan(1);
    for (const node of nodes) node.fate = () => undefined;
    await world.advance(2 * TTL_MS);
    expect(work.signal.aborted).toBe(false);
    expect(work.lock.remaining()).toBeGreaterThan(LONGEST_VALIDITY_MS / 2 - 2);
  });

  it.each<[string, UsingOptions, RedlockOptions]>([
    ['of the call', { extensionLimit: 3 }, {}],
    ['of the Redlock', {}, { extensionLimit: 3 }],
    ['of the Redlock, though the call allows more', { extensionLimit: 5 }, { extensionLimit: 3 }],
    ['of the call, though the Redlock allows more', { extensionLimit: 3 }, { extensionLimit: 5 }],
  ])('comes no more often than the limit %s, and the last one is used up', async (_whose, options, redlockOptions) => {
    const { world, nodes, work, grantedAtMs } = await working(options, TTL_MS, redlockOptions);
    await world.advance(10 * TTL_MS);
    expect(commandsOf(nodes, 'extend')).toBe(3);
    const half = (LONGEST_VALIDITY_MS - 1) / 2;
    const lastSentAtMs = grantedAtMs + half + 2 * (1 + half);
    expect(work.abortedAtMs).toBe(lastSentAtMs + LONGEST_VALIDITY_MS - LEAD_MS);
    work.finish('too late');
    await world.advance(1);
    expect(lossOf(work)).toBeInstanceOf(ExpiredError);
  });

  it('can be switched off', async () => {
    const { world, nodes, work, grantedAtMs } = await working({ extensionLimit: 0 });
    await world.advance(TTL_MS);
    expect(commandsOf(nodes, 'extend')).toBe(0);
    expect(work.abortedAtMs).toBe(grantedAtMs - 1 + LONGEST_VALIDITY_MS - LEAD_MS);
  });

  it('does not count failures towards its limit', async () => {
    const { world, nodes, work } = await working({ extensionLimit: 1 });
    hang(nodes);
    await world.advance(700);
    for (const node of nodes) node.fate = () => undefined;
    await world.advance(500);
    expect(work.signal.aborted).toBe(false);
  });

  it('ends when the Redlock is closed, and the lock is relied on until it ends', async () => {
    const { world, nodes, redlock, work, grantedAtMs } = await working();
    await redlock.close();
    await world.advance(2 * TTL_MS);
    expect(commandsOf(nodes, 'extend')).toBe(0);
    expect(work.abortedAtMs).toBe(grantedAtMs - 1 + LONGEST_VALIDITY_MS - LEAD_MS);
    expect((work.signal.reason as Error).message).toBe(
      'The lock on "r" ended before the work under it: The Redlock was closed: the lock on "r" cannot be extended',
    );
  });

  it('is not asked for again once it was refused for good', async () => {
    const { world, redlock, work } = await working();
    const refused: unknown[] = [];
    redlock.on('failed', ({ operation }) => refused.push(operation.kind));
    await redlock.close();
    await world.advance(2 * TTL_MS);
    expect(work.signal.aborted).toBe(true);
    expect(refused).toEqual(['extend']);
  });

  it('that succeeded leaves no failure before it to tell of', async () => {
    const { world, nodes, work } = await working({ extensionLimit: 1 });
    for (const node of nodes) node.fate = () => failed('down');
    await world.advance(600);
    for (const node of nodes) node.fate = () => undefined;
    await world.advance(2 * TTL_MS);
    expect(commandsOf(nodes, 'extend')).toBe(2);
    const reason = work.signal.reason as ExpiredError;
    expect(reason.message).toBe('The lock on "r" ended before the work under it');
    expect(reason.cause).toBeUndefined();
  });

  it("leaves the routine's own extensions alone", async () => {
    const { world, nodes, work, grantedAtMs } = await working({ extensionLimit: 0 });
    await world.advance(100);
    const extension = watch(work.lock.extend(5000));
    await world.advance(1);
    expect(extension.state).toBe('resolved');
    await world.advance(10_000);
    expect(commandsOf(nodes, 'extend')).toBe(1);
    expect(work.abortedAtMs).toBe(grantedAtMs + 100 + 5000 - 50 - 2 - LEAD_MS);
  });
});

describe('the signal', () => {
  it.each<[string, (nodes: readonly FakeNode[]) => void]>([
    ['hang', hang],
    ['answer after the end', (nodes) => nodes.forEach((node) => (node.answerLatencyMs = 5000))],
    ['fail', (nodes) => nodes.forEach((node) => (node.fate = () => failed('down')))],
    [
      'throw',
      (nodes) =>
        nodes.forEach(
          (node) =>
            (node.fate = () => {
              throw new Error('broken');
            }),
        ),
    ],
  ])('fires before the validity ends when nodes %s', async (_how, breakNodes) => {
    const { world, nodes, work, grantedAtMs } = await working({}, TTL_MS, { nodeTimeout: 100_000 });
    breakNodes(nodes);
    await world.advance(LONGEST_VALIDITY_MS - 1 - LEAD_MS - 0.5);
    expect(work.signal.aborted).toBe(false);
    await world.advance(0.5);
    expect(work.signal.aborted).toBe(true);
    expect(work.abortedAtMs).toBe(grantedAtMs - 1 + LONGEST_VALIDITY_MS - LEAD_MS);
    expect(work.lock.remaining()).toBe(LEAD_MS);
    expect(work.signal.reason).toBeInstanceOf(ExpiredError);
    await world.advance(100_000);
    expect(world.armedTimers).toBe(0);
  });

  it('says why the lock could not be extended', async () => {
    const { world, nodes, work } = await working();
    for (const node of nodes) node.fate = () => failed('down');
    await world.advance(TTL_MS);
    const reason = work.signal.reason as ExpiredError;
    expect(reason.message).toBe(
      'The lock on "r" ended before the work under it: Too few nodes answered to extend the lock on "r" (0 of 3 extended, 2 failed, 1 not awaited; down)',
    );
    expect(reason.cause).toBeInstanceOf(UnreachableError);
    expect(reason.resource).toBe('r');
  });

  it('fires at once when a quorum does not hold the lock any more, for others can have it then', async () => {
    const { world, nodes, work } = await working();
    for (const node of nodes.slice(1)) node.keys.clear();
    await world.advance((LONGEST_VALIDITY_MS - 1) / 2 + 1);
    expect(work.signal.reason).toBeInstanceOf(ExtensionRefusedError);
    expect(world.armedTimers).toBe(0);
    await world.advance(5 * TTL_MS);
    expect(commandsOf(nodes, 'extend')).toBe(1);
    work.finish('result');
    await world.advance(1);
    expect(lossOf(work)).toBeInstanceOf(ExtensionRefusedError);
  });

  it('does not fire early when nobody else can have the lock, though a quorum did not extend it', async () => {
    const { world, nodes, work } = await working();
    nodes[0]?.keys.clear();
    if (nodes[1] !== undefined) nodes[1].fate = () => failed('down');
    await world.advance(900);
    expect(commandsOf(nodes, 'extend')).toBeGreaterThan(1);
    expect(work.signal.aborted).toBe(false);
    expect(nodes[2]?.holder()).toBe(work.lock.value);
  });

  it('fires for a routine that ignores it, whose result is then no result', async () => {
    const { world, nodes, work } = await working();
    hang(nodes);
    await world.advance(5 * TTL_MS);
    expect(work.outcome.state).toBe('pending');
    work.finish('result');
    await world.advance(TTL_MS);
    expect(lossOf(work)).toBeInstanceOf(ExpiredError);
  });

  it('rejects a result that took so long, on a busy event loop, that no timer could run', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    let signalOfRoutine: AbortSignal | undefined;
    const outcome = watch(
      world.redlock(nodes).using('r', TTL_MS, (signal) => {
        signalOfRoutine = signal;
        world.nowMs += LONGEST_VALIDITY_MS;
        return 'too late';
      }),
    );
    await world.advance(1);
    await world.advance(1);
    expect(outcome.error).toBeInstanceOf(ExpiredError);
    expect(signalOfRoutine?.reason).toBe(outcome.error);
    expect(nodes.map((node) => node.kinds())).toEqual(nodes.map(() => ['acquire', 'release']));
  });

  it('keeps a result that came just before the end', async () => {
    const world = new FakeWorld();
    const outcome = watch(
      world.redlock(world.nodes(3)).using('r', TTL_MS, () => {
        world.nowMs += LONGEST_VALIDITY_MS - 2;
        return 'in time';
      }),
    );
    await world.advance(1);
    await world.advance(1);
    expect(outcome).toEqual({ state: 'resolved', value: 'in time' });
  });

  it('needs no routine to fire: one whose lock is as good as over is not begun', async () => {
    const { world, nodes, work } = await working({}, 5);
    expect(work.begun).toBe(0);
    await world.advance(1);
    expect(work.outcome.error).toBeInstanceOf(ExpiredError);
    expect(nodes.map((node) => node.holder())).toEqual([null, null, null]);
  });

  it("fires for the caller's signal, while the lock is kept until the routine ends", async () => {
    const caller = new AbortController();
    const { world, nodes, work } = await working({ signal: caller.signal });
    caller.abort(new Error('enough'));
    expect(work.signal.reason).toEqual(new Error('enough'));
    await world.advance(5 * TTL_MS);
    expect(nodes.map((node) => node.holder())).toEqual(nodes.map(() => work.lock.value));
    work.finish('wound up');
    await world.advance(1);
    expect(work.outcome).toEqual({ state: 'resolved', value: 'wound up' });
  });

  it("is left alone by the caller's once the routine has ended", async () => {
    const caller = new AbortController();
    const { world, work } = await working({ signal: caller.signal });
    work.finish('result');
    await world.advance(1);
    caller.abort();
    expect(work.signal.aborted).toBe(false);
  });

  it('tells of the loss, too, after the caller has fired it', async () => {
    const caller = new AbortController();
    const { world, nodes, work } = await working({ signal: caller.signal });
    caller.abort(new Error('enough'));
    hang(nodes);
    await world.advance(5 * TTL_MS);
    work.finish('result');
    await world.advance(TTL_MS);
    expect(work.outcome.error).toBeInstanceOf(ExpiredError);
  });

  it('fires when there are no timers left to watch the lock with', async () => {
    const world = new FakeWorld();
    let broken = false;
    const environment: Environment = {
      ...world.environment,
      timers: {
        schedule: (delayMs, run) => {
          if (broken) throw new Error('no timers');
          return world.schedule(delayMs, run);
        },
      },
    };
    const work = new Work(world, world.redlock(world.nodes(3), { environment }));
    await world.advance(1);
    await world.advance((LONGEST_VALIDITY_MS - 1) / 2 + 0.5);
    broken = true;
    await world.advance(1);
    expect(work.signal.reason).toEqual(new Error('no timers'));
  });
});

describe('await using', () => {
  it('releases a lock at the end of the block', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    const redlock = world.redlock(nodes);
    const block = async (): Promise<string | null | undefined> => {
      await using lock = await redlock.acquire('r', TTL_MS);
      return lock.value;
    };
    const outcome = watch(block());
    await world.advance(2);
    expect(outcome).toEqual({ state: 'resolved', value: 'value-1' });
    expect(nodes.map((node) => node.holder())).toEqual([null, null, null]);
  });

  it('throws what the block throws, and nothing of a failed release', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    const redlock = world.redlock(nodes);
    const block = async (error: Error | null): Promise<string> => {
      await using lock = await redlock.acquire('r', TTL_MS);
      hang(nodes);
      if (error !== null) throw error;
      return lock.value;
    };
    const error = new Error('of the block');
    const thrown = watch(block(error));
    await world.advance(2 * TTL_MS);
    expect(thrown.error).toBe(error);
    for (const node of nodes) node.fate = () => undefined;
    const ended = watch(block(null));
    await world.advance(2 * TTL_MS);
    expect(ended.state).toBe('resolved');
  });

  it('closes a Redlock', async () => {
    const world = new FakeWorld();
    const redlock = world.redlock(world.nodes(3));
    {
      await using own = redlock;
      expect(own).toBe(redlock);
    }
    await expect(redlock.acquire('r', TTL_MS)).rejects.toThrow(/closed/);
  });
});

describe('a caller’s signal that fires when the lock was granted, and before the work begins', () => {
  it('fires that of the work', async () => {
    const world = new FakeWorld();
    const redlock = world.redlock(world.nodes(3));
    const caller = new AbortController();
    redlock.on('acquired', () => caller.abort('enough'));
    const reasons: unknown[] = [];
    const outcome = watch(
      redlock.using('r', TTL_MS, { signal: caller.signal }, (signal) => {
        reasons.push(signal.aborted, signal.reason);
      }),
    );
    await world.advance(10);
    expect(outcome.state).toBe('resolved');
    expect(reasons).toEqual([true, 'enough']);
  });
});
