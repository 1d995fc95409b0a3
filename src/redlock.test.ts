import { createHook } from 'node:async_hooks';
import { describe, expect, it } from 'vitest';
import { isCollected } from '../test/collected.ts';
import { failed, type FakeNode, FakeWorld, watch, type Watched } from '../test/fake-world.ts';
import {
  AbortedError,
  ContendedError,
  ExpiredError,
  InvalidOptionError,
  LockError,
  UnreachableError,
} from './errors.ts';
import { AcquiredLock } from './lock.ts';
import type { AcquireCommand, LockNode, LockReply } from './lock-node.ts';
import { Redlock } from './redlock.ts';

const TTL_MS = 1000;
/** 1000 ms, less 1 % and 2 ms. */
const LONGEST_VALIDITY_MS = 988;

function errorOf(watched: Watched<unknown>): LockError {
  if (!(watched.error instanceof LockError)) throw new Error(`not rejected by the library, but ${watched.state}`);
  return watched.error;
}

/** Acquires with a signal, which an acquire keeps as long as it lives, and keeps neither lock nor error, which may keep it too. */
function acquireWithSignal(redlock: Redlock): { signal: WeakRef<AbortSignal>; end: Promise<string> } {
  const { signal } = new AbortController();
  const end = redlock.acquire('r', TTL_MS, { signal }).then(
    () => 'resolved',
    (error: unknown) => (error instanceof LockError ? error.code : (error as Error).message),
  );
  return { signal: new WeakRef(signal), end };
}

function acquireValues(node: FakeNode | undefined): string[] {
  const acquires = node?.commands.filter((command): command is AcquireCommand => command.kind === 'acquire') ?? [];
  return acquires.map(({ value }) => value);
}

