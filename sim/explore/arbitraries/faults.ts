import fc from 'fast-check';
import type { Moment } from '../../faults/moments.ts';
import type { Fault } from '../../scenario/fault-schema.ts';
import { type BoundName, type Envelope } from '../envelope.ts';
import { clockFaults } from './clock-faults.ts';
import { linkFaults } from './link-faults.ts';
import { moments } from './moments.ts';
import { processFaults } from './process-faults.ts';
import type { DrawnWorld, Recipe } from './world.ts';

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
  return fc
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
