import type { History } from '../history/history.ts';
import type { HistoryEvent } from '../history/event.ts';
import type { Scenario } from '../scenario/schema.ts';
import type { Availability } from './readiness.ts';

/** What a run of a scenario needs besides the scenario. */
export interface RunOptions {
  readonly seed: number;
  /**
   * Called with each stretch of new events, in order, so that they can be saved: soon after they happened where one process sees
   * all of them, else once, when the run is over.
   */
  readonly onEvents?: (events: Iterable<HistoryEvent>) => void;
  /**
   * A folder of this run's own in which each process that takes part keeps what it has seen, as it happens, until `onEvents` has taken it all. It is
   * made, and removed in the end; only a run that is killed leaves it.
   */
  readonly partsFolder?: string;
  /** Ends the run early: the history then closes with the reason. */
  readonly signal?: AbortSignal;
  /** Told what takes time before the scenario begins: servers that start. */
  readonly onStep?: (step: string) => void;
}

/** A world in which scenarios run: simulated, of real processes, or of containers. */
export interface Testbed {
  /** The name of the backend, as results have it. */
  readonly name: string;
  /** Whether the seed alone decides what happens: then a run can only differ with another seed, else with every repetition. */
  readonly isDeterministic: boolean;
  /** Looks for what this backend needs here, by trying it. */
  check(): Promise<Availability>;
  /** What the scenario asks for and this backend cannot do, in a sentence; null if it can run it. Knows more once `check` is done. */
  lacks(scenario: Scenario): string | null;
  /**
   * Runs the scenario once and returns what happened. Rejects with a TestbedUnavailableError if something is missing here; any other
   * error is a defect.
   */
  run(scenario: Scenario, options: RunOptions): Promise<History>;
}
