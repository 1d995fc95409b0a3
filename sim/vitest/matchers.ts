import { CHECKERS } from '../checkers/check-history.ts';
import { PROPERTIES, type Property } from '../checkers/verdict.ts';
import type { History } from '../history/history.ts';
import { proofText, seedsText } from './failure-text.ts';
import { historiesOf, isRecordedRun, seedOf } from './received.ts';
import { replayCommand, type TestPlace } from './replay.ts';

/**
 * What can be demanded of runs: of one, or of each in a list. After `.not` the opposite must have been seen: at least one
 * run in which the property is violated. What is unknown fails both ways.
 */
export interface DistrilockMatchers {
  /** In true time, no two leases on one resource were valid at once. */
  toHoldMutualExclusion(): void;
  /** No two clients were inside the protected work at once, whatever they believed. */
  toHoldCriticalSection(): void;
  /** The protected resource took no write of a holder after one of a newer holder. */
  toHoldResourceIntegrity(): void;
  /** Fencing tokens are unique, and rise from a lease to those acquired after it. */
  toHoldTokenOrder(): void;
  /** No release and no extension touched a key that another client owned. */
  toHoldReleaseSafety(): void;
  /** Once faults were healed and every lease was over, each resource could be locked again. */
  toHoldDeadlockFreedom(): void;
  /** No acquire used up its retries although a quorum answered in time and nobody held the lock. */
  toHoldAvailability(): void;
  /** Every verdict that the scenario expects came true, nothing else is violated, and all that had to happen did. */
  toBeAsExpected(): void;
}

/** Which matcher demands which property. */
export const MATCHER_OF: Readonly<Record<Property, keyof DistrilockMatchers>> = {
  'mutual-exclusion': 'toHoldMutualExclusion',
  'critical-section': 'toHoldCriticalSection',
  'resource-integrity': 'toHoldResourceIntegrity',
  'token-order': 'toHoldTokenOrder',
  'release-safety': 'toHoldReleaseSafety',
  'deadlock-freedom': 'toHoldDeadlockFreedom',
  availability: 'toHoldAvailability',
};

interface MatcherPlace extends TestPlace {
  readonly isNot: boolean;
}

interface MatcherResult {
  readonly pass: boolean;
  readonly message: () => string;
}

type Matcher = (this: MatcherPlace, received: unknown) => MatcherResult;

/** What a run says about a demand: that it is met, that the opposite is true, or neither. */
interface Finding {
  readonly history: History;
  readonly status: 'ok' | 'violated' | 'unknown';
  /** What shows it: lines, indented; empty if it is met. */
  readonly evidence: () => string;
}

/** How sentences put a demand and its opposite. */
interface Wording {
  readonly should: string;
  readonly shouldNot: string;
  readonly does: string;
  readonly doesNot: string;
}

/** The matchers, as vitest takes them. */
export const matchers: Readonly<Record<keyof DistrilockMatchers, Matcher>> = {
  ...(Object.fromEntries(
    PROPERTIES.map((property) => [MATCHER_OF[property], propertyMatcher(property)]),
  ) as unknown as Record<(typeof MATCHER_OF)[Property], Matcher>),
  toBeAsExpected(received) {
    const wording = {
      should: 'the outcome should be as expected',
      shouldNot: 'the outcome should not be as expected',
      does: 'is',
      doesNot: 'is not',
    };
    return judged(this, historiesOf(received, 'toBeAsExpected').map(outcomeFinding), wording);
  },
};

function propertyMatcher(property: Property): Matcher {
  const wording = {
    should: `${property} should hold`,
    shouldNot: `${property} should be violated`,
    does: 'holds',
    doesNot: 'is violated',
  };
  return function (received) {
    const histories = historiesOf(received, MATCHER_OF[property]);
    return judged(
      this,
      histories.map((history) => propertyFinding(history, property)),
      wording,
    );
  };
}

function propertyFinding(history: History, property: Property): Finding {
  const verdict = isRecordedRun(history) ? history.verdict(property) : CHECKERS[property](history);
  switch (verdict.status) {
    case 'ok':
      return { history, status: 'ok', evidence: () => '' };
    case 'violated':
      return { history, status: 'violated', evidence: () => proofText(history, verdict) };
    case 'unknown':
      return { history, status: 'unknown', evidence: () => `  ${verdict.reason}` };
  }
}

function outcomeFinding(history: History): Finding {
  if (!isRecordedRun(history)) {
    throw new TypeError(
      'toBeAsExpected needs what scenario() resolves to: a history alone does not say what was expected',
    );
  }
  const { outcome } = history;
  const status = outcome === 'as-expected' ? 'ok' : outcome === 'not-as-expected' ? 'violated' : 'unknown';
  const evidence = (): string => {
    const proofs = PROPERTIES.filter((property) => history.expected(property) !== 'violated')
      .map((property) => history.verdict(property))
      .map((verdict) => (verdict.status === 'violated' ? proofText(history, verdict) : ''));
    return [...history.reasons.map((reason) => `  ${reason}`), ...proofs.filter((proof) => proof !== '')].join('\n');
  };
  return { history, status, evidence };
}

/** One violation proves that a demand is not met; it is met only if every run says so. */
function judged(place: MatcherPlace, findings: readonly Finding[], wording: Wording): MatcherResult {
  const violated = findings.filter(({ status }) => status === 'violated');
  const unknown = findings.filter(({ status }) => status === 'unknown');
  if (violated.length > 0) {
    return { pass: false, message: () => failureText(place, findings, violated, wording, wording.doesNot) };
  }
  if (unknown.length > 0) {
    const what = 'is unknown (which is no success)';
    // Whoever asks, for a demand or for its opposite, gets a failure.
    return { pass: place.isNot, message: () => failureText(place, findings, unknown, wording, what) };
  }
  return { pass: true, message: () => failureText(place, findings, findings, wording, wording.does) };
}

function failureText(
  place: MatcherPlace,
  all: readonly Finding[],
  telling: readonly Finding[],
  wording: Wording,
  what: string,
): string {
  const wanted = place.isNot ? wording.shouldNot : wording.should;
  const seeds = telling.map(({ history }) => seedOf(history)).filter((seed) => seed !== null);
  const first = telling[0] as Finding;
  const seed = seedOf(first.history);
  const evidence = first.evidence();
  const lines = [
    all.length === 1
      ? `${wanted}, and ${what} ${seed === null ? 'in this history' : `with seed ${seed}`}`
      : `${wanted} in ${place.isNot ? 'at least one' : 'all'} of ${all.length} runs, and ${what} in ${telling.length === all.length ? 'all' : telling.length} of them${seeds.length === 0 ? '' : `: ${seedsText(seeds)}`}`,
  ];
  if (evidence !== '') {
    lines.push('', ...(all.length > 1 && seed !== null ? [`with seed ${seed}:`] : []), evidence);
  }
  // That nothing is violated is seen in all runs together.
  if (isRecordedRun(first.history)) lines.push('', `replay: ${replayCommand(place, evidence === '' ? null : seed)}`);
  return lines.join('\n');
}
