import { describe, expect, it } from 'vitest';
import { NO_REDUCTIONS, searchAll, TRACED, worldWith } from './exhaustive-testing.ts';
import { NODE_RULES } from './node-rules.ts';
import { REAL_PARTS, type Reductions, type WorldSettings } from './settings.ts';

/** Worlds so small that they can be searched without any reduction, which differ in what can happen. */
const WORLDS: Readonly<Record<string, Partial<WorldSettings>>> = {
  'two nodes': { nodes: 2 },
  'three clients': { nodes: 1, clients: 3 },
  cycles: { nodes: 1, cycles: 2 },
  time: { nodes: 1, ticks: 4 },
  'retries, with time': { nodes: 1, retries: 1, ticks: 1 },
  'retries on three nodes': { nodes: 3, clients: 1, retries: 1, ticks: 1 },
  'extensions, with time': { nodes: 1, ticks: 3, extensions: 1 },
  'a pause': { nodes: 1, ticks: 3, pauses: 1 },
  'a clock that jumps too far': { nodes: 1, ticks: 3, ttlTicks: 4, clockJumps: 1, jumpTicks: 3 },
  'a node that forgets': { nodes: 1, crashes: 1, restart: 'amnesiac' },
  'a node that remembers': { nodes: 1, crashes: 1, restart: 'durable' },
  'a node that comes back late': { nodes: 1, crashes: 1, restart: 'delayed', ticks: 3 },
  fencing: { nodes: 2, fencing: true },
  'fencing, with cycles': { nodes: 1, fencing: true, cycles: 2 },
  'fencing, with wall clocks that jump': { nodes: 1, fencing: true, clockJumps: 1, ticks: 1 },
  'fencing, with keys that vanish': { nodes: 1, fencing: true, evictions: 1, clients: 3 },
  'fencing, with a crash and time': { nodes: 1, fencing: true, crashes: 1, ticks: 1 },
  'fencing, with a pause': { nodes: 1, fencing: true, pauses: 1, ticks: 2 },
  'fencing, with counters that are lost': { nodes: 1, fencing: true, crashes: 1, restart: 'amnesiac' },
};

const VARIANTS: Readonly<Record<string, Reductions>> = {
  'all reductions': TRACED,
  'merging and symmetry': { ...TRACED, partialOrder: false },
  'merging alone': { ...TRACED, symmetry: false, partialOrder: false },
  'partial orders alone': { ...NO_REDUCTIONS, partialOrder: true },
  'merging and partial orders': { ...TRACED, symmetry: false },
};

describe.each(Object.entries(WORLDS))('%s', (_name, changes) => {
  it('has the same violations and the same endings with and without reductions', { timeout: 120_000 }, async () => {
    const world = worldWith(changes);
    const plain = await searchAll(world, NO_REDUCTIONS);
    expect(plain.endings.length).toBeGreaterThan(0);
    for (const [variant, reductions] of Object.entries(VARIANTS)) {
      const { states, violated, endings } = await searchAll(world, reductions);
      expect({ variant, violated, endings }).toEqual({ variant, violated: plain.violated, endings: plain.endings });
      expect(states).toBeLessThanOrEqual(plain.states);
    }
  });
});

describe('the worlds of this test', () => {
  it('are not all safe, so that reductions had violations to lose', async () => {
    const violated = new Set<string>();
    for (const changes of Object.values(WORLDS)) {
      for (const property of (await searchAll(worldWith(changes), TRACED)).violated) violated.add(property);
    }
    expect([...violated].sort()).toEqual(['mutual-exclusion', 'token-order']);
  });
});

describe('a node that releases whatever it holds', () => {
  const parts = {
    ...REAL_PARTS,
    nodesCompare: false,
    nodeRules: ((node, command, owner, nowTick, ttlTicks) =>
      NODE_RULES(
        node,
        command,
        command.kind === 'release' && node.owner !== 0 ? node.owner : owner,
        nowTick,
        ttlTicks,
      )) satisfies typeof NODE_RULES,
  };

  it.each(Object.entries(VARIANTS))('is found out with %s', async (_name, reductions) => {
    const { violated } = await searchAll(worldWith({ nodes: 1, clients: 3 }), reductions, parts);
    expect(violated).toEqual(['mutual-exclusion', 'release-safety']);
  });
});
