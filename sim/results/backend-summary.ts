import { countOutcomes, type OutcomeCounts } from './outcome-counts.ts';
import type { RunSummary, ScenarioSummary, SkippedScenario } from './summary.ts';

/** A backend that was asked for. */
export interface BackendFacts {
  readonly backend: string;
  /** Whether the seed alone decides what happens: then runs differ by seed, else every repetition may differ. */
  readonly isDeterministic: boolean;
  /** Why it could not run here at all, and what would put it right; null if it could. */
  readonly unavailable: Unavailability | null;
}

export interface Unavailability {
  readonly problem: string;
  readonly remedy: string;
}

/** How much the runs of one scenario on one backend differ among themselves, over all scenarios: in their outcome, or in the verdict on any property. */
export interface Flakiness {
  /** Scenarios with more than one run. */
  readonly scenarios: number;
  /** Those of them whose runs came out differently. */
  readonly flakyScenarios: readonly string[];
  /** Runs of these scenarios. */
  readonly runs: number;
  /** Runs that came out otherwise than most runs of their scenario. */
  readonly minorityRuns: number;
}

/** One backend over all scenarios. */
export interface BackendSummary extends BackendFacts {
  readonly totals: OutcomeCounts;
  /** How many scenarios did not run on it. */
  readonly skipped: number;
  /** Null if no scenario ran more than once: then nothing can be said. */
  readonly flakiness: Flakiness | null;
}

export function summarizeBackend(
  facts: BackendFacts,
  scenarios: readonly ScenarioSummary[],
  skipped: readonly SkippedScenario[],
): BackendSummary {
  const own = scenarios.filter(({ backend }) => backend === facts.backend);
  return {
    ...facts,
    totals: countOutcomes(own.flatMap(({ runs }) => runs)),
    skipped: skipped.filter(({ backend }) => backend === facts.backend).length,
    flakiness: flakinessOf(own),
  };
}

function flakinessOf(scenarios: readonly ScenarioSummary[]): Flakiness | null {
  const repeated = scenarios.filter(({ runs }) => runs.length > 1);
  if (repeated.length === 0) return null;
  const minority = ({ runs }: ScenarioSummary): number => runs.length - Math.max(...countsOf(runs).values());
  return {
    scenarios: repeated.length,
    flakyScenarios: repeated.filter((each) => minority(each) > 0).map(({ scenario }) => scenario),
    runs: sum(repeated.map(({ runs }) => runs.length)),
    minorityRuns: sum(repeated.map(minority)),
  };
}

/** How many runs came out in each way, with all that they found. */
function countsOf(runs: readonly RunSummary[]): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { outcome, violated, unknown } of runs) {
    const way = JSON.stringify([outcome, violated, unknown]);
    counts.set(way, (counts.get(way) ?? 0) + 1);
  }
  return counts;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}

/** What several runs of a scenario are called: the same seed gives the same simulated run, so there they are seeds. */
export function runsWord({ isDeterministic }: BackendFacts, count: number): string {
  const word = isDeterministic ? 'seed' : 'repetition';
  return count === 1 ? word : `${word}s`;
}

/** `0 of 31 scenarios differ between seeds; 0 of 310 runs were unlike the majority, 0.0 %`. */
export function flakinessText(backend: BackendSummary): string | null {
  const { flakiness } = backend;
  if (flakiness === null) return null;
  const { flakyScenarios, scenarios, minorityRuns, runs } = flakiness;
  const names = flakyScenarios.length === 0 ? '' : ` (${flakyScenarios.join(', ')})`;
  const share = ((100 * minorityRuns) / runs).toFixed(1);
  return (
    `${flakyScenarios.length} of ${scenarios} ${scenarios === 1 ? 'scenario' : 'scenarios'} came out differently between ${runsWord(backend, 2)}${names}; ` +
    `${minorityRuns} of ${runs} runs were unlike the majority, ${share} %`
  );
}
