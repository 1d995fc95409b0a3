import { forget } from './forget.ts';
import type { Row } from './layout.ts';
import { Model } from './model.ts';
import type { Search, Sighting } from './search.ts';
import { ALL_REDUCTIONS, type Parts, type WorldSettings } from './settings.ts';
import { clientOf, CODE, codeOf, kindOf, nodeOf } from './steps.ts';

/** A way through the world from its beginning. */
export interface Trail {
  readonly steps: readonly number[];
  /** The states: one more than steps. */
  readonly rows: readonly Row[];
  /** By step, the properties that it violates, as bits. */
  readonly violated: readonly number[];
}

/** A model that leaves nothing out: every client is told everything in order, and nothing of it is forgotten. */
export function plainModel(world: WorldSettings, parts: Parts): Model {
  const reductions = { ...ALL_REDUCTIONS, merging: false, symmetry: false, partialOrder: false };
  return new Model(world, reductions, parts);
}

/** Takes these steps one after the other; those that are not possible when their turn comes are left out. Must be called from a macrotask. */
export function follow(model: Model, steps: readonly number[]): Trail {
  const walk = new Walk(model);
  for (const step of steps) walk.take(step);
  return walk.trail();
}

/**
 * The way to a violation that a search has sighted, in a model that leaves nothing out, and as short as leaving out steps can make it. Steps
 * that the search did not need to try are put in where they are due. Must be called from a macrotask.
 *
 * @param bit of the property that is violated
 * @throws Error if the way does not lead to the violation: the search has gone astray
 */
export function trailTo(search: Search, sighting: Sighting, bit: number, plain: Model): Trail {
  const found = expand(search.model, namedWay(search, sighting, bit), plain);
  const start = untilViolation(follow(plain, found), bit);
  if (start === null) throw new Error('What the search has found does not happen when it is done again step by step');
  let shortest = start;
  for (let length = Math.floor(shortest.steps.length / 2); length > 0; length -= 1) {
    for (let from = 0; from + length <= shortest.steps.length;) {
      const steps = [...shortest.steps.slice(0, from), ...shortest.steps.slice(from + length)];
      const shorter = untilViolation(follow(plain, steps), bit);
      if (shorter !== null) shortest = shorter;
      else from += 1;
    }
  }
  return shortest;
}

/** The trail up to the first step that violates the property; null if none does. */
function untilViolation({ steps, rows, violated }: Trail, bit: number): Trail | null {
  const last = violated.findIndex((bits) => (bits & bit) !== 0);
  if (last === -1) return null;
  return { steps: steps.slice(0, last + 1), rows: rows.slice(0, last + 2), violated: violated.slice(0, last + 1) };
}

/** A walk through a model, step by step. */
class Walk {
  readonly model: Model;
  private readonly steps: number[] = [];
  private readonly rows: Row[];
  private readonly violated: number[] = [];

  constructor(model: Model) {
    this.model = model;
    this.rows = [model.initial()];
  }

  get row(): Row {
    return this.rows[this.rows.length - 1] as Row;
  }

  take(step: number): boolean {
    if (!this.model.enabled(this.row).includes(step)) return false;
    const row = this.row.slice();
    this.violated.push(this.model.apply(row, step));
    this.steps.push(step);
    this.rows.push(row);
    return true;
  }

  trail(): Trail {
    return { steps: this.steps, rows: this.rows, violated: this.violated };
  }
}

/** A step of the search, with the state before it. */
interface NamedStep {
  readonly step: number;
  readonly before: Row;
}

/** The steps of the search by names that stay the same all the way: the search itself renames nodes and clients in every state. */
function namedWay(search: Search, sighting: Sighting, bit: number): NamedStep[] {
  const { model } = search;
  const way: NamedStep[] = [];
  let row = model.initial();
  const after = (step: number): { row: Row; violated: number } => {
    const next = row.slice();
    const violated = model.apply(next, step);
    return { row: next, violated };
  };
  for (const wanted of search.wayTo(sighting.state).slice(1)) {
    const step = model.enabled(row).find((candidate) => {
      const { row: next } = after(candidate);
      search.normalize(next);
      return next.every((number, place) => number === wanted[place]);
    });
    if (step === undefined) throw new Error('A state of the search cannot be reached from the one before it');
    way.push({ step, before: row });
    ({ row } = after(step));
    if (model.reductions.merging) forget(model, row);
  }
  const last = model.enabled(row).find((candidate) => (after(candidate).violated & bit) !== 0);
  if (last === undefined) throw new Error('The last step of the search violates nothing');
  return [...way, { step: last, before: row }];
}

/** Puts in what the search left out: commands that find nothing, and timers of clients that are done. */
function expand(model: Model, way: readonly NamedStep[], plain: Model): readonly number[] {
  const walk = new Walk(plain);
  for (const { step, before } of way) {
    if (kindOf(step) === CODE.tick) fireTimersOfDone(walk, model, before);
    if (kindOf(step) === CODE.run) {
      const wanted = model.nextRequest(before, clientOf(step), nodeOf(step));
      const isNext = (): boolean => {
        const next = plain.nextRequest(walk.row, clientOf(step), nodeOf(step));
        return next?.kind === wanted?.kind && next?.attempt === wanted?.attempt;
      };
      while (!isNext() && walk.take(step));
    }
    walk.take(step);
  }
  return walk.trail().steps;
}

function fireTimersOfDone(walk: Walk, model: Model, before: Row): void {
  for (let client = 0; client < model.layout.clients; client += 1) {
    if (model.isQuiet(before, client)) while (walk.take(codeOf(CODE.timer, client, 0)));
  }
}
