import { describe, expect, it } from 'vitest';
import { failed, type FakeNode, FakeWorld, watch, type Watched } from '../test/fake-world.ts';
import {
  AbortedError,
  ContendedError,
  ExpiredError,
  ExtensionRefusedError,
  type LockError,
  UnreachableError,
} from './errors.ts';
import type { LostEvent } from './events.ts';
import type { AcquiredLock } from './lock.ts';
import { type LockCommand, type LockNode, QUARANTINED, REFUSED } from './lock-node.ts';
import type { RedlockOptions } from './options.ts';

const TTL_MS = 1000;
const BOTH = ['a', 'b'];
const KEYS = ['lock:a', 'lock:b'];

/** Who holds the keys, by node. */
function holders(nodes: readonly FakeNode[], keys: readonly string[] = KEYS): (string | null)[][] {
  return nodes.map((node) => keys.map((key) => node.holder(key)));
}

function errorOf({ error }: Watched<unknown>): LockError {
  return error as LockError;
}

async function locked(
  world: FakeWorld,
  nodes: readonly LockNode[],
  options: RedlockOptions = {},
): Promise<AcquiredLock> {
  const lock = watch(world.redlock(nodes, options).acquire(BOTH, TTL_MS));
  await world.advance(1);
  return lock.value as AcquiredLock;
}

/** The node, to which some commands are so much longer on their way. */
function slowFor(world: FakeWorld, node: FakeNode, isSlow: (command: LockCommand) => boolean, byMs: number): LockNode {
  return {
    id: node.id,
    execute(command, settle): void {
      if (isSlow(command)) world.schedule(byMs, () => node.execute(command, settle));
      else node.execute(command, settle);
    },
  };
}

