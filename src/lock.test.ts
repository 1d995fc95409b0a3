import { describe, expect, it } from 'vitest';
import { failed, type FakeNode, FakeWorld, watch } from '../test/fake-world.ts';
import { ExpiredError, ExtensionRefusedError, type LockError, UnreachableError } from './errors.ts';
import type { AcquiredLock } from './lock.ts';
import type { RedlockOptions } from './options.ts';
import type { Redlock } from './redlock.ts';

const TTL_MS = 1000;
/** 1000 ms, less 1 % and 2 ms. */
const LONGEST_VALIDITY_MS = 988;

interface Held {
  readonly world: FakeWorld;
  readonly nodes: readonly FakeNode[];
  readonly redlock: Redlock;
  readonly lock: AcquiredLock;
}

/** A lock on `r`, taken a millisecond ago. */
async function held(options: RedlockOptions = {}, count = 3): Promise<Held> {
  const world = new FakeWorld();
  const nodes = world.nodes(count);
  const redlock = world.redlock(nodes, options);
  const acquire = redlock.acquire('r', TTL_MS);
  await world.advance(1);
  return { world, nodes, redlock, lock: await acquire };
}

function errorOf(watched: { error?: unknown }): LockError {
  return watched.error as LockError;
}

describe('extend', () => {
  it('lets the lock live from the moment of the call, on a quorum, and resolves to the same lock', async () => {
    const { world, nodes, redlock, lock } = await held();
    await world.advance(499);
    const extension = watch(redlock.extend(lock, 2000));
    expect(nodes[0]?.commands.at(-1)).toEqual({
      kind: 'extend',
      key: 'lock:r',
      value: lock.value,
      ttlMs: 2000,
      timeoutMs: 200,
    });
    await world.advance(1);
    expect(extension.value).toBe(lock);
    expect(lock.validity).toBe(2000 - 22 - 1);
    expect(lock.remaining()).toBe(lock.validity);
    expect(nodes.map((node) => node.remainingMs())).toEqual([2000, 2000, 2000]);
    expect(world.armedTimers).toBe(0);
  });

  it('never shortens a lock', async () => {
    const { world, nodes, lock } = await held();
    const extension = watch(lock.extend(100));
    await world.advance(1);
    expect(extension.state).toBe('resolved');
    expect(lock.validity).toBe(LONGEST_VALIDITY_MS - 2);
    expect(nodes[0]?.remainingMs()).toBe(TTL_MS - 1);
  });

  it('neither deletes, recreates nor prolongs the lock when a quorum refuses', async () => {
    const { world, nodes, lock } = await held();
    nodes[0]?.keys.clear();
    nodes[1]?.occupy('somebody');
    const validity = lock.remaining();
    const extension = watch(lock.extend(5000));
    await world.advance(1);
    expect(errorOf(extension)).toBeInstanceOf(ExtensionRefusedError);
    expect(errorOf(extension).message).toBe(
      'No quorum holds the lock on "r" any more (0 of 3 extended, 2 absent, 1 not awaited)',
    );
    expect(lock.validity).toBe(LONGEST_VALIDITY_MS - 1);
    expect(lock.remaining()).toBe(validity - 1);
    expect(nodes.map((node) => node.holder())).toEqual([null, 'somebody', lock.value]);
    expect(nodes.map((node) => node.kinds().at(-1))).toEqual(['extend', 'extend', 'extend']);
  });

  it('leaves the validity as it was when too few nodes answer', async () => {
    const { world, nodes, lock } = await held();
    for (const node of nodes.slice(1)) node.fate = () => failed('down');
    const extension = watch(lock.extend(5000));
    await world.advance(1);
    expect(errorOf(extension)).toBeInstanceOf(UnreachableError);
    expect(errorOf(extension).message).toContain('(1 of 3 extended, 2 failed; down)');
    expect(lock.remaining()).toBe(LONGEST_VALIDITY_MS - 2);
    expect(nodes.map((node) => node.holder())).toEqual([lock.value, lock.value, lock.value]);
  });

  it('is refused without a question to any node once the validity is over', async () => {
    const { world, nodes, lock } = await held();
    await world.advance(LONGEST_VALIDITY_MS - 1);
    expect(lock.remaining()).toBe(0);
    const extension = watch(lock.extend(TTL_MS));
    await world.advance(1);
    expect(errorOf(extension)).toBeInstanceOf(ExpiredError);
    expect(nodes[0]?.kinds()).toEqual(['acquire']);
  });

  it('fails when the lock is over before its answers come', async () => {
    const { world, nodes, lock } = await held();
    for (const node of nodes) node.answerLatencyMs = 60;
    await world.advance(LONGEST_VALIDITY_MS - 20);
    const extension = watch(lock.extend(TTL_MS));
    await world.advance(100);
    expect(errorOf(extension)).toBeInstanceOf(ExpiredError);
    expect(errorOf(extension).message).toContain('expired meanwhile (2 of 3 extended, 1 not awaited)');
    expect(lock.remaining()).toBe(0);
  });

  it('takes the lock off the nodes that prolonged it when it was over meanwhile, so that it blocks nobody', async () => {
    const { world, nodes, redlock, lock } = await held();
    for (const node of nodes) node.answerLatencyMs = 60;
    await world.advance(LONGEST_VALIDITY_MS - 20);
    const extension = watch(lock.extend(60_000));
    await world.advance(30);
    expect(nodes.map((node) => node.holder())).toEqual([lock.value, lock.value, lock.value]);
    await world.advance(70);
    expect(errorOf(extension)).toBeInstanceOf(ExpiredError);
    expect(nodes.map((node) => node.holder())).toEqual([null, null, null]);
    const next = watch(redlock.acquire('r', TTL_MS));
    await world.advance(100);
    expect(next.state).toBe('resolved');
    // It is the next holder's now.
    const release = watch(lock.release());
    await world.advance(100);
    expect(release.state).toBe('resolved');
    expect(nodes.map((node) => node.holder())).toEqual(nodes.map(() => next.value?.value));
  });

  it('takes it off too when the nodes prolonged it and never told', async () => {
    const { world, nodes, lock } = await held();
    await world.advance(LONGEST_VALIDITY_MS - 20);
    for (const node of nodes) node.fate = ({ kind }) => (kind === 'extend' ? 'unanswered' : undefined);
    const extension = watch(lock.extend(60_000));
    await world.advance(499);
    expect(extension.state).toBe('pending');
    await world.advance(2);
    expect(errorOf(extension)).toBeInstanceOf(ExpiredError);
    expect(nodes.map((node) => node.holder())).toEqual([null, null, null]);
    expect(world.armedTimers).toBe(0);
  });

  it('asks no node to let go twice when the lock was given back while it was being extended', async () => {
    const { world, nodes, lock } = await held();
    for (const node of nodes) node.answerLatencyMs = 60;
    await world.advance(LONGEST_VALIDITY_MS - 20);
    const extension = watch(lock.extend(TTL_MS));
    const release = watch(lock.release());
    await world.advance(100);
    expect([extension.state, release.state]).toEqual(['rejected', 'resolved']);
    expect(nodes[0]?.kinds()).toEqual(['acquire', 'extend', 'release']);
  });

  it('fails when its answers come too late for what it asked', async () => {
    const { world, nodes, lock } = await held();
    for (const node of nodes) node.latencyMs = 3;
    const extension = watch(lock.extend(10));
    // The client is paused before it reads the answers.
    world.nowMs += 200;
    await world.advance(10);
    expect(errorOf(extension)).toBeInstanceOf(ExpiredError);
    expect(errorOf(extension).message).toContain('came too late to be of use (2 of 3 extended, 1 not awaited)');
    expect(lock.remaining()).toBe(LONGEST_VALIDITY_MS - 211);
    // By what was granted before it is still valid.
    expect(nodes.map((node) => node.holder())).toEqual([lock.value, lock.value, lock.value]);
  });

  it('is limited by extensionLimit, which counts only extensions that were granted', async () => {
    const { world, nodes, lock } = await held({ extensionLimit: 2 });
    const first = watch(lock.extend(TTL_MS));
    await world.advance(1);
    for (const node of nodes) node.fate = () => failed();
    const broken = watch(lock.extend(TTL_MS));
    await world.advance(1);
    for (const node of nodes) node.fate = () => undefined;
    const second = watch(lock.extend(TTL_MS));
    await world.advance(1);
    const third = watch(lock.extend(TTL_MS));
    await world.advance(1);
    expect([first, broken, second, third].map(({ state }) => state)).toEqual([
      'resolved',
      'rejected',
      'resolved',
      'rejected',
    ]);
    expect(errorOf(third)).toBeInstanceOf(ExtensionRefusedError);
    expect(errorOf(third).message).toBe('Cannot extend the lock on "r" more than 2 times (extensionLimit)');
  });

  it('words a limit of one', async () => {
    const { world, lock } = await held({ extensionLimit: 1 });
    const extensions = [watch(lock.extend(TTL_MS)), watch(lock.extend(TTL_MS))];
    await world.advance(1);
    expect(extensions.map(({ state }) => state)).toEqual(['resolved', 'rejected']);
    expect(errorOf(extensions[1] ?? {}).message).toContain('more than once');
  });

  it('does not extend a lock that was given back, before or meanwhile', async () => {
    const { world, nodes, lock } = await held();
    const meanwhile = watch(lock.extend(TTL_MS));
    const release = watch(lock.release());
    const after = watch(lock.extend(TTL_MS));
    await world.advance(1);
    expect(release.state).toBe('resolved');
    for (const extension of [meanwhile, after]) expect(errorOf(extension)).toBeInstanceOf(ExtensionRefusedError);
    expect(lock.remaining()).toBe(0);
    expect(nodes.map((node) => node.holder())).toEqual([null, null, null]);
  });

  it('refuses a senseless time to live', async () => {
    const { lock } = await held();
    await expect(lock.extend(-1)).rejects.toThrow(/^ttl /);
  });
});

