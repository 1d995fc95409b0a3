import type { Property } from '../../checkers/verdict.ts';
import type { History } from '../../history/history.ts';
import { trials } from '../arbitraries/scenario.ts';
import { addCoverage, type Coverage, coverageOf } from './coverage.ts';
import { type Envelope, propertiesBrokenOutside } from '../envelope/envelope.ts';
import { execute } from '../execute.ts';
import { type Finding, findingsOf, firstWanted, isDefect } from '../finding.ts';
import { shrink, type Shrunken } from '../shrink/shrink.ts';
import { trialAt } from './trial-at.ts';

/** Which run: what it draws follows from this and the envelope alone, whoever runs it, and when. */
export interface RunKey {
  readonly seed: number;
  readonly index: number;
}

export interface SearchOptions {
  readonly keys: Iterable<RunKey>;
  readonly envelope: Envelope;
  /** What to look for where bounds are open. Defects are always looked for. */
  readonly properties: readonly Property[];
  /** Whether to go on after what breaks outside the envelope, for it is known: only a defect then ends the search. False if left out. */
  readonly isKnown?: boolean;
  /** Called before each run. */
  readonly onBegin?: () => void;
  /** Told of each run that has a history. */
  readonly onRun?: (run: SearchedRun) => void;
}

export interface SearchedRun {
  readonly key: RunKey;
  readonly history: History;
  readonly coverage: Coverage;
}

/** A run in which something broke, as it was drawn. */
export interface Hit {
  readonly key: RunKey;
  readonly finding: Finding;
}

export interface SearchResult {
  readonly runs: number;
  readonly events: number;
  readonly coverage: Coverage;
  /** The first run in which something broke; the search ends with it. Null if nothing did. */
  readonly hit: Hit | null;
  /** Where these are known, the runs in which something broke outside the envelope. */
  readonly known: readonly Hit[];
}

/** Runs one trial after the other, until something breaks, on this thread. */
export async function search(options: SearchOptions): Promise<SearchResult> {
  const { keys, envelope, properties, isKnown = false, onBegin, onRun } = options;
  const arbitrary = trials(envelope);
  const coverage: Coverage = {};
  let runs = 0;
  let events = 0;
  const known: Hit[] = [];
  for (const key of keys) {
    onBegin?.();
    const trial = trialAt(arbitrary, key.seed, key.index);
    const execution = await execute(trial);
    const { history } = execution;
    runs += 1;
    if (history !== null) {
      const covered = coverageOf(history);
      events += history.length;
      addCoverage(coverage, covered);
      onRun?.({ key, history, coverage: covered });
    }
    const finding = firstWanted(findingsOf(trial, execution), properties);
    if (finding === null) continue;
    if (!isKnown || isDefect(finding)) return { runs, events, coverage, hit: { key, finding }, known };
    known.push({ key, finding });
  }
  return { runs, events, coverage, hit: null, known };
}

/** The runs of a seed from the index `from` up to, but not including, `to`. */
export function* keysBetween(seed: number, from: number, to: number): Generator<RunKey> {
  for (let index = from; index < to; index += 1) yield { seed, index };
}

/** What `findViolation` found: the smallest run, which one it was made from, and how many runs it took to meet that. */
export interface Violation extends Shrunken {
  readonly key: RunKey;
  readonly runs: number;
}

/**
 * Looks through so many runs of a seed for one in which something breaks, and makes it small. Null if nothing broke. All on this thread: it is the whole
 * search for whoever bundles it with a library of his own. What a run throws is a finding (`run-failed`); a library that never lets virtual time
 * go on never comes back from here either.
 */
export async function findViolation(seed: number, runs: number, envelope: Envelope): Promise<Violation | null> {
  const properties = propertiesBrokenOutside(envelope);
  const { hit, runs: tried } = await search({ keys: keysBetween(seed, 0, runs), envelope, properties });
  if (hit === null) return null;
  return { ...(await shrink(hit, envelope)), key: hit.key, runs: tried };
}
