import { describe, expect, it } from 'vitest';
import { failed, type FakeNode, FakeWorld, watch } from '../test/fake-world.ts';
import type { DiagnosticsChannel, Environment } from './environment.ts';
import { ContendedError, ExpiredError, ExtensionRefusedError, InvalidOptionError, UnreachableError } from './errors.ts';
import { EVENT_NAMES, type RedlockEventName, type RedlockEvents } from './events.ts';
import type { AcquiredLock } from './lock.ts';
import { GRANTED_WITHOUT_TOKEN } from './lock-node.ts';
import type { RedlockOptions } from './options.ts';
import type { Redlock } from './redlock.ts';

const TTL_MS = 1000;

type Told = { [Name in RedlockEventName]: readonly [Name, RedlockEvents[Name]] }[RedlockEventName];

/** The events of operations; what nodes do has tests of its own. */
const OF_OPERATIONS = EVENT_NAMES.filter((name) => !name.startsWith('node-'));

interface Observed {
  readonly world: FakeWorld;
  readonly nodes: readonly FakeNode[];
  readonly redlock: Redlock;
  readonly told: Told[];
  readonly warnings: Error[];
}

function observed(names: readonly RedlockEventName[] = OF_OPERATIONS, options: RedlockOptions = {}): Observed {
  const world = new FakeWorld();
  const nodes = world.nodes(3);
  const warnings: Error[] = [];
  const environment = withDiagnostics(world, { warn: (warning) => warnings.push(warning) });
  const redlock = world.redlock(nodes, { environment, ...options });
  const told: Told[] = [];
  for (const name of names) redlock.on(name, (event) => told.push([name, event] as unknown as Told));
  return { world, nodes, redlock, told, warnings };
}

function withDiagnostics(world: FakeWorld, diagnostics: Partial<Environment['diagnostics']>): Environment {
  const channel = (): DiagnosticsChannel => ({ hasSubscribers: false, publish: () => undefined });
  return { ...world.environment, diagnostics: { channel, warn: () => undefined, ...diagnostics } };
}

async function acquired({ world, redlock }: Pick<Observed, 'world' | 'redlock'>): Promise<AcquiredLock> {
  const lock = watch(redlock.acquire('r', TTL_MS));
  await world.advance(1);
  return lock.value as AcquiredLock;
}

function namesOf(told: readonly Told[]): string[] {
  return told.map(([name]) => name);
}

function occupy(nodes: readonly FakeNode[]): void {
  for (const node of nodes) node.occupy();
}

function hang(nodes: readonly FakeNode[]): void {
  for (const node of nodes) node.fate = () => 'lost';
}

