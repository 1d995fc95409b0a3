import fc from 'fast-check';
import type { Script, Step } from '../../scenario/schema.ts';
import { beginnings } from './moments.ts';
import { anyOf, clientAt, type DrawnWorld, type Recipe, shareOfTtl, ttlShare } from './world.ts';

type Recipes<Part> = fc.Arbitrary<Recipe<Part>>;

/** What sort of workload. */
export interface WorkloadTraits {
  /** Clients may stay in their sections for longer than their locks live; if not, most leave in time. */
  readonly overstays: boolean;
  /** Clients write to the protected resource more often than they work. */
  readonly writesOften: boolean;
}

const WEIGHT_OF_WRITES = 8;

/** Shares of the time to live, in percent, that work takes: such that the section is left in time, or any. */
const shortWork = anyOf(1, 5, 10, 20, 30);
const anyWork = anyOf(10, 30, 60, 90, 97, 99, 100, 120);

function workStep(percents: fc.Arbitrary<number>): Recipes<Step> {
  return percents.map((percent) => (world: DrawnWorld) => {
    const ms = shareOfTtl(percent, world);
    return { work: { minMs: ms, maxMs: ms } };
  });
}

function innerSteps({ overstays, writesOften }: WorkloadTraits): Recipes<Step> {
  return fc.oneof(
    { weight: 3, arbitrary: workStep(overstays ? anyWork : shortWork) },
    { weight: writesOften ? WEIGHT_OF_WRITES : 2, arbitrary: fc.constant<Recipe<Step>>(() => 'write') },
    {
      weight: 3,
      arbitrary: anyOf(100, 200, 50).map((percent) => (world: DrawnWorld) => ({ extend: ttlShare(percent, world) })),
    },
  );
}

interface DrawnAcquire {
  readonly resource: string;
  readonly ttlPercent: number | undefined;
  readonly retryCount: number | undefined;
  readonly giveUpPercent: number | undefined;
}

const acquires: fc.Arbitrary<DrawnAcquire> = fc.record({
  resource: anyOf('r', 'r', 'r', 'r', 's'),
  ttlPercent: anyOf(undefined, undefined, undefined, 50, 200),
  retryCount: anyOf(-1, -1, undefined, 0),
  giveUpPercent: anyOf(undefined, undefined, undefined, undefined, 20, 100),
});

function acquireStep({ resource, ttlPercent, retryCount, giveUpPercent }: DrawnAcquire): Recipe<Step> {
  return (world) => ({
    acquire: {
      resource,
      ...(ttlPercent === undefined ? {} : { ttl: ttlShare(ttlPercent, world) }),
      ...(retryCount === undefined ? {} : { retryCount }),
      ...(giveUpPercent === undefined ? {} : { giveUpAfter: shareOfTtl(giveUpPercent, world) }),
    },
  });
}

/**
 * What one client does, over and over: it takes a lock, works, writes, prolongs, and gives the lock back or lets it expire. The script is for the
 * client of this number, or for any.
 */
function scripts(traits: WorkloadTraits): fc.Arbitrary<(client: number) => Recipe<Script>> {
  return fc
    .record({
      beginning: beginnings,
      repeat: anyOf(1, 2, 3),
      acquire: acquires,
      steps: fc.array(innerSteps(traits), { maxLength: 5 }),
      releases: anyOf(true, false),
      restPercent: anyOf(undefined, undefined, 1, 10),
    })
    .map(({ beginning, repeat, acquire, steps, releases, restPercent }) => (client) => (world) => {
      const inner = steps.map((step) => step(world)).filter((step) => step !== null);
      const rest = restPercent === undefined ? null : shareOfTtl(restPercent, world);
      return {
        clients: clientAt(client, world),
        ...(beginning(world) ?? {}),
        repeat,
        steps: [
          acquireStep(acquire)(world) as Step,
          ...inner,
          ...(releases ? (['release'] as const) : []),
          ...(rest === null ? [] : [{ rest: { minMs: rest, maxMs: rest } }]),
        ],
      };
    });
}

/** Scripts of clients, and how many clients there are. */
export interface DrawnWorkload {
  readonly clientCount: number;
  readonly scripts: readonly Recipe<Script>[];
}

/** Two or three clients, each with a script, and perhaps one that runs another beside it. */
export function workloads(traits: WorkloadTraits): fc.Arbitrary<DrawnWorkload> {
  const script = scripts(traits);
  return fc
    .record({
      own: fc.array(script, { minLength: 2, maxLength: 3 }),
      more: fc.array(fc.tuple(fc.nat(2), script), { maxLength: 1 }),
    })
    .map(({ own, more }) => ({
      clientCount: own.length,
      scripts: [...own.map((each, client) => each(client)), ...more.map(([client, each]) => each(client))],
    }));
}
