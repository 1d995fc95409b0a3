import type { History } from '../history/history.ts';
import { lossOf } from '../history/loss.ts';
import { countOccurrences } from '../history/occurrences.ts';
import { tablesOf } from '../history/tables/table-reader.ts';
import type { Occurrence } from '../scenario/moment.ts';
import { patternText } from '../text/pattern-text.ts';
import type { Scenario } from '../scenario/schema.ts';
import { checkHistory } from '../checkers/check-history.ts';
import type { Judgement } from './judgement.ts';
import { PROPERTIES, type Property, type PropertyVerdict } from '../checkers/verdict.ts';

type JudgedProperty = Judgement['properties'][number];
type Happening = Judgement['happened'][number];

/**
 * Holds a run against its scenario: judges every property, compares with what the scenario expects, and counts what must have
 * happened. `replay` is the command that runs it again. Deterministic: equal histories give equal judgements.
 */
export function judge(history: History, scenario: Scenario, replay: string): Judgement {
  const tables = tablesOf(history);
  const lost = lossOf(history);
  const verdicts = lost === null ? checkHistory(history) : PROPERTIES.map((property) => unknownFor(property, lost));
  const properties = verdicts.map((verdict): JudgedProperty => {
    return { expected: scenario.expect[verdict.property] ?? null, verdict };
  });
  const counts = countOccurrences(history, scenario.happened);
  const happened = scenario.happened.map((occurrence, place): Happening => {
    const count = counts[place] ?? 0;
    return { occurrence, count, met: isMet(occurrence, count) };
  });
  const misses = properties.filter(isMiss).map(missText);
  const doubts =
    lost !== null
      ? [lostText(lost)]
      : [...properties.filter(isDoubt).map(doubtText), ...happened.filter(({ met }) => !met).map(absenceText)];
  return {
    scenario: scenario.name,
    title: scenario.title,
    lesson: scenario.lesson,
    sources: scenario.source === undefined ? [] : [scenario.source].flat(),
    backend: tables.started?.backend ?? 'unknown',
    seed: tables.started?.seed ?? 0,
    outcome: misses.length > 0 ? 'not-as-expected' : doubts.length > 0 ? 'unknown' : 'as-expected',
    lost,
    properties,
    happened,
    reasons: [...misses, ...doubts],
    replay,
    counts: {
      operations: tables.operations,
      leases: tables.leases.count,
      events: history.length,
      spanMs: tables.lastUs / 1000,
    },
  };
}

function unknownFor(property: Property, lost: string): PropertyVerdict {
  return { property, status: 'unknown', reason: lostText(lost) };
}

function lostText(lost: string): string {
  return `the run was lost: ${lost}`;
}

/** Whether the property was judged, and not as expected. */
function isMiss({ expected, verdict }: JudgedProperty): boolean {
  return verdict.status === 'violated' ? expected !== 'violated' : verdict.status === 'ok' && expected === 'violated';
}

function missText({ expected, verdict }: JudgedProperty): string {
  const { property } = verdict;
  if (verdict.status !== 'violated') return `${property} was expected to be violated, and is ok`;
  const times = verdict.count === 1 ? 'once' : `${verdict.count} times`;
  const surprise = expected === 'ok' ? 'was expected to be ok' : 'was not expected to be violated';
  return `${property} ${surprise}, and is violated ${times}: ${firstMessage(verdict)}`;
}

function firstMessage(verdict: PropertyVerdict & { readonly status: 'violated' }): string {
  return verdict.violations[0]?.message ?? '';
}

/** Whether the scenario expects a verdict that the history does not allow. */
function isDoubt({ expected, verdict }: JudgedProperty): boolean {
  return expected !== null && verdict.status === 'unknown';
}

function doubtText({ expected, verdict }: JudgedProperty): string {
  const reason = verdict.status === 'unknown' ? verdict.reason : '';
  return `${verdict.property} was expected to be ${expected ?? 'judged'}, and is unknown: ${reason}`;
}

function isMet(occurrence: Occurrence, count: number): boolean {
  return count >= leastOf(occurrence) && count <= (occurrence.atMost ?? Number.POSITIVE_INFINITY);
}

/** At least once, unless the scenario only says how often at the most. */
function leastOf({ atLeast, atMost }: Occurrence): number {
  return atLeast ?? (atMost === undefined ? 1 : 0);
}

/** Why an occurrence that is not met counts against the run. */
export function absenceText({ occurrence, count }: Happening): string {
  const { event, atLeast, atMost, ...fields } = occurrence;
  const least = leastOf({ event, atLeast, atMost });
  const wanted = count < least ? `at least ${times(least)}` : `at most ${times(atMost ?? 0)}`;
  return `${patternText({ event, ...fields })} must happen ${wanted}, and happened ${times(count)}`;
}

function times(count: number): string {
  return count === 1 ? 'once' : `${count} times`;
}
