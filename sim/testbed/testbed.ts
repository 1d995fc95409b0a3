import type { History } from '../history/history.ts';
import type { HistoryEvent } from '../history/event.ts';
import type { Scenario } from '../scenario/schema.ts';

/** What a run of a scenario needs besides the scenario. */
export interface RunOptions {
  readonly seed: number;
  /** Called with each stretch of new events, in order, soon after they happened, so that they can be saved. */
  readonly onEvents?: (events: Iterable<HistoryEvent>) => void;
  /** Ends the run early: the history then closes with the reason. */
  readonly signal?: AbortSignal;
  /** Told what takes time before the scenario begins: servers that start. */
  readonly onStep?: (step: string) => void;
}

/** A world in which scenarios run: simulated, of real processes, or of containers. */
export interface Testbed {
  /** The name of the backend, as on the command line. */
  readonly name: string;
  /** Runs the scenario once and returns what happened. */
  run(scenario: Scenario, options: RunOptions): Promise<History>;
}