describe('a lock on several resources', () => {
  it('has one value under all keys, and one validity; keys are asked for in one order, whatever the order of the names', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    const lock = watch(world.redlock(nodes).acquire(['b', 'a', 'b'], TTL_MS));
    expect(nodes.map(({ commands }) => commands.map(({ kind, key }) => [kind, key]))).toEqual(
      nodes.map(() => KEYS.map((key) => ['acquire', key])),
    );
    await world.advance(1);
    expect(holders(nodes)).toEqual(nodes.map(() => ['value-1', 'value-1']));
    expect(lock.value?.toJSON()).toEqual({
      resource: 'a, b',
      resources: ['a', 'b'],
      value: 'value-1',
      attempts: 1,
      token: undefined,
      validity: TTL_MS - 12 - 1,
    });
    expect(world.armedTimers).toBe(0);
  });

  it('counts a node only if it grants all, and takes what the others granted back', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    // Each resource by itself would have two of three.
    nodes[0]?.occupy('other', TTL_MS, 'lock:a');
    nodes[1]?.occupy('other', TTL_MS, 'lock:b');
    const lock = watch(world.redlock(nodes).acquire(BOTH, TTL_MS));
    await world.advance(2);
    expect(errorOf(lock)).toBeInstanceOf(ContendedError);
    expect(errorOf(lock).toJSON()).toEqual({
      name: 'ContendedError',
      code: 'contended',
      message: 'No quorum granted the lock on "a", "b" in 1 attempt (0 of 3 granted, 2 held, 1 not awaited)',
      resource: 'a, b',
      resources: BOTH,
      outcomes: [
        { node: 'node-1', outcome: 'held', resource: 'a' },
        { node: 'node-2', outcome: 'held', resource: 'b' },
        { node: 'node-3', outcome: 'pending', resource: 'a' },
      ],
    });
    expect(holders(nodes)).toEqual([
      ['other', null],
      [null, 'other'],
      [null, null],
    ]);
    expect(world.armedTimers).toBe(0);
  });

  it('is granted by a quorum, whatever the rest holds', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    nodes[1]?.occupy('other', TTL_MS, 'lock:b');
    const lock = await locked(world, nodes);
    expect(lock.resources).toEqual(BOTH);
    expect(holders(nodes)[1]).toEqual([lock.value, 'other']);
    const release = watch(lock.release());
    await world.advance(1);
    expect(release.state).toBe('resolved');
    expect(holders(nodes)).toEqual([
      [null, null],
      [null, 'other'],
      [null, null],
    ]);
  });

  it.each([
    ['comes after the release was answered', 50],
    ['overtakes the answer to the release', 1.5],
  ])('removes a grant of one key that %s, and nothing else', async (_what, byMs) => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    nodes[0]?.occupy('other', TTL_MS, 'lock:a');
    nodes[1]?.occupy('other', TTL_MS, 'lock:a');
    const last = nodes[2] as FakeNode;
    if (byMs < 2) last.answerLatencyMs = 1;
    const late = slowFor(world, last, ({ kind, key }) => kind === 'acquire' && key === 'lock:b', byMs);
    const lock = watch(world.redlock([...nodes.slice(0, 2), late]).acquire(BOTH, TTL_MS));
    await world.advance(1);
    expect(errorOf(lock)).toBeInstanceOf(ContendedError);
    await world.advance(1.5);
    if (byMs < 2) expect(last.holder('lock:b')).toBe('value-1');
    await world.advance(byMs + 10);
    expect(holders([last])).toEqual([[null, null]]);
    const sweeps = last.commands.filter(({ kind }) => kind === 'release').slice(2);
    expect(sweeps).toEqual([{ kind: 'release', key: 'lock:b', value: 'value-1', timeoutMs: 100 }]);
  });

  it('needs no second clean-up for grants that are late, but before it', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    for (const node of nodes) node.occupy('other', TTL_MS, 'lock:b');
    const [, , last] = nodes;
    if (last !== undefined) last.answerLatencyMs = 5;
    const lock = watch(world.redlock(nodes).acquire(BOTH, TTL_MS));
    await world.advance(20);
    expect(errorOf(lock)).toBeInstanceOf(ContendedError);
    expect(last?.kinds()).toEqual(['acquire', 'acquire', 'release', 'release']);
  });

  it('tells a node that kept silent on one resource from one that holds another', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    for (const node of nodes)
      node.fate = ({ kind, key }) => (kind === 'acquire' && key === 'lock:b' ? 'lost' : undefined);
    const silent = watch(world.redlock(nodes).acquire(BOTH, TTL_MS));
    await world.advance(100);
    expect(errorOf(silent)).toBeInstanceOf(UnreachableError);
    expect(errorOf(silent).outcomes).toEqual(nodes.map(({ id }) => ({ node: id, outcome: 'timeout', resource: 'b' })));
    for (const node of nodes) node.occupy('other', TTL_MS, 'lock:a');
    const held = watch(world.redlock(nodes).acquire(BOTH, TTL_MS));
    await world.advance(100);
    expect(errorOf(held)).toBeInstanceOf(ContendedError);
    expect(errorOf(held).outcomes[0]).toEqual({ node: 'node-1', outcome: 'held', resource: 'a' });
  });

  it('is unreachable where nodes fail or may not vote for one of them', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    for (const node of nodes.slice(0, 2)) node.fate = ({ kind }) => (kind === 'acquire' ? QUARANTINED : undefined);
    const quarantined = watch(world.redlock(nodes).acquire(BOTH, TTL_MS));
    await world.advance(2);
    expect(errorOf(quarantined).message).toContain('Too few nodes could vote to lock "a", "b" in 1 attempt');
    for (const node of nodes.slice(0, 2)) {
      node.fate = ({ kind, key }) => (kind === 'acquire' && key === 'lock:b' ? failed('full') : undefined);
    }
    const broken = watch(world.redlock(nodes).acquire(BOTH, TTL_MS));
    await world.advance(2);
    expect(errorOf(broken)).toBeInstanceOf(UnreachableError);
    expect(errorOf(broken).toJSON().outcomes[0]).toEqual({
      node: 'node-1',
      outcome: 'failed',
      reason: 'full',
      resource: 'b',
    });
    expect(holders(nodes)).toEqual(nodes.map(() => [null, null]));
  });

  it('takes everything back when it is aborted in between, and names all of it', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    for (const node of nodes)
      node.fate = ({ kind, key }) => (kind === 'acquire' && key === 'lock:b' ? 'lost' : undefined);
    const controller = new AbortController();
    const lock = watch(world.redlock(nodes).acquire(BOTH, TTL_MS, { signal: controller.signal }));
    await world.advance(10);
    expect(holders(nodes)).toEqual(nodes.map(() => ['value-1', null]));
    controller.abort();
    await world.advance(1);
    expect(errorOf(lock)).toBeInstanceOf(AbortedError);
    expect(errorOf(lock).message).toBe('Acquiring the lock on "a", "b" was aborted');
    expect(errorOf(lock).resources).toEqual(BOTH);
    expect(holders(nodes)).toEqual(nodes.map(() => [null, null]));
    expect(world.armedTimers).toBe(0);
  });

  it('tries again with another value for all of them', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    for (const node of nodes) node.occupy('other', 150, 'lock:b');
    const lock = watch(world.redlock(nodes, { retryCount: 1 }).acquire(BOTH, TTL_MS));
    await world.advance(250);
    expect(lock.value?.attempts).toBe(2);
    expect(holders(nodes)).toEqual(nodes.map(() => ['value-2', 'value-2']));
  });
});

