import type { z } from 'zod';
import type { clientTarget, nodeTarget } from '../scenario/fault-schema.ts';
import { quorumOf } from '../../src/quorum.ts';

export type ClientTarget = z.output<typeof clientTarget>;
export type NodeTarget = z.output<typeof nodeTarget>;

/** What symbolic targets need to know of the world when a fault starts. */
export interface TargetWorld {
  readonly clients: readonly string[];
  readonly nodes: readonly string[];
  /** The newest lease that was granted, or the newest of one client; null if there is none. */
  newestLease(client?: string): { readonly client: string; readonly key: string; readonly value: string } | null;
  /** Whether the node holds this value under this key now. */
  holds(node: string, key: string, value: string): boolean;
}

/** The names of the clients that a target means now; none if nobody holds a lease. */
export function resolveClients(target: ClientTarget, world: TargetWorld): readonly string[] {
  if (Array.isArray(target)) return target;
  if (target === 'all') return world.clients;
  if (target === 'holder') {
    const lease = world.newestLease();
    return lease === null ? [] : [lease.client];
  }
  return [target];
}

/** The names of the nodes that a target means now; none if the lease that it speaks of is not there. */
export function resolveNodes(target: NodeTarget, world: TargetWorld): readonly string[] {
  if (Array.isArray(target)) return target;
  if (typeof target === 'object') return nodesHeldBy(world, target.heldBy).slice(0, target.count);
  const quorum = quorumOf(world.nodes.length);
  switch (target) {
    case 'all':
      return world.nodes;
    case 'minority':
      return world.nodes.slice(quorum);
    case 'majority':
      return world.nodes.slice(0, quorum);
    case 'held':
      return nodesHeldBy(world);
    default:
      return [target];
  }
}

function nodesHeldBy(world: TargetWorld, client?: string): readonly string[] {
  const lease = world.newestLease(client);
  if (lease === null) return [];
  return world.nodes.filter((node) => world.holds(node, lease.key, lease.value));
}