describe('acquire', () => {
  it('sends one command to all nodes at once and is granted by the reply that makes the quorum', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(5);
    nodes.forEach((node, index) => (node.latencyMs = 10 * (index + 1)));
    const lock = watch(world.redlock(nodes, { nodeTimeout: 100 }).acquire('r', TTL_MS));
    expect(nodes.map((node) => node.commands)).toEqual(
      nodes.map(() => [
        {
          kind: 'acquire',
          key: 'lock:r',
          value: 'value-1',
          ttlMs: TTL_MS,
          timeoutMs: 100,
          fresh: true,
          tokenHint: null,
          guard: null,
        },
      ]),
    );
    await world.advance(29);
    expect(lock.state).toBe('pending');
    await world.advance(1);
    expect(lock.value).toBeInstanceOf(AcquiredLock);
    expect(lock.value).toMatchObject({ resource: 'r', value: 'value-1', attempts: 1, token: undefined });
    expect(lock.value?.validity).toBe(LONGEST_VALIDITY_MS - 30);
  });

  it('reads the clock again after the deciding reply, and before the first command', async () => {
    const world = new FakeWorld();
    const [node, ...others] = world.nodes(1);
    expect(others).toEqual([]);
    // The client is paused between the answer of the node and the look at it.
    if (node !== undefined) {
      node.fate = () => {
        world.nowMs += 5;
        return undefined;
      };
    }
    const lock = watch(world.redlock([node as LockNode]).acquire('r', TTL_MS));
    await world.advance(1);
    expect(lock.value?.validity).toBe(LONGEST_VALIDITY_MS - 6);
    await world.advance(400);
    expect(lock.value?.validity).toBe(LONGEST_VALIDITY_MS - 6);
    expect(lock.value?.remaining()).toBe(LONGEST_VALIDITY_MS - 406);
  });

  it('does not wait for nodes that hang', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(5);
    for (const node of nodes.slice(0, 2)) node.fate = () => 'lost';
    const redlock = world.redlock(nodes);
    const lock = watch(redlock.acquire('r', TTL_MS));
    await world.advance(1);
    expect(lock.state).toBe('resolved');
    const release = watch((lock.value as AcquiredLock).release());
    await world.advance(1);
    expect(release.state).toBe('resolved');
    expect(world.armedTimers).toBe(0);
  });

  it.each([
    [2, 1],
    [4, 2],
    [6, 3],
  ])('settles a tie of %i nodes', async (count, occupied) => {
    const world = new FakeWorld();
    const nodes = world.nodes(count);
    for (const node of nodes.slice(0, occupied)) node.occupy();
    const lock = watch(world.redlock(nodes).acquire('r', TTL_MS));
    await world.advance(1);
    expect(errorOf(lock)).toBeInstanceOf(ContendedError);
    await world.advance(1);
    expect(nodes.map((node) => node.holder())).toEqual(nodes.map((_, index) => (index < occupied ? 'somebody' : null)));
  });

  it('tells how many nodes of how many said what', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(5);
    nodes[2]?.occupy();
    for (const node of nodes.slice(3)) node.fate = () => 'lost';
    const lock = watch(world.redlock(nodes).acquire('r', TTL_MS));
    await world.advance(TTL_MS);
    const error = errorOf(lock);
    expect(error).toMatchObject({ code: 'contended', name: 'ContendedError', resource: 'r' });
    expect(error.message).toBe('No quorum granted the lock on "r" in 1 attempt (2 of 5 granted, 1 held, 2 timed out)');
    expect(error.outcomes).toEqual([
      { node: 'node-1', outcome: 'granted' },
      { node: 'node-2', outcome: 'granted' },
      { node: 'node-3', outcome: 'held' },
      { node: 'node-4', outcome: 'timeout' },
      { node: 'node-5', outcome: 'timeout' },
    ]);
  });

  it.each([2, 4, 6])('takes one half of %s nodes for too few', async (count) => {
    const world = new FakeWorld();
    const nodes = world.nodes(count);
    for (const node of nodes.slice(count / 2)) node.fate = () => failed('down');
    const lock = watch(world.redlock(nodes).acquire('r', TTL_MS));
    await world.advance(10);
    expect(errorOf(lock)).toBeInstanceOf(UnreachableError);
  });

  it('tells nodes that cannot be reached from nodes that others hold, and why they cannot be', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    nodes[2]?.occupy();
    for (const node of nodes.slice(0, 2)) node.fate = () => failed(`${node.id}: connect ECONNREFUSED`);
    const lock = watch(world.redlock(nodes).acquire('r', TTL_MS));
    await world.advance(1);
    const error = errorOf(lock);
    expect(error).toBeInstanceOf(UnreachableError);
    expect(error.message).toBe(
      'Too few nodes answered to lock "r" in 1 attempt (0 of 3 granted, 2 failed, 1 not awaited; node-1: connect ECONNREFUSED)',
    );
    expect(error.cause).toBe(error.outcomes[0]?.error);
  });

  it('says which nodes it did not await', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    for (const node of nodes.slice(0, 2)) node.occupy();
    if (nodes[2] !== undefined) nodes[2].fate = () => 'lost';
    const lock = watch(world.redlock(nodes).acquire('r', TTL_MS));
    await world.advance(1);
    expect(errorOf(lock).message).toContain('(0 of 3 granted, 2 held, 1 not awaited)');
  });

  describe('when the answers come too late', () => {
    it('does not wait longer than the lock could live, however large nodeTimeout is', async () => {
      const world = new FakeWorld();
      const nodes = world.nodes(3);
      for (const node of nodes) node.answerLatencyMs = LONGEST_VALIDITY_MS;
      const lock = watch(world.redlock(nodes, { nodeTimeout: 100_000 }).acquire('r', TTL_MS));
      await world.advance(5000);
      expect(errorOf(lock)).toBeInstanceOf(UnreachableError);
      expect(nodes.map((node) => node.holder())).toEqual([null, null, null]);
    });

    it('takes a validity of exactly 0 for none', async () => {
      const world = new FakeWorld();
      const [node] = world.nodes(1);
      if (node === undefined) throw new Error('no node');
      const lock = watch(world.redlock([node]).acquire('r', TTL_MS));
      // The client is paused before it reads the answer.
      world.nowMs += LONGEST_VALIDITY_MS;
      await world.advance(1);
      expect(errorOf(lock)).toBeInstanceOf(ExpiredError);
      expect(errorOf(lock).message).toContain('so late that it was over, in 1 attempt (1 of 1 granted)');
      await world.advance(1);
      expect(node.holder()).toBeNull();
    });

    it('does not resolve a lock when most nodes answer after the time to live', async () => {
      const world = new FakeWorld();
      const nodes = world.nodes(5);
      for (const node of nodes.slice(0, 3)) node.latencyMs = TTL_MS + 500;
      const lock = watch(world.redlock(nodes).acquire('r', TTL_MS));
      await world.advance(TTL_MS * 3);
      expect(errorOf(lock)).toBeInstanceOf(UnreachableError);
      expect(nodes.map((node) => node.holder())).toEqual([null, null, null, null, null]);
    });
  });

  describe('retries', () => {
    it('as often as was asked, after the delay and its jitter, and measures validity from the last attempt', async () => {
      const world = new FakeWorld();
      world.fraction = 0.5;
      const nodes = world.nodes(3);
      for (const node of nodes) node.occupy('somebody', 2500);
      const redlock = world.redlock(nodes, { retryCount: 10, retryDelay: 900, retryJitter: 200 });
      const lock = watch(redlock.acquire('r', TTL_MS));
      await world.advance(1);
      expect(nodes[0]?.kinds()).toEqual(['acquire', 'release']);
      await world.advance(999);
      expect(acquireValues(nodes[0])).toHaveLength(1);
      await world.advance(1);
      expect(acquireValues(nodes[0])).toHaveLength(2);
      await world.advance(5000);
      expect(lock.value).toMatchObject({ attempts: 4, value: 'value-4', validity: LONGEST_VALIDITY_MS - 1 });
      expect(new Set(acquireValues(nodes[0])).size).toBe(4);
    });

    it('never with retryCount 0, not even for a call that overrides the count of its Redlock', async () => {
      const world = new FakeWorld();
      const nodes = world.nodes(1);
      nodes[0]?.occupy();
      const none = watch(world.redlock(nodes).acquire('r', TTL_MS));
      const overridden = watch(world.redlock(nodes, { retryCount: 5 }).acquire('r', TTL_MS, { retryCount: 0 }));
      await world.advance(1);
      expect([none.state, overridden.state]).toEqual(['rejected', 'rejected']);
      expect(acquireValues(nodes[0])).toHaveLength(2);
    });

    it('without end with retryCount -1', async () => {
      const world = new FakeWorld();
      const nodes = world.nodes(1);
      nodes[0]?.occupy();
      const options = { retryCount: -1, retryDelay: 9, retryJitter: 0 };
      const lock = watch(world.redlock(nodes).acquire('r', TTL_MS, options));
      await world.advance(999);
      expect(lock.state).toBe('pending');
      expect(acquireValues(nodes[0])).toHaveLength(100);
      nodes[0]?.keys.clear();
      await world.advance(10);
      expect(lock.value).toMatchObject({ attempts: 101 });
    });

    it('counts the attempts in its error', async () => {
      const world = new FakeWorld();
      const nodes = world.nodes(1);
      nodes[0]?.occupy();
      const lock = watch(world.redlock(nodes, { retryCount: 2 }).acquire('r', TTL_MS));
      await world.advance(1000);
      expect(errorOf(lock).message).toContain('in 3 attempts');
    });
  });

  describe('cleans up', () => {
    it('on all nodes before each retry, those that did not answer included', async () => {
      const world = new FakeWorld();
      const nodes = world.nodes(3);
      nodes[0]?.occupy('somebody', 150);
      for (const node of nodes.slice(1)) node.fate = ({ kind }) => (kind === 'acquire' ? 'unanswered' : undefined);
      const lock = watch(world.redlock(nodes, { retryCount: 1, retryDelay: 100 }).acquire('r', TTL_MS));
      await world.advance(100);
      expect(nodes.map((node) => node.kinds())).toEqual(nodes.map(() => ['acquire', 'release']));
      await world.advance(1);
      expect(nodes.map((node) => node.holder())).toEqual(['somebody', null, null]);
      await world.advance(1000);
      expect(nodes.map((node) => node.kinds())).toEqual(nodes.map(() => ['acquire', 'release', 'acquire', 'release']));
      expect(nodes.map((node) => node.holder())).toEqual([null, null, null]);
      expect(errorOf(lock)).toBeInstanceOf(UnreachableError);
      expect(world.armedTimers).toBe(0);
    });

    it('a grant that overtook nothing and arrives after its release', async () => {
      const world = new FakeWorld();
      const nodes = world.nodes(3);
      const [slow] = nodes;
      if (slow === undefined) throw new Error('no node');
      slow.latencyMs = 50;
      const lock = watch(world.redlock(nodes).acquire('r', TTL_MS));
      await world.advance(1);
      // The release overtakes the acquire, as over another connection.
      slow.latencyMs = 1;
      const release = watch((lock.value as AcquiredLock).release());
      await world.advance(10);
      expect(release.state).toBe('resolved');
      expect(slow.holder()).toBeNull();
      await world.advance(50);
      expect(slow.kinds()).toEqual(['acquire', 'release', 'release']);
      expect(slow.holder()).toBeNull();
    });

    it('a grant that is told while its release is on the way, if that did not find it', async () => {
      const world = new FakeWorld();
      const nodes = world.nodes(3);
      const [slow] = nodes;
      if (slow === undefined) throw new Error('no node');
      slow.latencyMs = 20;
      const lock = watch(world.redlock(nodes).acquire('r', TTL_MS));
      await world.advance(1);
      slow.latencyMs = 1;
      slow.answerLatencyMs = 30;
      await Promise.all([(lock.value as AcquiredLock).release(), world.advance(2)]);
      slow.answerLatencyMs = 0;
      await world.advance(100);
      expect(slow.kinds()).toEqual(['acquire', 'release', 'release']);
      expect(slow.holder()).toBeNull();
    });

    it.each<[string, LockReply]>([
      ['a grant', { kind: 'granted', token: null }],
      ['a grant that is no vote', { kind: 'failed', error: new Error('sent again'), sent: true, mayHold: true }],
    ])('%s of an acquire that ran again after the value was released', async (_what, told) => {
      const world = new FakeWorld();
      const nodes = world.nodes(3);
      const [slow, ...others] = nodes;
      if (slow === undefined) throw new Error('no node');
      // It has stored the value, but the answer is lost with the connection, and the client sends the command again.
      let tell: () => void = () => undefined;
      const resending: LockNode = {
        id: 'resending',
        execute: (command, settle) => {
          if (command.kind === 'acquire') tell = () => settle(told);
          slow.execute(command, command.kind === 'acquire' ? () => undefined : settle);
        },
      };
      const lock = watch(world.redlock([resending, ...others]).acquire('r', TTL_MS));
      await world.advance(10);
      await Promise.all([(lock.value as AcquiredLock).release(), world.advance(10)]);
      slow.occupy((lock.value as AcquiredLock).value);
      tell();
      await world.advance(10);
      expect(slow.kinds()).toEqual(['acquire', 'release', 'release']);
      expect(slow.holder()).toBeNull();
    });

    it('without asking again a node that released what it had granted late', async () => {
      const world = new FakeWorld();
      const nodes = world.nodes(3);
      const [slow] = nodes;
      if (slow === undefined) throw new Error('no node');
      slow.latencyMs = 20;
      const lock = watch(world.redlock(nodes).acquire('r', TTL_MS));
      await world.advance(1);
      await Promise.all([(lock.value as AcquiredLock).release(), world.advance(100)]);
      expect(slow.kinds()).toEqual(['acquire', 'release']);
    });
  });

  describe('with a signal', () => {
    it('rejects at once, tells the reason, and removes what it stored from all nodes', async () => {
      const world = new FakeWorld();
      const nodes = world.nodes(3);
      for (const node of nodes.slice(0, 2)) node.latencyMs = 40;
      const controller = new AbortController();
      const lock = watch(world.redlock(nodes).acquire('r', TTL_MS, { signal: controller.signal }));
      await world.advance(1);
      controller.abort('enough');
      await world.advance(0);
      expect(errorOf(lock)).toBeInstanceOf(AbortedError);
      expect(errorOf(lock)).toMatchObject({ code: 'aborted', cause: 'enough' });
      await world.advance(1000);
      expect(nodes.map((node) => node.holder())).toEqual([null, null, null]);
      expect(world.armedTimers).toBe(0);
    });

    it('does not wait for the next retry', async () => {
      const world = new FakeWorld();
      const nodes = world.nodes(1);
      nodes[0]?.occupy();
      const controller = new AbortController();
      const lock = watch(world.redlock(nodes, { retryCount: 5 }).acquire('r', TTL_MS, { signal: controller.signal }));
      await world.advance(10);
      controller.abort();
      await world.advance(0);
      expect(lock.state).toBe('rejected');
      expect(world.armedTimers).toBe(0);
      await world.advance(1000);
      expect(acquireValues(nodes[0])).toHaveLength(1);
    });

    it('asks no node when the signal fired before', async () => {
      const world = new FakeWorld();
      const nodes = world.nodes(1);
      const lock = watch(world.redlock(nodes).acquire('r', TTL_MS, { signal: AbortSignal.abort('no') }));
      await world.advance(1);
      expect(errorOf(lock).cause).toBe('no');
      expect(nodes[0]?.commands).toEqual([]);
    });

    it('leaks no lock when it fires right before or right after the deciding reply', async () => {
      for (const abortsFirst of [true, false]) {
        const world = new FakeWorld();
        const nodes = world.nodes(1);
        const controller = new AbortController();
        const abort = (): void => controller.abort();
        if (abortsFirst) world.schedule(1, abort);
        const lock = watch(world.redlock(nodes).acquire('r', TTL_MS, { signal: controller.signal }));
        if (!abortsFirst) world.schedule(1, abort);
        await world.advance(1);
        expect(lock.state).toBe(abortsFirst ? 'rejected' : 'resolved');
        await world.advance(10);
        expect(nodes[0]?.holder()).toBe(abortsFirst ? null : 'value-1');
      }
    });

    it('listens to the signal no longer than it must', async () => {
      const world = new FakeWorld();
      const nodes = world.nodes(1);
      const { signal } = new AbortController();
      let listeners = 0;
      const add = signal.addEventListener.bind(signal);
      const remove = signal.removeEventListener.bind(signal);
      signal.addEventListener = (...args: Parameters<typeof add>) => {
        listeners += 1;
        add(...args);
      };
      signal.removeEventListener = (...args: Parameters<typeof remove>) => {
        listeners -= 1;
        remove(...args);
      };
      const redlock = world.redlock(nodes);
      const granted = watch(redlock.acquire('r', TTL_MS, { signal }));
      expect(listeners).toBe(1);
      await world.advance(1);
      const refused = watch(redlock.acquire('r', TTL_MS, { signal }));
      await world.advance(1);
      expect([granted.state, refused.state]).toEqual(['resolved', 'rejected']);
      expect(listeners).toBe(0);
    });
  });

  describe('with a lockValue', () => {
    it('stores it first, which is not fresh, and never the same again', async () => {
      const world = new FakeWorld();
      const nodes = world.nodes(1);
      nodes[0]?.occupy('somebody', 500);
      const lock = watch(world.redlock(nodes, { retryCount: 3 }).acquire('r', TTL_MS, { lockValue: 'mine' }));
      await world.advance(1000);
      expect(acquireValues(nodes[0])).toEqual(['mine', 'mine#2', 'mine#3', 'mine#4']);
      expect(nodes[0]?.commands.every((command) => command.kind !== 'acquire' || !command.fresh)).toBe(true);
      expect(lock.value?.value).toBe('mine#4');
    });
  });

  it('puts the prefix before the key, so that locks do not collide with keys of the application', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(1);
    nodes[0]?.occupy('a value of the application', 1000, 'r');
    const locks = [
      watch(world.redlock(nodes).acquire('r', TTL_MS)),
      watch(world.redlock(nodes, { keyPrefix: 'jobs:' }).acquire('r', TTL_MS)),
      watch(world.redlock(nodes, { keyPrefix: '' }).acquire('r', TTL_MS)),
    ];
    await world.advance(1);
    expect(locks.map(({ state }) => state)).toEqual(['resolved', 'resolved', 'rejected']);
    expect([...(nodes[0]?.keys.keys() ?? [])]).toEqual(['r', 'lock:r', 'jobs:r']);
  });

  it('makes no promise but the one it returns, however many nodes there are', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(7);
    const redlock = world.redlock(nodes);
    const replies: (() => void)[] = [];
    for (const node of nodes) {
      node.execute = (command, settle) => {
        const reply: LockReply = command.kind === 'acquire' ? { kind: 'granted', token: null } : { kind: 'released' };
        replies.push(() => settle(reply));
      };
    }
    let promises = 0;
    const hook = createHook({ init: (_id, type) => void (promises += type === 'PROMISE' ? 1 : 0) }).enable();
    const acquire = redlock.acquire('r', TTL_MS);
    for (const answer of replies.splice(0)) answer();
    const promisesOfAcquire = promises;
    hook.disable();
    expect(promisesOfAcquire).toBe(1);
    expect(await acquire).toBeInstanceOf(AcquiredLock);
  });

  it('keeps nothing of acquires that are over', async () => {
    const world = new FakeWorld();
    const redlock = world.redlock(world.nodes(1));
    const [granted, refused] = [acquireWithSignal(redlock), acquireWithSignal(redlock)];
    expect([await isCollected(granted.signal), await isCollected(refused.signal)]).toEqual([false, false]);
    await world.advance(1);
    expect([await granted.end, await refused.end]).toEqual(['resolved', 'contended']);
    expect([await isCollected(granted.signal), await isCollected(refused.signal)]).toEqual([true, true]);
    await redlock.close();
  });

  describe('when its environment throws', () => {
    it('rejects, and keeps nothing of it', async () => {
      const world = new FakeWorld();
      const random = {
        ...world.environment.random,
        token: () => {
          throw new Error('no entropy');
        },
      };
      const redlock = world.redlock(world.nodes(1), { environment: { ...world.environment, random } });
      const { signal, end } = acquireWithSignal(redlock);
      expect(await end).toBe('no entropy');
      expect(await isCollected(signal)).toBe(true);
      await redlock.close();
    });

    it.each([
      ['token', 2],
      ['fraction', 1],
    ] as const)('rejects at a retry too: %s', async (method, call) => {
      const world = new FakeWorld();
      const nodes = world.nodes(1);
      nodes[0]?.occupy();
      const { random } = world.environment;
      let calls = 0;
      const broken = () => {
        calls += 1;
        if (calls === call) throw new Error('no entropy');
        return random[method]() as never;
      };
      const environment = { ...world.environment, random: { ...random, [method]: broken } };
      const lock = watch(world.redlock(nodes, { environment, retryCount: 3 }).acquire('r', TTL_MS));
      await world.advance(1000);
      expect(lock.error).toMatchObject({ message: 'no entropy' });
      expect(world.armedTimers).toBe(0);
    });

    it('rejects before it asks any node: timers', async () => {
      const world = new FakeWorld();
      const nodes = world.nodes(1);
      const timers = {
        schedule: () => {
          throw new Error('no timers');
        },
      };
      const lock = watch(world.redlock(nodes, { environment: { ...world.environment, timers } }).acquire('r', TTL_MS));
      await world.advance(1);
      expect(lock.error).toMatchObject({ message: 'no timers' });
      expect(nodes[0]?.commands).toEqual([]);
    });
  });

  it('asks all nodes before it looks at any answer, even if nodes throw or answer within the call', async () => {
    for (const answersWithin of [true, false]) {
      const world = new FakeWorld();
      const nodes = world.nodes(5);
      for (const node of nodes.slice(0, 3)) {
        node.execute = (_command, settle) => {
          if (!answersWithin) throw new Error('out of order');
          settle({ kind: 'held' });
        };
      }
      const lock = watch(world.redlock(nodes).acquire('r', TTL_MS));
      await world.advance(10);
      expect(lock.state).toBe('rejected');
      expect(nodes.slice(3).map((node) => node.kinds())).toEqual([
        ['acquire', 'release'],
        ['acquire', 'release'],
      ]);
      expect(nodes.map((node) => node.holder())).toEqual([null, null, null, null, null]);
    }
  });

  it('lets a round end for a node that throws, answers within the call, or answers twice', async () => {
    const world = new FakeWorld();
    const grants = (id: string, answers: number): LockNode => ({
      id,
      execute: (command, settle) => {
        for (let count = 0; count < answers; count += 1) {
          settle(command.kind === 'acquire' ? { kind: 'granted', token: null } : { kind: 'released' });
        }
      },
    });
    const throws: LockNode = {
      id: 'throws',
      execute: () => {
        throw new Error('out of order');
      },
    };
    const one = watch(world.redlock([grants('twice', 2), throws]).acquire('r', TTL_MS));
    const two = watch(world.redlock([grants('a', 1), throws, grants('b', 1)]).acquire('r', TTL_MS));
    await world.advance(0);
    expect(errorOf(one).message).toContain('(1 of 2 granted, 1 failed; out of order)');
    expect(two.value).toBeInstanceOf(AcquiredLock);
    expect(world.armedTimers).toBe(0);
  });
});

