import fc from 'fast-check';
import type { BodyArbitrary } from './faults.ts';
import { clientTargets, nodeTargets } from './targets.ts';
import { anyOf, type DrawnWorld, mayForget, shareOfTtl } from './world.ts';

const pauses = anyOf(5, 2, 10, 50, 100, 150, 300);
/** The longest pause inside the envelope, in percent of the time to live, so that two of them still are. */
const LONGEST_PAUSE_PERCENT = 5;
const stops = anyOf(5, 1, 20, 50, 100, 150, 300);
/** Twice the longest time to live that a workload draws, and some more: nobody can miss what was forgotten then. */
const LONGEST_LEASE_PERCENT = 205;

/** Faults of processes, and of what nodes remember. */
export const processFaults = {
  'client-pause': fc
    .record({ clients: clientTargets, percent: pauses })
    .map(({ clients, percent }) => (world: DrawnWorld) => {
      const whom = clients(world);
      if (whom === null) return null;
      const isBounded = !world.envelope.open.includes('client-pause');
      const share = isBounded ? Math.min(percent, LONGEST_PAUSE_PERCENT) : percent;
      return { fault: 'client-pause' as const, clients: whom, for: shareOfTtl(share, world) };
    }),

  'server-pause': fc.record({ nodes: nodeTargets, percent: stops }).map(({ nodes, percent }) => (world: DrawnWorld) => {
    const where = nodes(world);
    return where === null ? null : { fault: 'server-pause' as const, nodes: where, for: shareOfTtl(percent, world) };
  }),

  crash: fc
    .record({
      nodes: nodeTargets,
      how: anyOf<'kill' | 'terminate' | 'power-loss'>('kill', 'terminate', 'power-loss'),
      percent: stops,
      staysAway: anyOf(false, true),
      /** Until everything is healed. */
      forGood: anyOf(false, false, false, false, false, true),
    })
    .map(({ nodes, how, percent, staysAway, forGood }) => (world: DrawnWorld) => {
      const where = nodes(world);
      if (where === null) return null;
      const { persistence } = world;
      const downPercent = staysAway && !mayForget('restart', world) ? LONGEST_LEASE_PERCENT + percent : percent;
      return {
        fault: 'crash' as const,
        nodes: where,
        how: persistence === 'none' ? ('kill' as const) : how,
        ...(forGood ? {} : { for: shareOfTtl(downPercent, world) }),
      };
    }),

  eviction: fc
    .record({ nodes: nodeTargets, keys: anyOf(undefined, 1), percent: stops })
    .map(({ nodes, keys, percent }) => (world: DrawnWorld) => {
      const where = nodes(world);
      if (where === null) return null;
      return {
        fault: 'eviction' as const,
        nodes: where,
        ...(keys === undefined || !world.evicts ? {} : { keys }),
        for: shareOfTtl(percent, world),
      };
    }),

  flush: nodeTargets.map((nodes) => (world: DrawnWorld) => {
    const where = nodes(world);
    return where === null || !mayForget('restart', world) ? null : { fault: 'flush' as const, nodes: where };
  }),

  promotion: fc
    .record({ nodes: nodeTargets, lagPercent: anyOf(Number.POSITIVE_INFINITY, 50, 1) })
    .map(({ nodes, lagPercent }) => (world: DrawnWorld) => {
      const where = nodes(world);
      if (where === null) return null;
      // Infinity stands for all writes there ever were.
      const lagMs = Number.isFinite(lagPercent) ? shareOfTtl(lagPercent, world) : lagPercent;
      return { fault: 'promotion' as const, nodes: where, lag: mayForget('promotion', world) ? lagMs : 0 };
    }),
} satisfies Record<string, BodyArbitrary>;
