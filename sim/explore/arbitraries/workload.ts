import fc from 'fast-check';
import type { Script, Step } from '../../scenario/schema.ts';
import { beginnings } from './moments.ts';
import { anyOf, clientAt, type DrawnWorld, type Recipe, shareOfTtl, ttlShare } from './world.ts';

type StepRecipe = (world: DrawnWorld, used: Features) => Step;

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

function workStep(percents: fc.Arbitrary<number>): fc.Arbitrary<StepRecipe> {
  return percents.map((percent) => (world: DrawnWorld) => {
    const ms = shareOfTtl(percent, world);
    return { work: { minMs: ms, maxMs: ms } };
  });
}

function innerSteps({ overstays, writesOften }: WorkloadTraits): fc.Arbitrary<StepRecipe> {
  return fc.oneof(
    { weight: 3, arbitrary: workStep(overstays ? anyWork : shortWork) },
    { weight: writesOften ? WEIGHT_OF_WRITES : 2, arbitrary: fc.constant<StepRecipe>(() => 'write') },
    {
      weight: 3,
      arbitrary: fc
        .record({ percent: anyOf(100, 200, 50), isBeside: anyOf(false, true) })
        .map(({ percent, isBeside }) => (world: DrawnWorld, { exceeds, beside }: Features) => ({
          extend: ttlShare(percent, world, exceeds),
          ...(beside && isBeside ? { beside: true } : {}),
        })),
    },
  );
}

interface DrawnLock {
  readonly resource: string;
  readonly several: string | readonly string[];
  readonly ttlPercent: number | undefined;
  readonly retryCount: number | undefined;
  readonly giveUpPercent: number | undefined;
  readonly deadlinePercent: number | undefined;
  readonly delayPercents: readonly [delay: number | undefined, jitter: number | undefined];
}

const locks: fc.Arbitrary<DrawnLock> = fc.record({
  resource: anyOf('r', 'r', 'r', 'r', 's'),
  several: anyOf<string | readonly string[]>(['r', 's'], ['r', 's'], 'r', 's', ['r', 's', 't']),
  ttlPercent: anyOf(undefined, undefined, undefined, 50, 200),
  retryCount: anyOf(-1, -1, undefined, 0),
  giveUpPercent: anyOf(undefined, undefined, undefined, undefined, 20, 100),
  deadlinePercent: anyOf(undefined, undefined, 100, 20, 5),
  delayPercents: anyOf<DrawnLock['delayPercents']>([undefined, undefined], [1, undefined], [5, 5], [undefined, 2]),
});

/**
 * What the scripts of a scenario use besides: most runs little of it, so that they stay short, and are about one thing.
 */
interface Features {
  /** Locks on several resources. */
  readonly several: boolean;
  /** Work by `using`, which extends the lock. */
  readonly using: boolean;
  /** Extensions that nobody waits for, and what is asked of a lock that was given back. */
  readonly beside: boolean;
  /** A Redlock that is closed. */
  readonly closes: boolean;
  /** Times to live above what the restart guard allows. */
  readonly exceeds: boolean;
  /** Deadlines and delays of single calls. */
  readonly ownRetries: boolean;
}

const seldom = anyOf(false, false, false, true);
const features: fc.Arbitrary<Features> = fc.record({
  several: seldom,
  using: seldom,
  beside: seldom,
  closes: anyOf(false, false, false, false, false, false, false, true),
  exceeds: anyOf(false, false, true),
  ownRetries: seldom,
});

/** The options of a lock in a scenario. */
function lockOptions(drawn: DrawnLock, { several, exceeds, ownRetries }: Features, world: DrawnWorld) {
  const { ttlPercent, retryCount, giveUpPercent, deadlinePercent } = drawn;
  const [delay, jitter] = drawn.delayPercents;
  const resource = several ? drawn.several : drawn.resource;
  return {
    resource: typeof resource === 'string' ? resource : [...resource],
    ...(ttlPercent === undefined ? {} : { ttl: ttlShare(ttlPercent, world, exceeds) }),
    ...(retryCount === undefined ? {} : { retryCount }),
    ...(giveUpPercent === undefined ? {} : { giveUpAfter: shareOfTtl(giveUpPercent, world) }),
    ...(ownRetries && deadlinePercent !== undefined ? { deadline: shareOfTtl(deadlinePercent, world) } : {}),
    ...(ownRetries && delay !== undefined ? { retryDelay: shareOfTtl(delay, world) } : {}),
    ...(ownRetries && jitter !== undefined ? { retryJitter: shareOfTtl(jitter, world) } : {}),
  };
}