describe('arguments', () => {
  const world = new FakeWorld();
  const redlock = world.redlock(world.nodes(1));

  it.each([
    ['a resource', () => redlock.acquire('', TTL_MS), 'resource'],
    ['a resource', () => redlock.acquire(7 as never, TTL_MS), 'resource'],
    ['a resource', () => redlock.acquire('r:fencing-counter', TTL_MS), 'resource'],
    ['a time to live', () => redlock.acquire('r', 0), 'ttl'],
    ['a time to live', () => redlock.acquire('r', 1.5), 'ttl'],
    ['a time to live', () => redlock.acquire('r', 2), 'ttl'],
    ['a time to live', () => redlock.acquire('r', '10' as never), 'ttl'],
    ['a retry count', () => redlock.acquire('r', TTL_MS, { retryCount: -2 }), 'retryCount'],
    ['an option', () => redlock.acquire('r', TTL_MS, { retries: 3 } as never), 'retries'],
    ['options', () => redlock.acquire('r', TTL_MS, null as never), 'options'],
    ['a signal', () => redlock.acquire('r', TTL_MS, { signal: {} as never }), 'signal'],
    ['a lock', () => redlock.extend({} as never, TTL_MS), 'lock'],
    ['a lock', () => redlock.release(undefined as never), 'lock'],
  ])('are refused by name: %s', async (_what, call, option) => {
    const error: unknown = await call().catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(InvalidOptionError);
    expect(error).toMatchObject({ code: 'invalid-option', option, resource: '', outcomes: [] });
    expect((error as Error).message).toMatch(new RegExp(`^${option} `));
  });
});

