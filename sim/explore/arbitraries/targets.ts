import fc from 'fast-check';
import type { ClientTarget, NodeTarget } from '../../faults/targets.ts';
import { RESOURCE } from '../../scenario/server-names.ts';
import { anyOf, clientAt, type DrawnWorld, type Recipe } from './world.ts';

/** Clients by number, who holds the lock, or all of them. Most matters what meets the holder. */
export const clientTargets: fc.Arbitrary<Recipe<ClientTarget>> = fc.oneof(
  { weight: 1, arbitrary: fc.nat(2).map((client) => (world: DrawnWorld) => clientAt(client, world)) },
  { weight: 1, arbitrary: anyOf<'all' | 'holder'>('holder', 'holder', 'all').map((target) => () => target) },
);

/** Nodes by name, or by what they are to the protocol. */
export const nodeTargets: fc.Arbitrary<Recipe<NodeTarget>> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.subarray([0, 1, 2, 3, 4], { minLength: 1 }).map((indexes) => ({ nodes }: DrawnWorld) => {
      const names = indexes.map((index) => nodes[index]).filter((name) => name !== undefined);
      return names.length === 0 ? null : names;
    }),
  },
  {
    weight: 3,
    arbitrary: anyOf<'all' | 'majority' | 'minority' | 'held'>('all', 'majority', 'minority', 'held').map(
      (target) =>
        ({ nodes, quorum }: DrawnWorld) =>
          target === 'minority' && quorum === nodes.length ? null : target,
    ),
  },
  {
    weight: 2,
    arbitrary: fc.record({ client: fc.nat(2), spared: fc.nat(2) }).map(({ client, spared }) => (world: DrawnWorld) => ({
      heldBy: clientAt(client, world),
      count: Math.max(1, world.quorum - spared),
    })),
  },
);

/** What clients have links to: nodes, and now and then, or mostly, the protected resource. */
export function linkTargets(mostlyResource: boolean): fc.Arbitrary<Recipe<NodeTarget>> {
  return fc.oneof(
    { weight: mostlyResource ? 1 : 4, arbitrary: nodeTargets },
    { weight: mostlyResource ? 4 : 1, arbitrary: fc.constant<Recipe<NodeTarget>>(() => RESOURCE) },
  );
}