/** What is done with a lock in the end, and after that. */
interface DrawnEnding {
  readonly releases: boolean;
  /** An extension is under way meanwhile. */
  readonly prolongs: boolean;
  readonly afterwards: readonly ('extend' | 'release')[];
}

const endings: fc.Arbitrary<DrawnEnding> = fc.record({
  releases: anyOf(true, false),
  prolongs: anyOf(false, true),
  afterwards: anyOf<DrawnEnding['afterwards']>([], ['extend'], ['release'], ['extend', 'release']),
});

function endingSteps({ releases, prolongs, afterwards }: DrawnEnding, { beside }: Features, world: DrawnWorld): Step[] {
  const extend = { extend: ttlShare(100, world) };
  if (!releases) return beside && prolongs ? [{ ...extend, beside: true }] : [];
  if (!beside) return ['release'];
  return [
    ...(prolongs ? [{ ...extend, beside: true }] : []),
    'release' as const,
    ...afterwards.map((each) => (each === 'release' ? each : extend)),
  ];
}

interface DrawnUsing {
  /** Whether this script works by `using`, in a scenario whose scripts do. */
  readonly isUsed: boolean;
  readonly workPercent: number;
  readonly extensionLimit: number | undefined;
}

const usings: fc.Arbitrary<DrawnUsing> = fc.record({
  isUsed: anyOf(true, true, false),
  workPercent: anyOf(30, 90, 150, 250, 400),
  extensionLimit: anyOf(undefined, undefined, undefined, 0, 1),
});

/**
 * What one client does, over and over: it takes a lock, works, writes, prolongs, and gives the lock back or lets it expire; or it works by `using`, which does
 * all that. The script is for the client of this number, or for any.
 */
function scripts(traits: WorkloadTraits): fc.Arbitrary<(client: number, features: Features) => Recipe<Script>> {
  return fc
    .record({
      beginning: beginnings,
      repeat: anyOf(1, 2, 3),
      lock: locks,
      steps: fc.array(innerSteps(traits), { maxLength: 5 }),
      ending: endings,
      using: usings,
      closePercent: anyOf(undefined, 50, 5, 150),
      restPercent: anyOf(undefined, undefined, 1, 10),
    })
    .map(
      ({ beginning, repeat, lock, steps, ending, using, closePercent, restPercent }) =>
        (client, used) =>
        (world) => {
          const options = lockOptions(lock, used, world);
          const inner = (): Step[] => [
            { acquire: options },
            ...steps.map((step) => step(world, used)),
            ...endingSteps(ending, used, world),
          ];
          const rest = restPercent === undefined ? null : shareOfTtl(restPercent, world);
          return {
            clients: clientAt(client, world),
            ...(beginning(world) ?? {}),
            repeat,
            steps: [
              ...(used.closes && closePercent !== undefined ? [{ close: shareOfTtl(closePercent, world) }] : []),
              ...(used.using && using.isUsed ? [{ using: usingOptions(options, using, world) }] : inner()),
              ...(rest === null ? [] : [{ rest: { minMs: rest, maxMs: rest } }]),
            ],
          };
        },
    );
}

function usingOptions<Options extends object>(
  options: Options,
  { workPercent, extensionLimit }: DrawnUsing,
  world: DrawnWorld,
) {
  const ms = shareOfTtl(workPercent, world);
  return { ...options, ...(extensionLimit === undefined ? {} : { extensionLimit }), work: { minMs: ms, maxMs: ms } };
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
      used: features,
    })
    .map(({ own, more, used }) => ({
      clientCount: own.length,
      scripts: [...own.map((each, client) => each(client, used)), ...more.map(([client, each]) => each(client, used))],
    }));
}
