import fc from 'fast-check';
import type { Moment } from '../../faults/moments.ts';
import type { Fault } from '../../scenario/fault-schema.ts';
import { type BoundName, type Envelope } from '../envelope/envelope.ts';
import { clockFaults } from './clock-faults.ts';
import { linkFaults } from './link-faults.ts';
import { moments } from './moments.ts';
import { processFaults } from './process-faults.ts';
import { anyOf, type DrawnWorld, type Recipe } from './world.ts';

export type FaultKind = Fault['fault'];

/** A fault without its moment. */
export type FaultBody = Fault extends infer Each ? (Each extends Fault ? Omit<Each, 'at' | 'after'> : never) : never;
export type BodyArbitrary = fc.Arbitrary<Recipe<FaultBody>>;

/** The most faults of one schedule: few, for what takes many is seldom understood. */
const MOST_FAULTS = 5;

/** Faults by which each bound can be overstepped. */
const OVERSTEPPING: Readonly<Record<BoundName, readonly FaultKind[]>> = {
  'clock-rate': ['clock-drift', 'client-clock-drift'],
  'clock-jump': ['clock-jump', 'clock-strobe'],
  'client-pause': ['client-pause'],
  'message-delay': ['latency'],
  restart: ['crash', 'flush'],
  eviction: ['eviction'],
  promotion: ['promotion'],
};

/** How much more often than others a fault is drawn by which an open bound can be overstepped. */
const WEIGHT_OF_OPEN = 3;

/**
 * Fault schedules. Each draws first which kinds of faults it uses (so that some have many of one kind, which schedules of everything
 * never have), and then the faults. What the envelope forbids is drawn only where its bound is open, and then often.
 */
export function faultRecipes(envelope: Envelope): fc.Arbitrary<readonly Recipe<Fault>[]> {
  const wanted = envelope.open.flatMap((bound) => OVERSTEPPING[bound]);
  const bodies: Readonly<Record<FaultKind, BodyArbitrary>> = {
    ...linkFaults(envelope),
    ...clockFaults,
    ...processFaults,
  };
  const others = (Object.keys(bodies) as FaultKind[]).filter((kind) => !wanted.includes(kind));
  const swarm = fc.record({
    always: wanted.length === 0 ? fc.constant<FaultKind[]>([]) : fc.subarray(wanted, { minLength: 1 }),
    besides: fc.subarray(others, { minLength: wanted.length === 0 ? 1 : 0, maxLength: 6 }),
  });
  // Which kinds there are to choose from does not matter once a schedule fails: only the schedule is made smaller.
  const schedules = fc
    .noShrink(swarm)
    .chain(({ always, besides }) =>
      fc.array(
        fc.oneof(
          ...always.map((kind) => ({ weight: WEIGHT_OF_OPEN, arbitrary: faultOf(bodies[kind]) })),
          ...besides.map((kind) => ({ weight: 1, arbitrary: faultOf(bodies[kind]) })),
        ),
        { minLength: wanted.length === 0 ? 0 : 1, maxLength: MOST_FAULTS },
      ),
    );
  return fc
    .tuple(schedules, absences)
    .map(([schedule, absent]) => (absent === 0 ? schedule : [absence(absent), ...schedule]));
}

/** How many nodes there never are, from the beginning to the end of the workload. */
const absences = anyOf(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 2, 3);

/** The last so many nodes, but never all of them. */
function absence(count: number): Recipe<Fault> {
  return ({ nodes }) => {
    const absent = nodes.slice(Math.max(1, nodes.length - count));
    return absent.length === 0 ? null : { fault: 'crash', nodes: absent, how: 'kill' };
  };
}

function faultOf(body: BodyArbitrary): fc.Arbitrary<Recipe<Fault>> {
  return fc.tuple(body, moments).map(
    ([body, moment]) =>
      (world) =>
        combine(body(world), moment(world)),
  );
}

function combine(body: FaultBody | null, moment: Moment | null): Fault | null {
  return body === null ? null : { ...body, ...moment };
}

/** The faults of a schedule in this world, as they stand in a scenario. */
export function cook<Part>(recipes: readonly Recipe<Part>[], world: DrawnWorld): Part[] {
  return recipes.map((recipe) => recipe(world)).filter((part): part is Part & {} => part !== null);
}
