import type { Judgement } from '../../judge/judgement.ts';
import type { Property, Violation } from '../../checkers/verdict.ts';
import type { History } from '../../history/history.ts';

/** A history of at most so many events is drawn whole. */
const MOST_EVENTS_WHOLE = 1_200;
/** Of a longer one, so many events before and after what proves the violation, */
const CONTEXT_EVENTS = 220;
/** never more than so many in all, */
const MOST_EVENTS = 3_000;
/** and so many where there is no violation to look at. */
const EVENTS_WITHOUT_VIOLATION = 800;

/** The stretch of a history that is drawn: events `from` up to, but without, `to`. */
export interface Window {
  readonly from: number;
  readonly to: number;
  readonly fromUs: number;
  readonly untilUs: number;
  /** Microseconds from the first to the last event of the whole history. */
  readonly wholeUntilUs: number;
  readonly isWhole: boolean;
  readonly choice: 'whole' | 'around the first violation' | 'the beginning';
}

/** A violation of a run, numbered over all properties in the order in which they are reported. */
export interface NumberedViolation extends Violation {
  readonly number: number;
  readonly property: Property;
}

/** All violations that the judgement names. */
export function violationsOf(judgement: Judgement): readonly NumberedViolation[] {
  return judgement.properties
    .flatMap(({ verdict }) =>
      verdict.status === 'violated'
        ? verdict.violations.map((violation) => ({ ...violation, property: verdict.property }))
        : [],
    )
    .map((violation, index) => ({ ...violation, number: index + 1 }));
}

/** Chooses what is drawn of a history: all of a short one, else a stretch around the violation that was complete first, else the beginning. */
export function chooseWindow(history: History, violations: readonly NumberedViolation[]): Window {
  const { length } = history;
  if (length <= MOST_EVENTS_WHOLE) return windowOf(history, 0, length, 'whole');
  const proof = firstProof(violations, length);
  if (proof === null) return windowOf(history, 0, EVENTS_WITHOUT_VIOLATION, 'the beginning');
  const to = Math.min(length, proof.last + 1 + CONTEXT_EVENTS);
  const from = Math.max(0, proof.first - CONTEXT_EVENTS, to - MOST_EVENTS);
  return windowOf(history, from, to, 'around the first violation');
}

function firstProof(violations: readonly NumberedViolation[], length: number): { first: number; last: number } | null {
  let earliest: { first: number; last: number } | null = null;
  for (const { events } of violations) {
    const known = events.filter((index) => index >= 0 && index < length);
    const first = known[0];
    const last = known.at(-1);
    if (first === undefined || last === undefined) continue;
    if (earliest === null || last < earliest.last) earliest = { first, last };
  }
  return earliest;
}

function windowOf(history: History, from: number, to: number, choice: Window['choice']): Window {
  const timeOf = (index: number): number => (history.length === 0 ? 0 : history.at(index).timeUs);
  return {
    from,
    to,
    fromUs: timeOf(from),
    untilUs: timeOf(to - 1),
    wholeUntilUs: timeOf(history.length - 1),
    isWhole: choice === 'whole',
    choice,
  };
}
