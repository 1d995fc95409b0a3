import { describe, expect, it } from 'vitest';
import { type FakeNode, FakeWorld, failed, watch } from '../test/fake-world.ts';
import { InvalidOptionError, UnreachableError } from './errors.ts';
import { QUARANTINED } from './lock-node.ts';
import type { RedlockOptions } from './options.ts';
import type { Redlock } from './redlock.ts';

const LONGEST_TTL_MS = 10_000;
const GUARDED: RedlockOptions = { restartGuard: { longestTtl: LONGEST_TTL_MS }, retryCount: 0 };

function quarantine(...nodes: readonly (FakeNode | undefined)[]): void {
  for (const node of nodes) {
    if (node !== undefined) node.fate = ({ kind }) => (kind === 'acquire' ? QUARANTINED : undefined);
  }
}

describe('restartGuard', () => {
  it('sends the guard with every acquire: keys under the prefix of locks, and the longest lease by a clock that runs fast', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    const options = { ...GUARDED, keyPrefix: 'shop:', clockDriftFactor: 0.05 };
    const lock = watch(world.redlock(nodes, options).acquire('r', 1000));
    await world.advance(500);
    const guard = {
      markerKey: 'shop::restart-marker',
      quarantineKey: 'shop::restart-quarantine',
      quarantineMs: 10_502,
    };
    expect(nodes.map(({ commands }) => commands[0])).toEqual(Array(3).fill(expect.objectContaining({ guard })));
    expect(lock.state).toBe('resolved');
  });

  it('does without a minority in quarantine', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(5);
    quarantine(nodes[0], nodes[3]);
    const lock = watch(world.redlock(nodes, GUARDED).acquire('r', 1000));
    await world.advance(500);
    expect(lock.state).toBe('resolved');
  });

  it('finds too few nodes that may vote, and says which may not', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(5);
    quarantine(nodes[0], nodes[3], nodes[4]);
    const lock = watch(world.redlock(nodes, GUARDED).acquire('r', 1000));
    await world.advance(500);
    expect(lock.error).toBeInstanceOf(UnreachableError);
    const { message, outcomes } = lock.error as UnreachableError;
    const quarantined = outcomes.filter(({ outcome }) => outcome === 'quarantined').map(({ node }) => node);
    expect(quarantined).toEqual([nodes[0]?.id, nodes[3]?.id, nodes[4]?.id]);
    expect(message).toMatch(/^Too few nodes could vote to lock "r" in 1 attempt/);
    expect(message).toContain('3 quarantined');
    expect(message).toContain(quarantined.join(', '));
    // What the others granted is taken back.
    await world.advance(500);
    expect(nodes.map((node) => node.holder())).toEqual(Array(5).fill(null));
  });

  it('calls it contention where others hold the lock and a quorum may vote', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(5);
    quarantine(nodes[0]);
    for (const node of nodes.slice(1, 4)) node.occupy();
    const lock = watch(world.redlock(nodes, GUARDED).acquire('r', 1000));
    await world.advance(500);
    expect(lock.error).toMatchObject({ code: 'contended' });
  });

  it('refuses a time to live that outlives a quarantine, of acquire and of extend', async () => {
    const world = new FakeWorld();
    const redlock = world.redlock(world.nodes(3), GUARDED);
    const problem = 'is more than restartGuard.longestTtl, 10000 ms';
    await expect(redlock.acquire('r', LONGEST_TTL_MS + 1)).rejects.toThrow(problem);
    const lock = watch(redlock.acquire('r', LONGEST_TTL_MS));
    await world.advance(500);
    await expect(lock.value?.extend(LONGEST_TTL_MS + 1)).rejects.toThrow(problem);
  });

  it.each<[unknown, string]>([
    [true, 'restartGuard must be an object, not true'],
    [{}, 'restartGuard.longestTtl must be a whole number of milliseconds greater than 0, not undefined'],
    [{ longestTtl: 1.5 }, 'restartGuard.longestTtl must be a whole number of milliseconds greater than 0, not 1.5'],
    [{ longestTtl: 2 }, 'restartGuard.longestTtl of 2 ms would be used up by its own drift allowance'],
    [{ longestTtl: 1000, ttl: 1 }, 'restartGuard.ttl is not an option; there are longestTtl'],
  ])('%j is refused', (restartGuard, problem) => {
    const world = new FakeWorld();
    const make = (): Redlock => world.redlock(world.nodes(1), { restartGuard } as never);
    expect(make).toThrow(InvalidOptionError);
    expect(make).toThrow(problem);
  });

  it.each([':restart-marker', 'stock:restart-quarantine'])('no resource may be called %s', async (resource) => {
    const world = new FakeWorld();
    await expect(world.redlock(world.nodes(1)).acquire(resource, 1000)).rejects.toThrow('keys of the restart guard');
  });
});

describe('admitNewNodes', () => {
  it('admits all nodes, or those that are named', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(3);
    const redlock = world.redlock(nodes, GUARDED);
    const some = watch(redlock.admitNewNodes([nodes[1]?.id ?? '']));
    await world.advance(500);
    expect(nodes.map((node) => node.kinds())).toEqual([[], ['admit'], []]);
    expect(nodes[1]?.commands[0]).toMatchObject({
      key: 'lock::restart-marker',
      quarantineKey: 'lock::restart-quarantine',
    });
    const all = watch(redlock.admitNewNodes('all'));
    await world.advance(500);
    expect([some.state, all.state]).toEqual(['resolved', 'resolved']);
    expect(nodes.map((node) => node.kinds().length)).toEqual([1, 2, 1]);
  });

  it('rejects if a single node is missing, once the others have answered, and says which', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(4);
    const [slow, broken, silent] = nodes as [FakeNode, FakeNode, FakeNode];
    slow.latencyMs = 400;
    broken.fate = () => failed('broken');
    silent.fate = () => 'lost';
    const admitted = watch(world.redlock(nodes, GUARDED).admitNewNodes('all'));
    await world.advance(500);
    expect(admitted.error).toBeInstanceOf(UnreachableError);
    const { message, outcomes } = admitted.error as UnreachableError;
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(['admitted', 'failed', 'timeout', 'admitted']);
    expect(message).toBe('Not all nodes were admitted (2 of 4 admitted, 1 failed, 1 timed out; broken)');
    // The caller has given up by then.
    silent.fate = () => undefined;
    await world.advance(500);
  });

  it('refuses nodes that are none of its own, and a Redlock without a guard', async () => {
    const world = new FakeWorld();
    const nodes = world.nodes(2);
    const redlock = world.redlock(nodes, GUARDED);
    await expect(redlock.admitNewNodes(['elsewhere'])).rejects.toThrow('there is no node "elsewhere"');
    await expect(redlock.admitNewNodes([])).rejects.toThrow(`'all', or an array with some of ${nodes[0]?.id}`);
    await expect(redlock.admitNewNodes(undefined as never)).rejects.toThrow(InvalidOptionError);
    await expect(world.redlock(nodes).admitNewNodes('all')).rejects.toThrow('restartGuard is not set');
    expect(nodes.flatMap((node) => node.kinds())).toEqual([]);
  });
});