describe('an extension of several resources', () => {
  it('prolongs all of them', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    const lock = await locked(world, nodes);
    await world.advance(500);
    const extension = watch(lock.extend(TTL_MS));
    await world.advance(1);
    expect(extension.value).toBe(lock);
    expect(lock.remaining()).toBe(TTL_MS - 12 - 1);
    expect(nodes.map((node) => KEYS.map((key) => node.remainingMs(key)))).toEqual(nodes.map(() => [TTL_MS, TTL_MS]));
  });

  it('is granted while a minority lacks one of them', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    const lock = await locked(world, nodes);
    nodes[0]?.keys.delete('lock:b');
    const extension = watch(lock.extend(TTL_MS));
    await world.advance(1);
    expect(extension.state).toBe('resolved');
    expect(nodes[0]?.holder('lock:b')).toBeNull();
  });

  it.each([
    ['the same one', ['lock:b', 'lock:b']],
    ['one or the other', ['lock:a', 'lock:b']],
  ])(
    'fails where a quorum lacks %s, without making it anew, deleting anything or lasting longer',
    async (_what, gone) => {
      const world = new FakeWorld();
      const nodes = world.nodes(3);
      const redlock = world.redlock(nodes);
      const lost: LostEvent[] = [];
      redlock.on('lost', (event) => lost.push(event));
      const acquired = watch(redlock.acquire(BOTH, TTL_MS));
      await world.advance(1);
      const lock = acquired.value as AcquiredLock;
      gone.forEach((key, index) => nodes[index]?.keys.delete(key));
      const before = holders(nodes);
      const extension = watch(lock.extend(2 * TTL_MS));
      await world.advance(3);
      expect(errorOf(extension)).toBeInstanceOf(ExtensionRefusedError);
      expect(errorOf(extension).message).toBe(
        'No quorum holds the lock on "a", "b" any more (0 of 3 extended, 2 absent, 1 not awaited)',
      );
      expect(errorOf(extension).outcomes.slice(0, 2)).toEqual(
        gone.map((key, index) => ({
          node: `node-${index + 1}`,
          outcome: 'absent',
          resource: key.slice('lock:'.length),
        })),
      );
      expect(lock.remaining()).toBe(TTL_MS - 12 - 4);
      expect(holders(nodes)).toEqual(before);
      expect(lost).toEqual([{ resource: 'a, b', resources: BOTH, error: extension.error }]);
      const release = watch(lock.release());
      await world.advance(1);
      expect(release.state).toBe('resolved');
      expect(holders(nodes)).toEqual(nodes.map(() => [null, null]));
    },
  );

  it('takes all of them off the nodes when the lock is over meanwhile', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    const lock = await locked(world, nodes);
    for (const node of nodes) node.answerLatencyMs = 50;
    await world.advance(960);
    const extension = watch(lock.extend(TTL_MS));
    await world.advance(60);
    expect(errorOf(extension)).toBeInstanceOf(ExpiredError);
    expect(errorOf(extension).resources).toEqual(BOTH);
    expect(holders(nodes)).toEqual(nodes.map(() => [null, null]));
  });
});

