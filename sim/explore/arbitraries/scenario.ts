import fc from 'fast-check';
import type { Fault } from '../../scenario/fault-schema.ts';
import type { Scenario, Script } from '../../scenario/schema.ts';
import { isWithin } from '../envelope/assumptions.ts';
import type { Envelope } from '../envelope/envelope.ts';
import { clientRates } from './clock-faults.ts';
import { cook, faultRecipes } from './faults.ts';
import { settings, type DrawnSettings } from './settings.ts';
import { type DrawnWorkload, workloads } from './workload.ts';
import { anyOf, type DrawnWorld, type GivenParts, type Recipe, worldOf } from './world.ts';

/** A scenario, and the seed with which to run it. */
export interface Trial {
  readonly scenario: Scenario;
  readonly seed: number;
}

/** How long a workload may go on, in times to live: the longest fault, after the latest moment, and some more. */
const LIMIT_TTLS = 6;
const MOST_SEED = 1000;
const CLIENT_NAMES = ['A', 'B', 'C'] as const;
/** Of so many scenarios, in one clients may stay in their sections for longer than their locks live. */
const ONE_OVERSTAYS_IN = 4;

type Policy = Scenario['nodes']['maxmemoryPolicy'];

const persistences = anyOf<Scenario['nodes']['persistence']>('none', 'aof-always', 'aof-everysec', 'rdb', 'aof-no');
const policies = anyOf<Policy>('volatile-lru', 'allkeys-lru', 'volatile-random', 'allkeys-random', 'volatile-ttl');

interface DrawnClients {
  /** By the number of the client: which of the rates, or undefined for a right clock. */
  readonly rates: readonly (number | undefined)[];
  readonly wallOffsets: readonly number[];
}

const three = { minLength: CLIENT_NAMES.length, maxLength: CLIENT_NAMES.length };
/** Right clocks of all clients as often as not: some things are promised only with them. */
const clocks: fc.Arbitrary<DrawnClients> = fc.oneof(
  fc.constant({ rates: [], wallOffsets: [] }),
  fc.record({
    rates: fc.array(anyOf(undefined, undefined, undefined, 0, 1, 2), three),
    wallOffsets: fc.array(anyOf(0, 50, -50, 3_600_000, -3_600_000), three),
  }),
);

interface Drawn {
  readonly drawn: DrawnSettings;
  readonly persistence: Scenario['nodes']['persistence'];
  readonly policy: Policy;
  readonly clocks: DrawnClients;
  readonly workload: DrawnWorkload;
  readonly faults: readonly Recipe<Fault>[];
  readonly seed: number;
}

/**
 * Scenarios whose world keeps within the envelope, but for the bounds that it leaves open; all properties are expected to hold. What is given is
 * as it is in each. Each can be run with the seed that comes with it.
 */
export function trials(envelope: Envelope, given: GivenParts = {}): fc.Arbitrary<Trial> {
  return fc
    .record({
      drawn: settings(given),
      persistence: given.nodes === undefined ? persistences : fc.constant(given.nodes.persistence),
      policy: policiesFor(envelope, given),
      clocks,
      workload: workloadsFor(envelope, given),
      faults: faultRecipes(envelope),
      seed: fc.integer({ min: 1, max: MOST_SEED }),
    })
    .map((parts) => ({ scenario: assemble(parts, envelope, given), seed: parts.seed }));
}

function policiesFor({ open }: Envelope, { nodes }: GivenParts): fc.Arbitrary<Policy> {
  if (nodes !== undefined) return fc.constant(nodes.maxmemoryPolicy);
  return open.includes('eviction') ? policies : fc.constant<Policy>('noeviction');
}

function workloadsFor({ open }: Envelope, { workload }: GivenParts): fc.Arbitrary<DrawnWorkload> {
  if (workload !== undefined) {
    return fc.constant({ clientCount: 0, scripts: workload.map((script) => () => script) });
  }
  const writesOften = open.includes('message-delay');
  const inTime = workloads({ overstays: false, writesOften });
  // A section that pauses or late writes are to break must be left in time without them.
  if (open.includes('client-pause') || writesOften) return inTime;
  return fc.oneof(
    { weight: ONE_OVERSTAYS_IN - 1, arbitrary: inTime },
    { weight: 1, arbitrary: workloads({ overstays: true, writesOften }) },
  );
}

function assemble(
  { drawn, persistence, policy, clocks, workload, faults }: Drawn,
  envelope: Envelope,
  given: GivenParts,
): Scenario {
  const names = given.clients === undefined ? CLIENT_NAMES.slice(0, workload.clientCount) : Object.keys(given.clients);
  const world = worldOf(drawn.settings, names, { persistence, maxmemoryPolicy: policy }, envelope);
  const schedule = cook(faults, world);
  const scenario: Scenario = {
    name: 'explored',
    title: 'A scenario that explore drew',
    settings: drawn.settings,
    clients: given.clients ?? clientsOf(names, clocks, world),
    nodes: { persistence, maxmemoryPolicy: policy, replica: schedule.some(({ fault }) => fault === 'promotion') },
    network: drawn.network,
    workload: cook<Script>(workload.scripts, world),
    faults: [],
    limit: given.limit ?? world.ttlMs * LIMIT_TTLS,
    happened: [],
    expect: { 'mutual-exclusion': 'ok' },
    lesson: 'None yet.',
  };
  return keepWithin(envelope, scenario, schedule);
}

function clientsOf(
  names: readonly string[],
  { rates, wallOffsets }: DrawnClients,
  world: DrawnWorld,
): Scenario['clients'] {
  return Object.fromEntries(
    names.map((name, index) => {
      const number = rates[index];
      const rate = number === undefined ? 1 : (clientRates(world)[number] as number);
      return [name, { clock: 'monotonic' as const, wallOffset: wallOffsets[index] ?? 0, rate }];
    }),
  );
}

/** Adds one fault after the other, but none that, with those before it, oversteps a bound that is not open. */
export function keepWithin(envelope: Envelope, scenario: Scenario, schedule: readonly Fault[]): Scenario {
  let kept = scenario;
  for (const fault of schedule) {
    const more = { ...kept, faults: [...kept.faults, fault] };
    if (isWithin(more, envelope)) kept = more;
  }
  return kept;
}