describe('events', () => {
  it('tell of an acquire what each attempt and each node did', async () => {
    const { world, nodes, redlock, told } = observed(OF_OPERATIONS, { retryCount: 1, retryDelay: 50, retryJitter: 0 });
    nodes[0]?.occupy('somebody', 30);
    if (nodes[1] !== undefined) nodes[1].fate = () => failed('down');
    if (nodes[2] !== undefined) nodes[2].latencyMs = 3;
    const lock = watch(redlock.acquire('r', TTL_MS));
    expect(told).toEqual([['started', { operation: { kind: 'acquire', resource: 'r', resources: ['r'] } }]]);
    const operation = told[0]?.[0] === 'started' ? told[0][1].operation : null;
    await world.advance(40);
    if (nodes[1] !== undefined) nodes[1].fate = () => undefined;
    await world.advance(20);
    expect(lock.state).toBe('resolved');
    expect(told.slice(1)).toEqual([
      [
        'attempt',
        {
          operation,
          attempt: 1,
          outcome: 'contended',
          durationMs: 1,
          nodes: [
            { node: 'node-1', outcome: 'held', latencyMs: 1 },
            { node: 'node-2', outcome: 'failed', error: new Error('down'), latencyMs: 1 },
            { node: 'node-3', outcome: 'pending', latencyMs: null },
          ],
        },
      ],
      [
        'attempt',
        {
          operation,
          attempt: 2,
          outcome: 'granted',
          durationMs: 1,
          nodes: [
            { node: 'node-1', outcome: 'granted', latencyMs: 1 },
            { node: 'node-2', outcome: 'granted', latencyMs: 1 },
            { node: 'node-3', outcome: 'pending', latencyMs: null },
          ],
        },
      ],
      ['acquired', { operation, durationMs: 52, attempts: 2, validityMs: 987, token: null }],
    ]);
    // The same object, by which a listener finds what it noted at the start.
    for (const [name, event] of told) if (name === 'acquired') expect(event.operation).toBe(operation);
  });

  it('tell of the extension and the release, and the token', async () => {
    const all = observed(OF_OPERATIONS, { fencing: true });
    const lock = await acquired(all);
    const { world, told } = all;
    expect(told.at(-1)?.[1]).toMatchObject({ token: lock.token });
    void lock.extend(2000);
    await world.advance(1);
    void lock.release();
    void lock.release();
    await world.advance(1);
    void lock.release();
    expect(told.slice(3)).toEqual([
      ['started', { operation: { kind: 'extend', resource: 'r', resources: ['r'] } }],
      ['extended', { operation: { kind: 'extend', resource: 'r', resources: ['r'] }, durationMs: 1, validityMs: 1977 }],
      ['started', { operation: { kind: 'release', resource: 'r', resources: ['r'] } }],
      ['released', { operation: { kind: 'release', resource: 'r', resources: ['r'] }, durationMs: 1 }],
    ]);
  });

  it.each<[string, (all: Observed) => unknown, string[], string | null]>([
    ['others hold it', ({ nodes }) => occupy(nodes), ['started', 'attempt', 'contended'], null],
    ['no node answers', ({ nodes }) => hang(nodes), ['started', 'attempt', 'failed'], 'unreachable'],
    ['the Redlock is closed', ({ redlock }) => redlock.close(), ['started', 'failed'], 'aborted'],
    [
      'the quorum comes too late',
      ({ nodes, world }) => {
        for (const node of nodes) {
          node.execute = (_command, settle) => {
            world.schedule(1, () => {
              world.nowMs += TTL_MS;
              settle(GRANTED_WITHOUT_TOKEN);
            });
          };
        }
      },
      ['started', 'attempt', 'failed'],
      'expired',
    ],
  ])('tell that an acquire failed because %s', async (_why, spoil, expected, code) => {
    const all = observed();
    await spoil(all);
    const lock = watch(all.redlock.acquire('r', TTL_MS));
    await all.world.advance(200);
    await all.world.advance(200);
    expect(namesOf(all.told)).toEqual(expected);
    const [name, event] = all.told.at(-1) as Told;
    if (name === 'failed') expect(event).toMatchObject({ code, error: lock.error });
    else expect(event).toMatchObject({ error: expect.any(ContendedError) as Error });
  });

  it('tell of failed extensions and releases, also of those that nobody else learns of', async () => {
    const all = observed();
    const { world, nodes, redlock, told } = all;
    const done = watch(redlock.using('r', TTL_MS, () => 'done'));
    await world.advance(0.5);
    for (const node of nodes) node.fate = ({ kind }) => (kind === 'release' ? failed('down') : undefined);
    await world.advance(10);
    expect(done.state).toBe('resolved');
    expect(told.at(-1)).toEqual([
      'failed',
      {
        operation: { kind: 'release', resource: 'r', resources: ['r'] },
        durationMs: 1,
        code: 'unreachable',
        error: expect.any(UnreachableError) as Error,
      },
    ]);
    await world.advance(2 * TTL_MS);
    for (const node of nodes) node.fate = () => undefined;
    const lock = await acquired(all);
    hang(nodes);
    const extension = watch(lock.extend(TTL_MS));
    await world.advance(200);
    expect(extension.state).toBe('rejected');
    expect(told.at(-1)).toMatchObject(['failed', { operation: { kind: 'extend' }, code: 'unreachable' }]);
    expect(namesOf(told)).not.toContain('lost');
  });

  it('tell of an Environment that throws', async () => {
    const { redlock, told, world } = observed(OF_OPERATIONS, { fencing: true });
    world.wallMs = Number.NaN;
    const lock = watch(redlock.acquire('r', TTL_MS));
    await world.advance(1);
    expect(told.at(-1)).toMatchObject(['failed', { code: 'invalid-option', error: lock.error }]);
  });

  it('are told of calls that make no sense, too: not at all', async () => {
    const { redlock, told, world } = observed();
    watch(redlock.acquire('', TTL_MS));
    await world.advance(1);
    expect(told).toEqual([]);
  });

  it('are no longer told once a listener has left, and told twice to one that came twice', async () => {
    const all = observed([]);
    const heard: string[] = [];
    const listener = (): unknown => heard.push('acquired');
    const leave = all.redlock.on('acquired', listener);
    const leaveAgain = all.redlock.on('acquired', listener);
    await acquired(all);
    expect(heard).toHaveLength(2);
    leave();
    leave();
    await all.world.advance(2 * TTL_MS);
    await acquired(all);
    expect(heard).toHaveLength(3);
    leaveAgain();
    await all.world.advance(2 * TTL_MS);
    await acquired(all);
    expect(heard).toHaveLength(3);
  });

  it('that do not exist are refused by name', () => {
    const { redlock } = observed([]);
    expect(() => redlock.on('aquired' as never, () => undefined)).toThrow(InvalidOptionError);
    expect(() => redlock.on('aquired' as never, () => undefined)).toThrow(
      /^event must be one of started, .*, not aquired$/,
    );
    expect(() => redlock.on('acquired', 'listener' as never)).toThrow(/^listener must be a function/);
  });
});

