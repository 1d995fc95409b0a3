import { checkHistory } from '../checkers/check-history.ts';
import type { PropertyVerdict } from '../checkers/verdict.ts';
import type { History } from '../history/history.ts';
import { tablesOf } from '../history/tables/table-reader.ts';
import { simulatedTestbed } from '../testbed/simulated/simulated-testbed.ts';
import type { Trial } from './arbitraries/scenario.ts';

/**
 * The testbed hands events over in a stretch for each phase of a run, and at every 65,536 events of the simulation. What is drawn has some
 * hundreds of events, or a few thousand: a run with more stretches than this goes round in circles.
 */
const MOST_STRETCHES = 30;

/** What came of one run. */
export type Execution =
  | { readonly history: History; readonly verdicts: readonly PropertyVerdict[]; readonly failure: null }
  /** The library threw what is no LockError, the history contradicts itself, or the run went round in circles. */
  | { readonly history: History | null; readonly verdicts: readonly []; readonly failure: Error };

/** Runs a scenario in virtual time and judges it. Never rejects: what a run throws is an outcome, for it is a defect that was found. */
export async function execute({ scenario, seed }: Trial): Promise<Execution> {
  const circles = new AbortController();
  let history: History;
  let stretches = 0;
  try {
    history = await simulatedTestbed.run(scenario, {
      seed,
      signal: circles.signal,
      onEvents: () => {
        stretches += 1;
        if (stretches > MOST_STRETCHES) circles.abort();
      },
    });
  } catch (error) {
    return { history: null, verdicts: [], failure: error instanceof Error ? error : new Error(String(error)) };
  }
  if (circles.signal.aborted) {
    return {
      history,
      verdicts: [],
      failure: new Error(`the run did not come to an end: it has ${history.length} events so far`),
    };
  }
  const { flaw } = tablesOf(history);
  if (flaw !== null) return { history, verdicts: [], failure: new Error(`the history contradicts itself: ${flaw}`) };
  return { history, verdicts: checkHistory(history), failure: null };
}
