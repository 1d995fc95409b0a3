import { CanonicalForm } from './canonical-form.ts';
import { SliceOver } from './client-automaton.ts';
import { forget } from './forget.ts';
import { loneStep } from './lone-step.ts';
import { type Model, MUTUAL_EXCLUSION, RELEASE_SAFETY, TOKEN_ORDER } from './model.ts';
import type { Row } from './layout.ts';
import { StateTable } from './state-table.ts';

export type CheckedProperty = 'mutual-exclusion' | 'token-order' | 'release-safety';

/** By property, the bit that a model sets for it. */
export const BITS: Readonly<Record<CheckedProperty, number>> = {
  'mutual-exclusion': MUTUAL_EXCLUSION,
  'token-order': TOKEN_ORDER,
  'release-safety': RELEASE_SAFETY,
};

export const CHECKED_PROPERTIES = Object.keys(BITS) as readonly CheckedProperty[];

/** The bounds of a search. */
export interface Bounds {
  /** Stop when so many states were visited. */
  readonly maxStates: number;
  /** Steps from the beginning, at most. */
  readonly depth: number;
  /** Whether to look for further properties that are violated once one is. */
  readonly keepGoing: boolean;
}

/** Where a property is violated: the state before, and the step that does it, by the names of that state. */
export interface Sighting {
  readonly state: number;
  readonly step: number;
}

/** Why a search ended: every state was visited; a violation was found; or a bound cut it off. */
export type Ending = 'exhausted' | 'violated' | 'cut by max-states' | 'cut by depth';

/**
 * Visits every state that can be reached, those nearest to the beginning first, so that the first way to violate a property is a shortest one (of those
 * that the reductions leave).
 */
export class Search {
  /** Null while it goes on. */
  ending: Ending | null = null;
  /** Steps tried, those that led to a state which was known included. */
  transitions = 0;
  /** Steps from the beginning to the state that is looked at. */
  depth = 0;
  /** Whether every state that can be reached was visited. */
  isComplete = false;
  /** States in which nothing can happen any more. */
  finalStates = 0;
  readonly sightings = new Map<CheckedProperty, Sighting>();
  readonly model: Model;
  private readonly bounds: Bounds;
  private readonly table: StateTable;
  private readonly form: CanonicalForm | null;
  private readonly onFinal: ((row: Row) => void) | null;
  private readonly row: Row;
  private readonly next: Row;
  /** The next state to be looked at. */
  private cursor = 0;
  /** The first state that is one step deeper. */
  private nextDepthAt = 1;
  private isCutByDepth = false;

  /** `onFinal` is shown each state in which nothing can happen any more. */
  constructor(model: Model, bounds: Bounds, onFinal: ((row: Row) => void) | null = null) {
    this.model = model;
    this.bounds = bounds;
    this.onFinal = onFinal;
    this.table = new StateTable(model.layout.length);
    this.form = model.reductions.symmetry ? new CanonicalForm(model.layout) : null;
    this.row = model.initial();
    this.next = model.initial();
    this.normalize(this.row);
    this.table.add(this.row, -1, 0);
  }

  /** Unique states visited. */
  get states(): number {
    return this.table.count;
  }

  /**
   * Goes on for so many states, or to the end, or until `isSliceOver`, which is asked whenever the library was run. A state that it was in the middle of
   * then is looked at again the next time, and nothing of it counts twice. Must be called from a macrotask.
   */
  advance(states: number, isSliceOver: () => boolean = () => false): void {
    const { automaton } = this.model;
    automaton.isSliceOver = isSliceOver;
    try {
      for (let count = 0; count < states && this.ending === null; count += 1) if (!this.hasExpanded()) return;
    } finally {
      automaton.isSliceOver = () => false;
    }
  }

  /** The states on the way to this one, from the first. */
  wayTo(state: number): Row[] {
    const rows: Row[] = [];
    for (let at = state; at !== -1; at = this.table.parentOf(at)) {
      const row = new Uint16Array(this.model.layout.length);
      this.table.read(at, row);
      rows.push(row);
    }
    return rows.reverse();
  }

  /** Brings a state into the form in which it is kept. */
  normalize(row: Row): void {
    if (this.model.reductions.merging) forget(this.model, row);
    this.form?.normalize(row);
  }

  /** Looks at the next state; returns false if it is put off to the next slice. */
  private hasExpanded(): boolean {
    const { cursor, transitions } = this;
    try {
      this.expand();
      return true;
    } catch (error) {
      if (!(error instanceof SliceOver)) throw error;
      // A depth that began here has begun, and the states and sightings that were added are there: they are not counted again.
      this.cursor = cursor;
      this.transitions = transitions;
      return false;
    }
  }

  private expand(): void {
    const { model, table, row, next } = this;
    if (this.cursor === table.count) {
      this.isComplete = !this.isCutByDepth;
      this.ending = this.isCutByDepth ? 'cut by depth' : this.sightings.size > 0 ? 'violated' : 'exhausted';
      return;
    }
    const state = this.cursor;
    if (state === this.nextDepthAt) {
      this.depth += 1;
      this.nextDepthAt = table.count;
    }
    this.cursor += 1;
    table.read(state, row);
    const steps = this.stepsFrom(row);
    if (steps.length === 0) {
      this.finalStates += 1;
      this.onFinal?.(row);
      return;
    }
    if (this.depth >= this.bounds.depth) {
      this.isCutByDepth = true;
      return;
    }
    for (const step of steps) {
      next.set(row);
      this.transitions += 1;
      const violated = model.apply(next, step);
      if (violated !== 0 && this.note(violated, state, step)) return;
      this.normalize(next);
      table.add(next, state, step);
    }
    if (table.count >= this.bounds.maxStates && this.cursor < table.count) this.ending = 'cut by max-states';
  }

  private stepsFrom(row: Row): readonly number[] {
    const steps = this.model.enabled(row);
    if (!this.model.reductions.partialOrder) return steps;
    const lone = loneStep(this.model, row, steps);
    return lone === -1 ? steps : [lone];
  }

  /** Notes what was violated here for the first time; returns whether that ends the search. */
  private note(violated: number, state: number, step: number): boolean {
    for (const property of CHECKED_PROPERTIES) {
      if ((violated & BITS[property]) === 0 || this.sightings.has(property)) continue;
      this.sightings.set(property, { state, step });
      if (!this.bounds.keepGoing) this.ending = 'violated';
    }
    return this.ending !== null;
  }
}