describe('lost', () => {
  it('is told by using, once and at once', async () => {
    const { world, nodes, redlock, told } = observed(['lost']);
    const work = watch(
      redlock.using(
        'r',
        TTL_MS,
        (signal) =>
          new Promise((resolve) => {
            signal.addEventListener('abort', resolve);
          }),
      ),
    );
    await world.advance(1);
    for (const node of nodes) node.keys.clear();
    await world.advance(497);
    expect(work.error).toBeInstanceOf(ExtensionRefusedError);
    expect(told).toEqual([['lost', { resource: 'r', resources: ['r'], error: work.error }]]);

    const late = watch(
      redlock.using(
        's',
        TTL_MS,
        (signal) =>
          new Promise((resolve) => {
            signal.addEventListener('abort', resolve);
          }),
      ),
    );
    await world.advance(1);
    for (const node of nodes) node.answerLatencyMs = TTL_MS;
    await world.advance(5 * TTL_MS);
    expect(late.error).toBeInstanceOf(ExpiredError);
    expect(told.slice(1)).toEqual([['lost', { resource: 's', resources: ['s'], error: late.error }]]);
  });

  it('is told by the extension that notices it, and not again', async () => {
    const all = observed(['lost']);
    const lock = await acquired(all);
    all.nodes[0]?.keys.clear();
    watch(lock.extend(TTL_MS));
    await all.world.advance(1);
    expect(all.told).toEqual([]);
    all.nodes[1]?.keys.clear();
    const extension = watch(lock.extend(TTL_MS));
    await all.world.advance(1);
    expect(all.told).toEqual([['lost', { resource: 'r', resources: ['r'], error: extension.error }]]);
    await all.world.advance(2 * TTL_MS);
    watch(lock.extend(TTL_MS));
    watch(lock.release());
    await all.world.advance(1);
    expect(all.told).toHaveLength(1);
  });

  it('is told by an extension that comes after the end, and by a release that does', async () => {
    const all = observed(['lost']);
    for (const end of ['extend', 'release'] as const) {
      const lock = await acquired(all);
      await all.world.advance(2 * TTL_MS);
      watch<unknown>(end === 'extend' ? lock.extend(TTL_MS) : lock.release());
      await all.world.advance(1);
    }
    expect(all.told.map(([, event]) => event)).toEqual([
      {
        resource: 'r',
        resources: ['r'],
        error: new ExpiredError('Cannot extend the lock on "r": it has expired; acquire it again', 'r', []),
      },
      {
        resource: 'r',
        resources: ['r'],
        error: new ExpiredError('the lock on "r" had expired before it was released', 'r', []),
      },
    ]);
  });

  it('is not told of a lock that was given back in time', async () => {
    const all = observed(['lost']);
    const lock = await acquired(all);
    hang(all.nodes);
    watch(lock.release());
    await all.world.advance(2 * TTL_MS);
    watch(lock.release());
    watch(lock.extend(TTL_MS));
    await all.world.advance(1);
    expect(all.told).toEqual([]);
  });
});