describe('quit and close', () => {
  it('reject what waits for a retry or an answer, take its values off the nodes, and refuse what comes later', async () => {
    for (const method of ['quit', 'close'] as const) {
      const world = new FakeWorld();
      const nodes = world.nodes(3);
      for (const node of nodes.slice(0, 2)) node.occupy('somebody', 1_000_000, 'lock:busy');
      const redlock = world.redlock(nodes, { retryCount: -1 });
      const waiting = watch(redlock.acquire('busy', TTL_MS));
      await world.advance(10);
      const underWay = watch(redlock.acquire('free', TTL_MS));
      const closed = watch(redlock[method]());
      await world.advance(0);
      for (const watched of [waiting, underWay]) {
        expect(errorOf(watched)).toBeInstanceOf(AbortedError);
        expect(errorOf(watched).message).toContain('The Redlock was closed');
      }
      expect(closed.state).toBe('resolved');
      await world.advance(1000);
      expect(world.armedTimers).toBe(0);
      expect(nodes.map((node) => node.holder('lock:free'))).toEqual([null, null, null]);
      const later = watch(redlock.acquire('free', TTL_MS));
      await world.advance(1);
      expect(errorOf(later).code).toBe('aborted');
      expect(acquireValues(nodes[0])).toHaveLength(2);
    }
  });

  it('refuse to extend a lock, but let it be released while its nodes can be reached', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    const redlock = world.redlock(nodes);
    const lock = watch(redlock.acquire('r', TTL_MS));
    await world.advance(1);
    await redlock.close();
    const extension = watch((lock.value as AcquiredLock).extend(TTL_MS));
    const release = watch((lock.value as AcquiredLock).release());
    await world.advance(1);
    expect(errorOf(extension).message).toBe('The Redlock was closed: the lock on "r" cannot be extended');
    expect(release.state).toBe('resolved');
  });

  it('close the connections that are theirs to close', async () => {
    const world = new FakeWorld();
    const closed: string[] = [];
    const nodes: LockNode[] = world.nodes(3).map(({ id }, index) => ({
      id,
      execute: () => undefined,
      ...(index === 2 ? {} : { connection: { owned: index === 0, quit: () => Promise.resolve(void closed.push(id)) } }),
    }));
    await world.redlock(nodes).close();
    expect(closed).toEqual(['node-1']);
    await world.redlock(nodes).quit();
    expect(closed).toEqual(['node-1', 'node-1', 'node-2']);
  });
});

