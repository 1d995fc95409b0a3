import fc from 'fast-check';
import type { ClientTarget, NodeTarget } from '../../faults/targets.ts';
import { RESOURCE } from '../../scenario/server-names.ts';
import type { Envelope } from '../envelope/envelope.ts';
import type { BodyArbitrary } from './faults.ts';
import { clientTargets, linkTargets } from './targets.ts';
import { anyOf, type DrawnWorld, type Recipe, shareOfTtl } from './world.ts';

interface DrawnLink {
  readonly clients: Recipe<ClientTarget>;
  readonly nodes: Recipe<NodeTarget>;
  /** How long the fault lasts, in percent of the time to live. */
  readonly percent: number;
}

/** What a write may meet inside the envelope, in percent of the time to live, so that two such faults still are. */
const LONGEST_CUT_PERCENT = 5;
const LONGEST_DELAY_PERCENT = 2;
/** How much longer than others faults of the way to the protected resource last where that bound is open. */
const FAR_PERCENT = 100;

/** Some shares are within what writes to the protected resource may be late by. */
const lengths = anyOf(5, 2, 10, 20, 50, 100, 150, 300);
const directions = anyOf<'both' | 'request' | 'reply'>('both', 'request', 'reply');
const oneWays = anyOf<'request' | 'reply'>('request', 'reply');

/** Where the link of a fault is, and how long it lasts. */
function place(
  { clients, nodes, percent }: DrawnLink,
  world: DrawnWorld,
): { clients: ClientTarget; nodes: NodeTarget; for: number } | null {
  const [whom, where] = [clients(world), nodes(world)];
  if (whom === null || where === null) return null;
  return {
    clients: whom,
    nodes: where,
    for: shareOfTtl(shareOnLink(percent, LONGEST_CUT_PERCENT, where, world), world),
  };
}

/** A delay in percent of the time to live; short on the way to the protected resource, unless that bound is open. */
function delayMs(percent: number, nodes: NodeTarget, world: DrawnWorld): number {
  return shareOfTtl(shareOnLink(percent, LONGEST_DELAY_PERCENT, nodes, world), world);
}

/** As drawn on the way to a node; at most `most` to the protected resource, or far more than was drawn where that bound is open. */
function shareOnLink(percent: number, most: number, nodes: NodeTarget, { envelope }: DrawnWorld): number {
  if (nodes !== RESOURCE) return percent;
  return envelope.open.includes('message-delay') ? percent + FAR_PERCENT : Math.min(percent, most);
}

const delayPercents = anyOf(1, 2, 5, 10, 50, 100, 150, 300);

/** Faults of the links between clients and nodes, or the protected resource. */
export function linkFaults({ open }: Envelope) {
  const link = { clients: clientTargets, nodes: linkTargets(open.includes('message-delay')), percent: lengths };
  return {
    partition: fc.record({ ...link, direction: directions }).map(({ direction, ...drawn }) => (world: DrawnWorld) => {
      const where = place(drawn, world);
      return where === null ? null : { fault: 'partition' as const, direction, ...where };
    }),

    'partition-shape': fc
      .record({
        shape: anyOf<'bridge' | 'ring' | 'minority' | 'majority'>('bridge', 'ring', 'minority', 'majority'),
        percent: lengths,
      })
      .map(({ shape, percent }) => (world: DrawnWorld) => {
        if (world.nodes.length < 3) return null;
        return { fault: 'partition-shape' as const, shape, for: shareOfTtl(percent, world) };
      }),

    loss: fc
      .record({
        ...link,
        direction: oneWays,
        command: anyOf<'acquire' | 'commit' | 'extend' | 'release' | undefined>(
          undefined,
          'acquire',
          'release',
          'extend',
          'commit',
        ),
        count: anyOf(undefined, 1, 2),
        probability: anyOf(1, 1, 0.5),
      })
      .map(({ direction, command, count, probability, ...drawn }) => (world: DrawnWorld) => {
        const where = place(drawn, world);
        if (where === null) return null;
        // Without fencing nothing is committed, and the resource gets writes only.
        const isSent =
          command !== undefined && where.nodes !== RESOURCE && (command !== 'commit' || world.settings.fencing);
        return {
          fault: 'loss' as const,
          direction,
          ...(isSent ? { command } : {}),
          ...(count === undefined ? {} : { count }),
          probability,
          ...where,
        };
      }),

    latency: fc
      .record({ ...link, direction: directions, least: delayPercents, varies: anyOf(false, true) })
      .map(({ direction, least, varies, ...drawn }) => (world: DrawnWorld) => {
        const where = place(drawn, world);
        if (where === null) return null;
        const maxMs = delayMs(least, where.nodes, world);
        return { fault: 'latency' as const, direction, delay: { minMs: varies ? 0 : maxMs, maxMs }, ...where };
      }),

    bandwidth: fc
      .record({ ...link, direction: directions, bytesPerSecond: anyOf(100_000, 10_000, 1000) })
      .map(({ direction, bytesPerSecond, ...drawn }) => (world: DrawnWorld) => {
        const where = place(drawn, world);
        return where === null ? null : { fault: 'bandwidth' as const, direction, bytesPerSecond, ...where };
      }),

    reset: fc.record(link).map((drawn) => (world: DrawnWorld) => {
      const where = place(drawn, world);
      return where === null ? null : { fault: 'reset' as const, clients: where.clients, nodes: where.nodes };
    }),

    'slow-close': fc
      .record({ ...link, percent: delayPercents, lasts: lengths })
      .map(({ lasts, ...drawn }) => (world: DrawnWorld) => {
        const where = place({ ...drawn, percent: lasts }, world);
        if (where === null) return null;
        return { fault: 'slow-close' as const, ...where, delay: delayMs(drawn.percent, where.nodes, world) };
      }),

    'limit-data': fc
      .record({ ...link, direction: directions, bytes: anyOf(200, 0, 100, 500, 1000) })
      .map(({ direction, bytes, ...drawn }) => (world: DrawnWorld) => {
        const where = place(drawn, world);
        return where === null ? null : { fault: 'limit-data' as const, direction, bytes, ...where };
      }),

    slicer: fc
      .record({ ...link, direction: directions, bytes: anyOf(50, 10), delay: anyOf(1, 5) })
      .map(({ direction, bytes, delay, ...drawn }) => (world: DrawnWorld) => {
        const where = place(drawn, world);
        return where === null ? null : { fault: 'slicer' as const, direction, bytes, delay, ...where };
      }),
  } satisfies Record<string, BodyArbitrary>;
}