describe('what nodes do', () => {
  it('is told with the time that it took', async () => {
    const { world, nodes, redlock, told } = observed(['node-reply']);
    nodes.forEach((node, index) => (node.latencyMs = 1 + index));
    watch(redlock.acquire('r', TTL_MS));
    await world.advance(10);
    expect(told.map(([, event]) => event)).toEqual([
      { node: 'node-1', command: 'acquire', outcome: 'granted', latencyMs: 1 },
      { node: 'node-2', command: 'acquire', outcome: 'granted', latencyMs: 2 },
      { node: 'node-3', command: 'acquire', outcome: 'granted', latencyMs: 3 },
    ]);
    expect(world.armedTimers).toBe(0);
  });

  it.each<[string, FakeNode['fate'], object]>([
    [
      'hangs',
      () => 'lost',
      { outcome: 'timeout', error: new Error('node-3: no answer to acquire within 100 ms'), latencyMs: 100 },
    ],
    ['fails', () => failed('node-3: down'), { outcome: 'failed', error: new Error('node-3: down'), latencyMs: 1 }],
    [
      'throws',
      () => {
        throw new Error('node-3: broken');
      },
      { outcome: 'failed', error: new Error('node-3: broken'), latencyMs: 0 },
    ],
  ])('is told of a node that %s, though the others are a quorum', async (_what, fate, expected) => {
    const { world, nodes, redlock, told } = observed(['node-error']);
    if (nodes[2] !== undefined) nodes[2].fate = fate;
    const lock = watch(redlock.acquire('r', TTL_MS));
    await world.advance(200);
    expect(lock.state).toBe('resolved');
    expect(told).toEqual([['node-error', { node: 'node-3', command: 'acquire', ...expected }]]);
    expect(world.armedTimers).toBe(0);
  });

  it('is told of an answer that comes after its time, which counts as before', async () => {
    const { world, nodes, redlock, told } = observed(['node-error', 'node-reply']);
    if (nodes[2] !== undefined) nodes[2].answerLatencyMs = 150;
    watch(redlock.acquire('r', TTL_MS));
    await world.advance(200);
    expect(told.slice(2)).toMatchObject([
      ['node-error', { node: 'node-3', outcome: 'timeout', latencyMs: 100 }],
      ['node-reply', { node: 'node-3', outcome: 'granted', latencyMs: 151 }],
    ]);
  });

  it('is told once of a node that answers twice', async () => {
    const { world, nodes, redlock, told } = observed(['node-reply']);
    for (const node of nodes) {
      node.execute = (_command, settle) => {
        world.schedule(1, () => {
          settle({ kind: 'held' });
          settle({ kind: 'held' });
        });
      };
    }
    watch(redlock.acquire('r', TTL_MS));
    await world.advance(0.9);
    expect(told).toEqual([]);
    await world.advance(0.1);
    expect(told.filter(([, event]) => 'command' in event && event.command === 'acquire')).toHaveLength(3);
  });
});

describe('a listener', () => {
  it.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('listener');
      },
    ],
    ['rejects', () => Promise.reject(new Error('listener'))],
  ])('that %s changes nothing, and is reported once for each event it listens to', async (_what, listener) => {
    const all = observed([]);
    const { world, nodes, redlock, warnings } = all;
    for (const name of EVENT_NAMES) redlock.on(name, listener);
    const heard: string[] = [];
    for (const name of EVENT_NAMES) redlock.on(name, () => heard.push(name));
    for (let time = 0; time < 2; time += 1) {
      const lock = await acquired(all);
      const contended = watch(redlock.acquire('r', TTL_MS));
      const extension = watch(lock.extend(TTL_MS));
      await world.advance(1);
      expect(contended.error).toBeInstanceOf(ContendedError);
      expect(extension.state).toBe('resolved');
      const release = watch(lock.release());
      await world.advance(1);
      expect(release.state).toBe('resolved');
      expect(nodes.map((node) => node.holder())).toEqual([null, null, null]);
    }
    const lost = watch(
      redlock.using(
        'r',
        TTL_MS,
        (signal) =>
          new Promise((resolve) => {
            signal.addEventListener('abort', resolve);
          }),
      ),
    );
    await world.advance(1);
    hang(nodes);
    await world.advance(2 * TTL_MS);
    expect(lost.error).toBeInstanceOf(ExpiredError);
    expect(new Set(heard)).toEqual(new Set(EVENT_NAMES));
    expect(warnings).toHaveLength(EVENT_NAMES.length);
    expect(warnings[0]).toMatchObject({
      name: 'DistrilockWarning',
      message: "A listener of the event 'started' of a Redlock threw, which changed nothing: listener",
      cause: new Error('listener'),
    });
  });

  it('that throws changes nothing where nobody can be warned', async () => {
    const world = new FakeWorld();
    const redlock = world.redlock(world.nodes(3));
    redlock.on('acquired', () => {
      throw new Error('listener');
    });
    expect((await acquired({ world, redlock })).resource).toBe('r');
  });

  it.each<RedlockEventName>(['started', 'attempt', 'node-reply'])(
    'of %s may close the Redlock, and no lock is taken after that',
    async (name) => {
      const { world, nodes, redlock } = observed([], { retryCount: 5, retryDelay: 10 });
      occupy(nodes);
      redlock.on(name, () => void redlock.close());
      const ends: unknown[] = [];
      redlock.on('failed', ({ code }) => ends.push(code));
      const lock = watch(redlock.acquire('r', TTL_MS));
      await world.advance(1);
      for (const node of nodes) node.keys.clear();
      await world.advance(1000);
      expect(lock.error).toMatchObject({ code: 'aborted' });
      expect(ends).toEqual(['aborted']);
      expect(nodes.map((node) => node.holder())).toEqual([null, null, null]);
      expect(nodes[0]?.kinds().filter((kind) => kind === 'acquire').length).toBeLessThanOrEqual(1);
    },
  );

  it('may leave while it is told', async () => {
    const all = observed([]);
    const heard: string[] = [];
    const leave = all.redlock.on('started', () => {
      leave();
      heard.push('first');
    });
    all.redlock.on('started', () => heard.push('second'));
    const lock = await acquired(all);
    void lock.release();
    expect(heard).toEqual(['first', 'second', 'second']);
  });
});

