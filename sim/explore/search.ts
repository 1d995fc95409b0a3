import { type Trial, trials } from './arbitraries/scenario.ts';
import { addCoverage, type Coverage, coverageOf } from './coverage.ts';
import type { Envelope } from './envelope.ts';
import { execute } from './execute.ts';
import { type Finding, findingsOf } from './finding.ts';
import { shrink, type Shrunken } from './shrink.ts';
import { trialAt } from './trial-at.ts';

/** Which runs to try. A run follows from the seed and its index alone, whoever runs it. */
export interface SearchOptions {
  readonly seed: number;
  readonly indexes: Iterable<number>;
  readonly envelope: Envelope;
  /** Asked before each run. */
  readonly isOver?: () => boolean;
  /** Told of each run, with what came of it. */
  readonly onRun?: (run: SearchedRun) => void;
}

export interface SearchedRun {
  readonly index: number;
  readonly trial: Trial;
  /** As NDJSON it is the same, byte for byte, wherever it runs. */
  readonly events: number;
  readonly coverage: Coverage;
}

/** A run in which something broke, as it was drawn. */
export interface Hit {
  readonly index: number;
  readonly finding: Finding;
}

export interface SearchResult {
  readonly runs: number;
  readonly events: number;
  readonly coverage: Coverage;
  /** The first run in which something broke; the search ends with it. Null if nothing did. */
  readonly hit: Hit | null;
}

/** Runs one trial after the other, until something breaks, on this thread. */
export async function search({ seed, indexes, envelope, isOver, onRun }: SearchOptions): Promise<SearchResult> {
  const arbitrary = trials(envelope);
  const coverage: Coverage = {};
  let runs = 0;
  let events = 0;
  for (const index of indexes) {
    if (isOver?.() === true) break;
    const trial = trialAt(arbitrary, seed, index);
    const execution = await execute(trial);
    const { history } = execution;
    runs += 1;
    if (history !== null) {
      const covered = coverageOf(history);
      events += history.length;
      addCoverage(coverage, covered);
      onRun?.({ index, trial, events: history.length, coverage: covered });
    }
    const [finding] = findingsOf(trial, execution);
    if (finding !== undefined) return { runs, events, coverage, hit: { index, finding } };
  }
  return { runs, events, coverage, hit: null };
}

/** The indexes from `from` up to, but not including, `to`. */
export function* indexesBetween(from: number, to: number): Generator<number> {
  for (let index = from; index < to; index += 1) yield index;
}

/** What `findViolation` found: the smallest run, and how many runs it took to meet one that breaks. */
export interface Violation extends Shrunken {
  readonly index: number;
  readonly runs: number;
}

/**
 * Looks through so many runs for one in which something breaks, and makes it small. Null if nothing broke. All on this thread: this is the whole search for whoever
 * bundles it with a library of his own.
 */
export async function findViolation(seed: number, runs: number, envelope: Envelope): Promise<Violation | null> {
  const { hit, runs: tried } = await search({ seed, indexes: indexesBetween(0, runs), envelope });
  if (hit === null) return null;
  const shrunken = await shrink(seed, hit.index, envelope, hit.finding);
  return { ...shrunken, index: hit.index, runs: tried };
}