describe('the options of a Redlock', () => {
  const nodes = new FakeWorld().nodes(1);

  it.each([
    ['retryCount', { retryCount: 1.5 }],
    ['retryDelay', { retryDelay: -1 }],
    ['retryJitter', { retryJitter: Number.NaN }],
    ['clockDriftFactor', { clockDriftFactor: 1 }],
    ['nodeTimeout', { nodeTimeout: 0 }],
    ['keyPrefix', { keyPrefix: null }],
    ['fencing', { fencing: 'yes' }],
    ['extensionLimit', { extensionLimit: -2 }],
    ['environment', { environment: { clock: {} } }],
    ['quorum', { quorum: 1 }],
    ['driftFactor', { driftFactor: 0.01 }],
    ['toString', { toString: 1 }],
    ['options', 7],
    ['options', []],
  ])('are refused by name: %s', (option, options) => {
    expect(() => new Redlock(nodes, options as never)).toThrow(InvalidOptionError);
    expect(() => new Redlock(nodes, options as never)).toThrow(new RegExp(`^${option} `));
  });

  it('may be undefined, which means the default', async () => {
    const world = new FakeWorld();
    const fakes = world.nodes(1);
    fakes[0]?.occupy();
    const redlock = new Redlock(fakes, { environment: world.environment, retryCount: undefined, keyPrefix: undefined });
    const lock = watch(redlock.acquire('r', TTL_MS));
    await world.advance(5000);
    expect(errorOf(lock).message).toContain('in 4 attempts');
  });
});