describe('a release of several resources', () => {
  it('counts a node when it holds none of them', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    const lock = await locked(world, nodes);
    nodes[0]?.keys.delete('lock:a');
    for (const node of nodes.slice(1)) {
      node.fate = ({ kind, key }) => (kind === 'release' && key === 'lock:b' ? failed() : undefined);
    }
    const refused = watch(lock.release());
    await world.advance(1);
    expect(errorOf(refused)).toBeInstanceOf(UnreachableError);
    expect(errorOf(refused).message).toBe(
      'Too few nodes confirmed that the lock on "a", "b" is released, which will expire by itself (0 of 3 released, 1 absent, 2 failed; broken)',
    );
    for (const node of nodes) node.fate = () => undefined;
    const release = watch(lock.release());
    await world.advance(1);
    expect(release.state).toBe('resolved');
    expect(holders(nodes)).toEqual(nodes.map(() => [null, null]));
  });

  it('after their end leaves to others what they have meanwhile', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    const lock = await locked(world, nodes);
    await world.advance(TTL_MS + 1);
    for (const node of nodes) node.occupy('other', TTL_MS, 'lock:b');
    const release = watch(lock.release());
    await world.advance(1);
    expect(release.state).toBe('resolved');
    expect(holders(nodes)).toEqual(nodes.map(() => [null, 'other']));
  });
});

describe('events of several resources', () => {
  it('name all of them; an attempt tells when a node had answered for all', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    const [first] = nodes;
    const slow = slowFor(world, first as FakeNode, ({ key }) => key === 'lock:b', 20);
    const redlock = world.redlock([slow, ...nodes.slice(1)]);
    const told: unknown[] = [];
    for (const name of ['started', 'attempt', 'acquired', 'extended', 'released'] as const) {
      redlock.on(name, (event) => told.push([name, event.operation.kind, event.operation.resources]));
    }
    redlock.on('attempt', (event) => told.push(event.nodes.map(({ latencyMs, outcome }) => [outcome, latencyMs])));
    const acquired = watch(redlock.acquire(BOTH, TTL_MS));
    await world.advance(1);
    void acquired.value?.extend(TTL_MS);
    await world.advance(1);
    void acquired.value?.release();
    await world.advance(1);
    expect(told).toEqual([
      ['started', 'acquire', BOTH],
      ['attempt', 'acquire', BOTH],
      [
        ['pending', null],
        ['granted', 1],
        ['granted', 1],
      ],
      ['acquired', 'acquire', BOTH],
      ['started', 'extend', BOTH],
      ['extended', 'extend', BOTH],
      ['started', 'release', BOTH],
      ['released', 'release', BOTH],
    ]);
  });

  it('and the signal of using do so, when the work outlives the lock', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    let signal: AbortSignal | undefined;
    const work = watch(
      world.redlock(nodes).using(BOTH, TTL_MS, { extensionLimit: 0 }, async (lost) => {
        signal = lost;
        await new Promise((resolve) => lost.addEventListener('abort', resolve));
      }),
    );
    await world.advance(TTL_MS);
    expect(signal?.aborted).toBe(true);
    expect(errorOf(work)).toBeInstanceOf(ExpiredError);
    expect(errorOf(work).message).toBe('The lock on "a", "b" ended before the work under it');
    expect(errorOf(work).resources).toEqual(BOTH);
  });
});

