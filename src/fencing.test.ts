import { describe, expect, it } from 'vitest';
import { failed, type FakeNode, FakeWorld, watch } from '../test/fake-world.ts';
import { ContendedError, ExpiredError, InvalidOptionError, type LockError, UnreachableError } from './errors.ts';
import type { LockNode } from './lock-node.ts';

const TTL_MS = 1000;
const HINT = 5_000_000_000;

/** Nodes whose counters for `lock:r` stand where they are told. */
function nodesWithCounters(world: FakeWorld, ...counters: number[]): FakeNode[] {
  return counters.map((counter, index) => {
    const [node] = world.nodes(index + 1).slice(index);
    if (node === undefined) throw new Error('no node');
    node.counters.set('lock:r', counter);
    return node;
  });
}

function countersOf(nodes: readonly FakeNode[]): (number | undefined)[] {
  return nodes.map((node) => node.counters.get('lock:r'));
}

function errorOf(watched: { error?: unknown }): LockError {
  return watched.error as LockError;
}

describe('fencing', () => {
  it('takes the hint from the wall clock, in microseconds, and needs no second round when counters are equal', async () => {
    const world = new FakeWorld();
    const nodes = nodesWithCounters(world, 1, 1, 1);
    const lock = watch(world.redlock(nodes, { fencing: true }).acquire('r', TTL_MS));
    await world.advance(1);
    expect(lock.value?.token).toBe(HINT);
    expect(nodes[0]?.commands).toMatchObject([{ kind: 'acquire', tokenHint: HINT }]);
    expect(world.armedTimers).toBe(0);
  });

  it('gives larger tokens to later locks, even when the wall clock went back', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    const redlock = world.redlock(nodes, { fencing: true });
    const tokens: number[] = [];
    for (let count = 0; count < 3; count += 1) {
      const lock = watch(redlock.acquire('r', TTL_MS));
      await world.advance(1);
      tokens.push(lock.value?.token ?? Number.NaN);
      void lock.value?.release();
      await world.advance(1);
      world.wallMs -= 1000;
    }
    expect(tokens).toEqual([HINT, HINT + 1, HINT + 2]);
  });

  it('commits the largest token to nodes of the quorum whose counters are behind', async () => {
    const world = new FakeWorld();
    const nodes = nodesWithCounters(world, HINT + 10, 0, HINT + 4);
    if (nodes[2] !== undefined) nodes[2].latencyMs = 30;
    const lock = watch(world.redlock(nodes, { fencing: true }).acquire('r', TTL_MS));
    await world.advance(1);
    expect(lock.state).toBe('pending');
    expect(nodes[1]?.commands[1]).toEqual({
      kind: 'commit',
      key: 'lock:r',
      value: 'value-1',
      timeoutMs: 100,
      token: HINT + 11,
    });
    await world.advance(1);
    expect(lock.value?.token).toBe(HINT + 11);
    expect(lock.value?.validity).toBe(988 - 2);
    expect(countersOf(nodes)).toEqual([HINT + 11, HINT + 11, HINT + 4]);
    expect(world.armedTimers).toBe(1);
  });

  it('counts an answer to acquire that comes while the commit is under way', async () => {
    const world = new FakeWorld();
    const nodes = nodesWithCounters(world, HINT + 10, 0, HINT + 10);
    if (nodes[1] !== undefined) nodes[1].fate = ({ kind }) => (kind === 'commit' ? 'lost' : undefined);
    if (nodes[2] !== undefined) nodes[2].latencyMs = 30;
    const lock = watch(world.redlock(nodes, { fencing: true }).acquire('r', TTL_MS));
    await world.advance(29);
    expect(lock.state).toBe('pending');
    await world.advance(1);
    expect(lock.value?.token).toBe(HINT + 11);
    expect(nodes[2]?.kinds()).toEqual(['acquire']);
  });

  it('commits to a node that grants late with a smaller token', async () => {
    const world = new FakeWorld();
    const nodes = nodesWithCounters(world, HINT + 10, 0, 0);
    if (nodes[1] !== undefined) nodes[1].fate = ({ kind }) => (kind === 'commit' ? failed() : undefined);
    if (nodes[2] !== undefined) nodes[2].latencyMs = 30;
    const lock = watch(world.redlock(nodes, { fencing: true }).acquire('r', TTL_MS));
    await world.advance(30);
    expect(nodes[2]?.kinds()).toEqual(['acquire', 'commit']);
    await world.advance(30);
    expect(lock.value?.token).toBe(HINT + 11);
  });

  it('lets a late grant count when a node throws at its commit', async () => {
    const world = new FakeWorld();
    const nodes = nodesWithCounters(world, 0, HINT + 10, HINT + 10);
    if (nodes[0] !== undefined) {
      nodes[0].fate = ({ kind }) => {
        if (kind === 'commit') throw new Error('down');
        return undefined;
      };
    }
    if (nodes[2] !== undefined) nodes[2].latencyMs = 30;
    const lock = watch(world.redlock(nodes, { fencing: true }).acquire('r', TTL_MS));
    await world.advance(30);
    expect(lock.value?.token).toBe(HINT + 11);
  });

  it('does not count a late grant whose counter is above the token', async () => {
    const world = new FakeWorld();
    const nodes = nodesWithCounters(world, HINT + 10, 0, HINT + 99);
    if (nodes[1] !== undefined) nodes[1].fate = ({ kind }) => (kind === 'commit' ? { kind: 'refused' } : undefined);
    if (nodes[2] !== undefined) nodes[2].latencyMs = 30;
    const lock = watch(world.redlock(nodes, { fencing: true }).acquire('r', TTL_MS));
    await world.advance(100);
    expect(errorOf(lock)).toBeInstanceOf(ContendedError);
    expect(errorOf(lock).message).toContain('(2 of 3 granted, 1 refused the token)');
    expect(nodes.map((node) => node.holder())).toEqual([null, null, null]);
  });

  it('tells commits that were refused from commits that failed', async () => {
    const world = new FakeWorld();
    const reasons: string[] = [];
    for (const fate of [{ kind: 'refused' } as const, failed('node-2: gone')]) {
      const nodes = nodesWithCounters(world, HINT + 10, 0, 0);
      nodes[2]?.occupy();
      if (nodes[1] !== undefined) nodes[1].fate = ({ kind }) => (kind === 'commit' ? fate : undefined);
      const lock = watch(world.redlock(nodes, { fencing: true }).acquire('r', TTL_MS));
      await world.advance(10);
      reasons.push(`${errorOf(lock).code}: ${errorOf(lock).message}`);
      expect(nodes.map((node) => node.holder())).toEqual([null, null, 'somebody']);
    }
    expect(reasons[0]).toMatch(/^contended: .*\(1 of 3 granted, 1 refused the token, 1 held\)$/);
    expect(reasons[1]).toMatch(/^unreachable: .*\(1 of 3 granted, 1 failed, 1 held; node-2: gone\)$/);
  });

  it('gives up commits that are not answered in time', async () => {
    const world = new FakeWorld();
    const nodes = nodesWithCounters(world, HINT + 10, 0, 0);
    for (const node of nodes.slice(1)) node.fate = ({ kind }) => (kind === 'commit' ? 'unanswered' : undefined);
    const lock = watch(world.redlock(nodes, { fencing: true }).acquire('r', TTL_MS));
    await world.advance(99);
    expect(lock.state).toBe('pending');
    await world.advance(2);
    expect(errorOf(lock)).toBeInstanceOf(UnreachableError);
    expect(errorOf(lock).message).toContain('(1 of 3 granted, 2 timed out)');
    await world.advance(1);
    expect(nodes.map((node) => node.holder())).toEqual([null, null, null]);
    expect(world.armedTimers).toBe(0);
  });

  it('reads the clock again after the deciding commit', async () => {
    const world = new FakeWorld();
    const nodes = nodesWithCounters(world, HINT + 10, 0, 0);
    const lock = watch(world.redlock(nodes, { fencing: true }).acquire('r', TTL_MS));
    await world.advance(1);
    // The client is paused before it reads the answers to the commits.
    world.nowMs += TTL_MS;
    await world.advance(1);
    expect(errorOf(lock)).toBeInstanceOf(ExpiredError);
    await world.advance(1);
    expect(nodes.map((node) => node.holder())).toEqual([null, null, null]);
  });

  it('does not report a second time when it is aborted while it commits', async () => {
    const world = new FakeWorld();
    const nodes = nodesWithCounters(world, HINT + 10, 0, 0);
    const controller = new AbortController();
    const redlock = world.redlock(nodes, { fencing: true });
    const lock = watch(redlock.acquire('r', TTL_MS, { signal: controller.signal }));
    await world.advance(1);
    controller.abort();
    await world.advance(200);
    expect(errorOf(lock).code).toBe('aborted');
    expect(nodes.map((node) => node.holder())).toEqual([null, null, null]);
    expect(world.armedTimers).toBe(0);
  });

  it('does not count a commit that a node answers twice', async () => {
    const world = new FakeWorld();
    const nodes = nodesWithCounters(world, HINT + 10, 0, 0, 0, 0);
    const [, twice] = nodes;
    const execute = twice?.execute.bind(twice);
    if (twice !== undefined && execute !== undefined) {
      twice.execute = (command, settle) => {
        execute(command, (reply) => {
          settle(reply);
          settle(reply);
        });
      };
    }
    for (const node of nodes.slice(2)) node.fate = ({ kind }) => (kind === 'commit' ? 'lost' : undefined);
    const lock = watch(world.redlock(nodes, { fencing: true }).acquire('r', TTL_MS));
    await world.advance(300);
    expect(errorOf(lock).message).toContain('(1 of 5 granted, 1 committed the token, 3 timed out)');
  });

  it('does not count a node that grants without a token', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    for (const node of nodes.slice(1))
      node.fate = ({ kind }) => (kind === 'acquire' ? { kind: 'granted', token: null } : undefined);
    const lock = watch(world.redlock(nodes as LockNode[], { fencing: true }).acquire('r', TTL_MS));
    await world.advance(1);
    expect(errorOf(lock).message).toContain('(1 of 3 granted, 2 failed; node-2: granted without a fencing token)');
  });

  it.each([Number.NaN, -1, 5e12])('refuses a wall clock that reads %d', async (wallMs) => {
    const world = new FakeWorld();
    const nodes = world.nodes(1);
    world.wallMs = wallMs;
    const lock = watch(world.redlock(nodes, { fencing: true }).acquire('r', TTL_MS));
    await world.advance(1);
    expect(errorOf(lock)).toBeInstanceOf(InvalidOptionError);
    expect(errorOf(lock).message).toContain('wall clock');
    expect(nodes[0]?.commands).toEqual([]);
  });
});
