import fc from 'fast-check';
import type { Moment } from '../../faults/moments.ts';
import { anyOf, clientAt, type DrawnWorld, type Recipe, shareOfTtl } from './world.ts';

/** How long after an event: a little, a share of the time to live, or close to where the validity, or the life of the key, ends. */
const delays: fc.Arbitrary<Recipe<number>> = fc.oneof(
  { weight: 3, arbitrary: anyOf(0, 1, 2, 5).map((ms) => () => ms) },
  {
    weight: 3,
    arbitrary: fc.integer({ min: 1, max: 12 }).map((tens) => (world: DrawnWorld) => shareOfTtl(tens * 10, world)),
  },
  {
    weight: 2,
    arbitrary: fc.integer({ min: -3, max: 3 }).map(
      (offMs) =>
        ({ validityMs }: DrawnWorld) =>
          Math.max(0, validityMs + offMs),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.integer({ min: -1, max: 4 }).map(
      (offMs) =>
        ({ ttlMs }: DrawnWorld) =>
          ttlMs + offMs,
    ),
  },
);

/** Which of the nodes' grants of one attempt: the first, the last before the quorum, the quorum’s, or the very last. */
function grantNumber(which: number, { nodes, quorum }: DrawnWorld): number {
  return [quorum, quorum - 1, quorum + 1, 1, nodes.length][which % 5] as number;
}

const PLAIN_EVENTS = [
  'acquire-granted',
  'attempt-started',
  'acquire-failed',
  'write-sent',
  'extend-invoked',
  'extend-granted',
  'release-invoked',
  'release-done',
] as const;

/** Events that faults bring about: what comes then meets those who recover. */
const CONSEQUENCES = ['key-lost', 'node-crashed', 'node-restarted', 'node-resumed', 'node-clock-changed'] as const;

const REPLY_IN_FAVOUR = { acquire: 'granted', commit: 'committed', extend: 'extended', release: 'released' } as const;

const triggers: fc.Arbitrary<Recipe<NonNullable<Moment['after']>>> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc
      .record({ event: anyOf(...PLAIN_EVENTS), client: fc.nat(2), nth: anyOf(1, 1, 1, 2, 3) })
      .map(({ event, client, nth }) => (world: DrawnWorld) => ({
        event,
        client: clientAt(client, world),
        ...nthOf(nth),
      })),
  },
  {
    weight: 3,
    // Between the vote that decides and the client that learns of it.
    arbitrary: fc
      .record({
        client: fc.nat(2),
        which: fc.nat(4),
        kind: anyOf<keyof typeof REPLY_IN_FAVOUR>(
          'acquire',
          'acquire',
          'acquire',
          'extend',
          'extend',
          'release',
          'commit',
        ),
      })
      .map(({ client, which, kind: drawn }) => (world: DrawnWorld) => {
        // Without fencing nothing is committed.
        const kind = drawn === 'commit' && !world.settings.fencing ? 'acquire' : drawn;
        return {
          event: 'command-executed' as const,
          client: clientAt(client, world),
          kind,
          reply: REPLY_IN_FAVOUR[kind],
          ...nthOf(Math.max(1, grantNumber(which, world))),
        };
      }),
  },
  {
    weight: 1,
    arbitrary: fc
      .record({ event: anyOf(...CONSEQUENCES), nth: anyOf(1, 1, 2, 3) })
      .map(({ event, nth }) => () => ({ event, ...nthOf(nth) })),
  },
);

/** The first is what is meant where no number is given. */
function nthOf(nth: number): { nth?: number } {
  return nth === 1 ? {} : { nth };
}

/** Moments of a run: so long after it began, or after what the protocol does, with its edges drawn often. */
export const moments: fc.Arbitrary<Recipe<Moment>> = fc.oneof(
  {
    weight: 2,
    arbitrary: fc.integer({ min: 0, max: 20 }).map((tens) => (world: DrawnWorld) => ({ at: atShare(tens, world) })),
  },
  {
    weight: 5,
    arbitrary: fc.record({ trigger: triggers, delay: delays }).map(({ trigger, delay }) => (world: DrawnWorld) => {
      const delayMs = delay(world) ?? 0;
      const after = trigger(world);
      return after === null ? null : { after: delayMs === 0 ? after : { ...after, delay: delayMs } };
    }),
  },
);

/** Moments at which scripts begin: mostly soon, and often at once, so that clients contend and split votes. */
export const beginnings: fc.Arbitrary<Recipe<Moment>> = fc.oneof(
  {
    weight: 4,
    arbitrary: anyOf(0, 0, 0, 1, 2, 3, 4, 5).map((tens) => (world: DrawnWorld) => ({ at: atShare(tens, world) })),
  },
  { weight: 2, arbitrary: moments },
);

function atShare(tens: number, world: DrawnWorld): number {
  return tens === 0 ? 0 : shareOfTtl(tens * 10, world);
}