describe('the token of several resources', () => {
  const HINT = 5_000_000_000;

  function countersOf(nodes: readonly FakeNode[]): (number | undefined)[][] {
    return nodes.map((node) => KEYS.map((key) => node.counters.get(key)));
  }

  function commitsOf(nodes: readonly FakeNode[]): string[][] {
    return nodes.map(({ commands }) => commands.filter(({ kind }) => kind === 'commit').map(({ key }) => key));
  }

  it('is the same in all counters without a second round, where clocks are right', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    nodes[0]?.counters.set('lock:b', 7);
    const lock = await locked(world, nodes, { fencing: true });
    expect(lock.token).toBe(HINT);
    expect(countersOf(nodes)).toEqual(nodes.map(() => [HINT, HINT]));
    expect(commitsOf(nodes)).toEqual([[], [], []]);
  });

  it('is the largest of any counter, and committed to the others', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    nodes[0]?.counters.set('lock:b', HINT + 10);
    nodes[1]?.counters.set('lock:a', HINT + 10);
    const [, , last] = nodes;
    if (last !== undefined) last.latencyMs = 30;
    const acquired = watch(world.redlock(nodes, { fencing: true }).acquire(BOTH, TTL_MS));
    await world.advance(1);
    expect(acquired.state).toBe('pending');
    await world.advance(1);
    expect(acquired.value?.token).toBe(HINT + 11);
    expect(commitsOf(nodes)).toEqual([['lock:a'], ['lock:b'], []]);
    expect(countersOf(nodes.slice(0, 2))).toEqual(nodes.slice(0, 2).map(() => [HINT + 11, HINT + 11]));
  });

  it('is not granted where a quorum refuses it for one of them', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    for (const node of nodes) node.counters.set('lock:a', HINT + 10);
    for (const node of nodes.slice(0, 2)) node.fate = ({ kind }) => (kind === 'commit' ? REFUSED : undefined);
    const lock = watch(world.redlock(nodes, { fencing: true }).acquire(BOTH, TTL_MS));
    await world.advance(3);
    expect(errorOf(lock)).toBeInstanceOf(ContendedError);
    expect(errorOf(lock).outcomes.slice(0, 2)).toEqual([
      { node: 'node-1', outcome: 'refused', resource: 'b' },
      { node: 'node-2', outcome: 'refused', resource: 'b' },
    ]);
    expect(holders(nodes)).toEqual(nodes.map(() => [null, null]));
  });

  it('needs a quorum of nodes that can be asked for all of them', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    for (const node of nodes) node.counters.set('lock:a', HINT + 10);
    for (const node of nodes.slice(0, 2)) node.fate = ({ kind }) => (kind === 'commit' ? failed() : undefined);
    const lock = watch(world.redlock(nodes, { fencing: true }).acquire(BOTH, TTL_MS));
    await world.advance(3);
    expect(errorOf(lock)).toBeInstanceOf(UnreachableError);
  });

  it('is larger than that of every lock before on any of them, whatever the clocks say and whichever nodes take part', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(5);
    const redlock = world.redlock(nodes, { fencing: true });
    const latest = new Map<string, number>();
    const sets = [['a'], ['a', 'b'], ['b'], ['b', 'c'], ['c', 'a'], ['a', 'b', 'c'], ['c']];
    for (let step = 0; step < 200; step += 1) {
      // Multiples of primes: clocks go back and forth, and every time two other nodes are away.
      world.wallMs = 5_000_000 + ((step * 7919) % 1009) - step;
      nodes.forEach((node, index) => {
        node.fate = () => ((index + step * 3) % 5 < 2 ? 'lost' : undefined);
      });
      const resources = sets[(step * 5) % sets.length] ?? [];
      const acquired = watch(redlock.acquire(resources, TTL_MS));
      await world.advance(5);
      const token = acquired.value?.token ?? Number.NaN;
      for (const resource of resources) {
        expect(token, `${resource} in step ${step}`).toBeGreaterThan(latest.get(resource) ?? 0);
        latest.set(resource, token);
      }
      void acquired.value?.release().catch(() => undefined);
      await world.advance(TTL_MS + 5);
    }
    expect(latest.size).toBe(3);
  });
});

describe('overlapping sets of resources', () => {
  it('are never held twice, and all get their turn', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(5);
    const inside = new Map<string, number>();
    let most = 0;
    let done = 0;
    const sets = [
      ['a', 'b'],
      ['b', 'c'],
      ['c', 'a'],
    ];
    const clients = Array.from({ length: 12 }, async (_, client) => {
      // Chance of each client's own: with one for all they would meet again and again.
      let draws = client;
      const fraction = (): number => ((draws += 17) % 97) / 97;
      const environment = { ...world.environment, random: { ...world.environment.random, fraction } };
      const redlock = world.redlock(nodes, { environment, retryCount: -1, retryDelay: 5, retryJitter: 40 });
      const resources = sets[client % sets.length] ?? [];
      for (let round = 0; round < 5; round += 1) {
        const lock = await redlock.acquire(resources, TTL_MS);
        for (const resource of resources) {
          const count = (inside.get(resource) ?? 0) + 1;
          inside.set(resource, count);
          most = Math.max(most, count);
        }
        await new Promise<void>((resolve) => void world.schedule(3, resolve));
        for (const resource of resources) inside.set(resource, (inside.get(resource) ?? 0) - 1);
        await lock.release();
        done += 1;
      }
    });
    nodes.forEach((node, index) => (node.latencyMs = 1 + index / 3));
    for (let passed = 0; passed < 60 && done < 60; passed += 1) await world.advance(100);
    expect(done).toBe(60);
    expect(most).toBe(1);
    await Promise.all(clients);
    await world.advance(100);
    expect(nodes.map(({ keys }) => keys.size)).toEqual([0, 0, 0, 0, 0]);
  });
});