describe('release', () => {
  it('deletes the lock on all nodes and resolves at the quorum', async () => {
    const { world, nodes, redlock, lock } = await held({}, 5);
    for (const node of nodes.slice(3)) node.latencyMs = 30;
    const release = watch(redlock.release(lock));
    expect(lock.remaining()).toBe(0);
    await world.advance(1);
    expect(release.state).toBe('resolved');
    await world.advance(30);
    expect(nodes.map((node) => node.holder())).toEqual([null, null, null, null, null]);
    expect(world.armedTimers).toBe(0);
  });

  it('leaves the key of another client alone', async () => {
    const { world, nodes, lock } = await held();
    for (const node of nodes) node.occupy('somebody');
    const release = watch(lock.release());
    await world.advance(1);
    expect(release.state).toBe('resolved');
    expect(nodes.map((node) => node.holder())).toEqual(['somebody', 'somebody', 'somebody']);
  });

  it('says which nodes did not confirm, and can be called again', async () => {
    const { world, nodes, lock } = await held();
    if (nodes[0] !== undefined) nodes[0].fate = () => failed('node-1: down');
    if (nodes[1] !== undefined) nodes[1].fate = () => 'lost';
    const release = watch(lock.release());
    await world.advance(100);
    expect(errorOf(release)).toBeInstanceOf(UnreachableError);
    expect(errorOf(release).message).toBe(
      'Too few nodes confirmed that the lock on "r" is released, which will expire by itself (1 of 3 released, 1 failed, 1 timed out; node-1: down)',
    );
    expect(errorOf(release).outcomes.map(({ outcome }) => outcome)).toEqual(['failed', 'timeout', 'released']);
    for (const node of nodes) node.fate = () => undefined;
    const again = watch(lock.release());
    await world.advance(1);
    expect(again.state).toBe('resolved');
    expect(nodes.map((node) => node.holder())).toEqual([null, null, null]);
  });

  it('can be called again after nodes threw', async () => {
    const { world, nodes, lock } = await held();
    for (const node of nodes) {
      node.fate = () => {
        throw new Error('down');
      };
    }
    const broken = watch(lock.release());
    await world.advance(1);
    expect(errorOf(broken).message).toContain('(0 of 3 released, 2 failed, 1 not awaited; down)');
    for (const node of nodes) node.fate = () => undefined;
    const again = watch(lock.release());
    await world.advance(1);
    expect(again.state).toBe('resolved');
    expect(nodes.map((node) => node.holder())).toEqual([null, null, null]);
  });

  it('after the Redlock was closed is aborted where no quorum of connections is left to send it by', async () => {
    const codes: string[] = [];
    for (const [closes, notSent] of [
      [true, 2],
      [true, 1],
      [false, 2],
    ] as const) {
      const { world, nodes, redlock, lock } = await held();
      if (closes) await redlock.close();
      nodes.forEach((node, index) => (node.fate = () => failed('closed', index >= notSent)));
      const release = watch(lock.release());
      await world.advance(1);
      codes.push(errorOf(release).code);
    }
    expect(codes).toEqual(['aborted', 'unreachable', 'unreachable']);
  });

  it('is no error twice, and asks no node again after it succeeded', async () => {
    const { world, nodes, lock } = await held();
    const both = [watch(lock.release()), watch(lock.release())];
    await world.advance(1);
    const third = watch(lock.release());
    await world.advance(1);
    expect([...both, third].map(({ state }) => state)).toEqual(['resolved', 'resolved', 'resolved']);
    expect(nodes[0]?.kinds()).toEqual(['acquire', 'release']);
  });

  it('of an expired lock is no error, not even when no node answers', async () => {
    const { world, nodes, lock } = await held({ retryCount: -1 });
    await world.advance(TTL_MS * 2);
    const gone = watch(lock.release());
    await world.advance(1);
    expect(gone.state).toBe('resolved');

    const other = await held({ retryCount: -1 });
    for (const node of other.nodes) node.fate = () => 'lost';
    await other.world.advance(TTL_MS);
    const release = watch(other.lock.release());
    await other.world.advance(100);
    expect(release.state).toBe('resolved');
    expect(nodes[0]?.kinds()).toEqual(['acquire', 'release']);
  });
});
