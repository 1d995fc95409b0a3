import { describe, expect, it } from 'vitest';
import { resolveClients, resolveNodes, type TargetWorld } from './targets.ts';

const LEASES = { A: { client: 'A', key: 'k', value: 'a' }, B: { client: 'B', key: 'k', value: 'b' } } as const;
/** Which nodes hold which value. */
const HELD: Readonly<Record<string, readonly string[]>> = { a: ['n1', 'n2', 'n4'], b: ['n3', 'n5'] };

/** A world of two clients and five nodes, in which the newest lease is that of `newest`, if any. */
function worldOf(newest: 'A' | 'B' | null): TargetWorld {
  return {
    clients: ['A', 'B'],
    nodes: ['n1', 'n2', 'n3', 'n4', 'n5'],
    newestLease: (client) => {
      if (newest === null) return null;
      return client === undefined ? LEASES[newest] : client === 'A' || client === newest ? LEASES[client as 'A'] : null;
    },
    holds: (node, key, value) => key === 'k' && HELD[value]?.includes(node) === true,
  };
}

describe('clients that a target means', () => {
  it.each([
    ['A', ['A']],
    [
      ['B', 'A'],
      ['B', 'A'],
    ],
    ['all', ['A', 'B']],
    ['holder', ['B']],
  ])('%s', (target, names) => {
    expect(resolveClients(target, worldOf('B'))).toEqual(names);
  });

  it('none, where nobody ever held a lease', () => {
    expect(resolveClients('holder', worldOf(null))).toEqual([]);
  });
});

describe('nodes that a target means', () => {
  it.each([
    ['n3', ['n3']],
    ['resource', ['resource']],
    [
      ['n3', 'resource'],
      ['n3', 'resource'],
    ],
    ['all', ['n1', 'n2', 'n3', 'n4', 'n5']],
    ['majority', ['n1', 'n2', 'n3']],
    ['minority', ['n4', 'n5']],
    ['held', ['n3', 'n5']],
    [{ heldBy: 'A' }, ['n1', 'n2', 'n4']],
    [{ heldBy: 'A', count: 2 }, ['n1', 'n2']],
    [{ heldBy: 'A', count: 9 }, ['n1', 'n2', 'n4']],
    [{ heldBy: 'B' }, ['n3', 'n5']],
  ])('%j', (target, names) => {
    expect(resolveNodes(target, worldOf('B'))).toEqual(names);
  });

  it('split four nodes into three and one: with two of them alone nobody wins', () => {
    const world = { ...worldOf(null), nodes: ['n1', 'n2', 'n3', 'n4'] };
    expect(resolveNodes('majority', world)).toEqual(['n1', 'n2', 'n3']);
    expect(resolveNodes('minority', world)).toEqual(['n4']);
  });

  it('none, where the lease is not there that the target speaks of', () => {
    expect(resolveNodes('held', worldOf(null))).toEqual([]);
    expect(resolveNodes({ heldBy: 'B', count: 1 }, worldOf('A'))).toEqual([]);
  });
});
