import { Search } from './search.ts';
import { Model } from './model.ts';
import {
  ALL_REDUCTIONS,
  DEFAULT_WORLD,
  type Parts,
  REAL_PARTS,
  type Reductions,
  type WorldSettings,
} from './settings.ts';

/** Everything that a search can find out, for comparison with another one. */
export interface Findings {
  readonly states: number;
  readonly violated: readonly string[];
  /** The stories of grants with which the world can end. */
  readonly endings: readonly string[];
}

export const NO_REDUCTIONS: Reductions = { merging: false, symmetry: false, partialOrder: false, traced: true };
export const TRACED: Reductions = { ...ALL_REDUCTIONS, traced: true };

export function worldWith(changes: Partial<WorldSettings>): WorldSettings {
  return { ...DEFAULT_WORLD, ...changes };
}

/** Runs `run` in a macrotask, where microtasks can be drained. */
export function inMacrotask<Result>(run: () => Result): Promise<Result> {
  return new Promise((resolve, reject) => {
    setImmediate(() => {
      try {
        resolve(run());
      } catch (error) {
        reject(error instanceof Error ? error : new Error(String(error)));
      }
    });
  });
}

/** Searches all of a world, whatever is violated. */
export function searchAll(world: WorldSettings, reductions: Reductions, parts: Parts = REAL_PARTS): Promise<Findings> {
  return inMacrotask(() => {
    const endings = new Set<string>();
    const model = new Model(world, reductions, parts);
    const bounds = { maxStates: 2_000_000, depth: Number.POSITIVE_INFINITY, keepGoing: true };
    const search = new Search(model, bounds, (row) => endings.add(model.traceOf(row)));
    while (search.ending === null) search.advance(10_000);
    if (!search.isComplete) throw new Error(`The world is too large: ${search.ending}`);
    return { states: search.states, violated: [...search.sightings.keys()].sort(), endings: [...endings].sort() };
  });
}
