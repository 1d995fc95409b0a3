import { CHECKERS } from '../checkers/check-history.ts';
import { absenceText, judge } from '../judge/judge.ts';
import type { Judgement, Outcome } from '../judge/judgement.ts';
import type { Property, PropertyVerdict } from '../checkers/verdict.ts';
import type { HistoryEvent } from '../history/event.ts';
import type { History } from '../history/history.ts';
import type { Scenario } from '../scenario/schema.ts';

/** A run of a scenario: its history, stamped with true time in microseconds, and what follows from it. */
export interface RecordedRun extends History, Iterable<HistoryEvent> {
  readonly seed: number;
  /**
   * How the run compares with what its scenario expects: `unknown` if something that must have happened did not, if an expected property could
   * not be judged, or if the scenario expects nothing.
   */
  readonly outcome: Outcome;
  /** Why the outcome is not `as-expected`, in sentences; empty if it is. */
  readonly reasons: readonly string[];
  /** The verdict on one property. Where something that must have happened did not, `ok` turns into `unknown`: nothing was put to the test. */
  verdict(property: Property): PropertyVerdict;
  /** What the scenario expects of a property; null if it does not name it. */
  expected(property: Property): 'ok' | 'violated' | null;
}

const NO_EXPECTATIONS =
  'the scenario expects nothing: name properties under expect, or use the matchers of single properties';

/** The run of a scenario that left this history. It is judged only when somebody asks. */
export function recordedRun(history: History, scenario: Scenario, seed: number): RecordedRun {
  return new SimulatedScenarioRun(history, scenario, seed);
}

/** Its state is hidden even from what prints objects: a comparison that fails shall not print a million events. */
class SimulatedScenarioRun implements RecordedRun {
  readonly seed: number;
  readonly length: number;
  readonly #history: History;
  readonly #scenario: Scenario;
  #judged: Judgement | null = null;

  constructor(history: History, scenario: Scenario, seed: number) {
    this.seed = seed;
    this.length = history.length;
    this.#history = history;
    this.#scenario = scenario;
  }

  at(index: number): HistoryEvent {
    return this.#history.at(index);
  }

  *[Symbol.iterator](): Generator<HistoryEvent> {
    for (let index = 0; index < this.length; index += 1) yield this.at(index);
  }

  get outcome(): Outcome {
    const { outcome } = this.#judgement;
    return outcome === 'as-expected' && !this.#hasExpectations ? 'unknown' : outcome;
  }

  get reasons(): readonly string[] {
    const { reasons } = this.#judgement;
    return this.#hasExpectations ? reasons : [...reasons, NO_EXPECTATIONS];
  }

  verdict(property: Property): PropertyVerdict {
    const verdict = CHECKERS[property](this.#history);
    if (verdict.status !== 'ok') return verdict;
    const absences = this.#judgement.happened.filter(({ met }) => !met).map(absenceText);
    return absences.length === 0 ? verdict : { property, status: 'unknown', reason: absences.join('; ') };
  }

  expected(property: Property): 'ok' | 'violated' | null {
    return this.#scenario.expect[property] ?? null;
  }

  get #hasExpectations(): boolean {
    return Object.keys(this.#scenario.expect).length > 0;
  }

  get #judgement(): Judgement {
    this.#judged ??= judge(this.#history, this.#scenario, '');
    return this.#judged;
  }
}