describe('without listeners', () => {
  it('the clock is read no more often, and no timer is added', async () => {
    const costs = await Promise.all(
      [true, false].map(async (listens) => {
        const world = new FakeWorld();
        const nodes = world.nodes(3);
        let reads = 0;
        let timers = 0;
        const environment: Environment = {
          ...world.environment,
          clock: {
            ...world.environment.clock,
            now: () => {
              reads += 1;
              return world.nowMs;
            },
          },
          timers: {
            schedule: (delayMs, run) => {
              timers += 1;
              return world.schedule(delayMs, run);
            },
          },
        };
        const redlock = world.redlock(nodes, { environment });
        if (listens) redlock.on('node-error', () => undefined);
        const lock = await acquired({ world, redlock });
        void lock.release();
        await world.advance(1);
        return { reads, timers };
      }),
    );
    // Before the first command, after the deciding answer, and whether the lock that is released is over.
    expect(costs[1]).toEqual({ reads: 3, timers: 2 });
    expect(costs[0]?.timers).toBe(2 + 6);
    expect(costs[0]?.reads).toBeGreaterThan(3);
  });
});

describe('diagnostics channels', () => {
  it('carry the same events, by the name of the event', async () => {
    const world = new FakeWorld();
    const published: [string, unknown][] = [];
    const environment = withDiagnostics(world, {
      channel: (name) => ({ hasSubscribers: true, publish: (message) => published.push([name, message]) }),
    });
    const redlock = world.redlock(world.nodes(3), { environment });
    const told: [string, unknown][] = [];
    for (const name of EVENT_NAMES) redlock.on(name, (event) => told.push([`distrilock:${name}`, event]));
    await acquired({ world, redlock });
    expect(published.map(([name]) => name)).toContain('distrilock:acquired');
    expect(published).toHaveLength(told.length);
    for (const [index, [name, event]] of told.entries()) {
      expect(published[index]?.[0]).toBe(name);
      expect(published[index]?.[1]).toBe(event);
    }
  });

  it('need no listener, and cost nothing while nobody subscribes', async () => {
    const world = new FakeWorld();
    let subscribed = false;
    const published: string[] = [];
    const environment = withDiagnostics(world, {
      channel: (name) => ({
        get hasSubscribers() {
          return subscribed && name === 'distrilock:acquired';
        },
        publish: () => published.push(name),
      }),
    });
    const redlock = world.redlock(world.nodes(3), { environment });
    await acquired({ world, redlock });
    subscribed = true;
    await world.advance(2 * TTL_MS);
    await acquired({ world, redlock });
    expect(published).toEqual(['distrilock:acquired']);
  });

  it.each([{ channel: 5, warn: () => undefined }, { channel: () => undefined }])(
    'of an Environment must be complete: %o',
    (diagnostics) => {
      const world = new FakeWorld();
      const environment = { ...world.environment, diagnostics } as unknown as Environment;
      expect(() => world.redlock(world.nodes(1), { environment })).toThrow(/^environment must be/);
    },
  );
});
