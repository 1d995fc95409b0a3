import { CHECKERS } from '../checkers/check-history.ts';
import { Model } from './model.ts';
import { missingIn } from './requests.ts';
import { BITS, type Bounds, CHECKED_PROPERTIES, type CheckedProperty, type Ending, Search } from './search.ts';
import { ALL_REDUCTIONS, type Parts, REAL_PARTS, type Reductions, type WorldSettings } from './settings.ts';
import { stepText } from './steps.ts';
import { storyOf } from './story.ts';
import { follow, plainModel, type Trail, trailTo } from './trail.ts';
import { historyOf } from './trail-history.ts';

/** How long the search goes on before others get their turn, and how many states it looks at between two glances at the clock, if the library is not run. */
const SLICE_MS = 50;
const STATES_OF_GLANCE = 20;

export interface ExhaustiveOptions {
  readonly world: WorldSettings;
  readonly bounds: Bounds;
  readonly reductions?: Reductions;
  readonly parts?: Parts;
  /** Ends the search where it is. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: SearchCounts) => void;
  /** A monotonic clock, by which others get their turn; that of the process if left out. */
  readonly nowMs?: () => number;
}

export interface SearchCounts {
  /** Unique states visited. */
  readonly states: number;
  /** Steps tried. */
  readonly transitions: number;
  /** Steps from the beginning to the state looked at last. */
  readonly depth: number;
  /** States of a client that the real library got into. */
  readonly clientStates: number;
  /** How often the real library was told something, to find out what it does. */
  readonly libraryInputs: number;
}

/** A way to violate a property. */
export interface Counterexample {
  /** In the notation that `replayTrail` reads. */
  readonly steps: readonly string[];
  readonly story: readonly string[];
  /** What the checker of the property says about the history of these steps. */
  readonly finding: string;
}

/** `unknown`: a bound cut the search off, something that was asked for could not happen, or nothing in this world bears on the property. */
export type ExhaustiveVerdict =
  | { readonly property: CheckedProperty; readonly status: 'ok' }
  | { readonly property: CheckedProperty; readonly status: 'unknown'; readonly reason: string }
  | { readonly property: CheckedProperty; readonly status: 'violated'; readonly counterexample: Counterexample };

export interface ExhaustiveResult extends SearchCounts {
  readonly ending: Ending | 'interrupted';
  /** What the world was asked for and what happened in none of its states, in words. Empty, too, where not every state was visited. */
  readonly missing: readonly string[];
  readonly verdicts: readonly ExhaustiveVerdict[];
}

/** Visits every state of a small world, up to the bounds, and judges the properties that every state must keep. */
export async function exploreWorld(options: ExhaustiveOptions): Promise<ExhaustiveResult> {
  const { world, bounds, reductions = ALL_REDUCTIONS, parts = REAL_PARTS, signal, onProgress } = options;
  const { nowMs = () => performance.now() } = options;
  const search = new Search(new Model(world, reductions, parts), bounds);
  while (search.ending === null && signal?.aborted !== true) {
    await inMacrotask(() => {
      const endMs = nowMs() + SLICE_MS;
      const isSliceOver = (): boolean => nowMs() >= endMs;
      do search.advance(STATES_OF_GLANCE, isSliceOver);
      while (search.ending === null && !isSliceOver());
    });
    onProgress?.(countsOf(search));
  }
  const ending = search.ending ?? 'interrupted';
  const missing = search.isComplete ? missingIn(world, search.model.happened) : [];
  const doubt = search.isComplete ? missing.join('; ') : doubtOf(ending);
  const verdicts = await inMacrotask(() =>
    CHECKED_PROPERTIES.map((property) => verdictOn(property, search, doubt, world, parts)),
  );
  return { ...countsOf(search), ending, missing, verdicts };
}

/** What comes of doing these steps, one after the other. */
export interface Replay {
  readonly story: readonly string[];
  /** Steps that were not possible when their turn came. */
  readonly impossible: readonly string[];
  /** What the checkers found, by property. */
  readonly findings: readonly { readonly property: CheckedProperty; readonly finding: string }[];
}

/** Does the steps one after the other, and has the checkers judge the history. */
export function replayTrail(
  world: WorldSettings,
  steps: readonly number[],
  parts: Parts = REAL_PARTS,
): Promise<Replay> {
  return inMacrotask(() => {
    const plain = plainModel(world, parts);
    const trail = follow(plain, steps);
    const impossible = steps.filter((step, place) => trail.steps[place] !== step).slice(0, 1);
    const findings = CHECKED_PROPERTIES.flatMap((property) => {
      const finding = findingOf(property, plain, trail);
      return finding === null ? [] : [{ property, finding }];
    });
    return { story: storyOf(plain, trail), impossible: impossible.map((step) => stepText(step)), findings };
  });
}

function countsOf(search: Search): SearchCounts {
  const { states, transitions, depth } = search;
  const { stateCount, runs } = search.model.automaton;
  return { states, transitions, depth, clientStates: stateCount, libraryInputs: runs };
}

/** Why a search that ended so proves nothing. */
function doubtOf(ending: ExhaustiveResult['ending']): string {
  return ending === 'violated' ? 'the search ended with the violation of another property' : ending;
}

/** `doubt`: why what was not seen violated may be all the same; empty if it may not. */
function verdictOn(
  property: CheckedProperty,
  search: Search,
  doubt: string,
  world: WorldSettings,
  parts: Parts,
): ExhaustiveVerdict {
  const sighting = search.sightings.get(property);
  if (sighting !== undefined) {
    const plain = plainModel(world, parts);
    const trail = trailTo(search, sighting, BITS[property], plain);
    const finding = findingOf(property, plain, trail);
    if (finding === null) throw new Error(`The checker of ${property} finds nothing where the search sees it violated`);
    const steps = trail.steps.map((step) => stepText(step));
    return { property, status: 'violated', counterexample: { steps, story: storyOf(plain, trail), finding } };
  }
  if (property === 'token-order' && !world.fencing) {
    return { property, status: 'unknown', reason: 'the world is without fencing tokens' };
  }
  return doubt === '' ? { property, status: 'ok' } : { property, status: 'unknown', reason: doubt };
}

/** What the checker says against the history of a trail; null if nothing. */
function findingOf(property: CheckedProperty, plain: Model, trail: Trail): string | null {
  const verdict = CHECKERS[property](historyOf(plain, trail));
  return verdict.status === 'violated' ? (verdict.violations[0]?.message ?? '') : null;
}

/** Runs `run` from a macrotask, where microtasks can be drained. */
async function inMacrotask<Result>(run: () => Result): Promise<Result> {
  const outcome = await new Promise<() => Result>((resolve) => {
    setImmediate(() => {
      try {
        const result = run();
        resolve(() => result);
      } catch (error) {
        resolve(() => {
          throw error;
        });
      }
    });
  });
  return outcome();
}
