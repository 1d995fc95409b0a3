import type { ControlResult } from './control.ts';
import type { MutantResult } from './hunt.ts';
import type { SearchOutcome } from './search-worker.ts';

/** The table of mutants as JSON. Durations are in milliseconds; one without an end is null, as JSON has no infinity. */
export function mutantsJson(results: readonly MutantResult[], seed: number): string {
  return text({
    seed,
    mutants: results.map(({ mutant: { name, broken }, outcome, elapsedMs }) => ({
      name,
      broken,
      ...outcomeFields(outcome),
      elapsedMs: Math.round(elapsedMs),
    })),
  });
}

/** How the library as it is came through, as JSON. */
export function controlJson({ outcome, runs, elapsedMs }: ControlResult, seed: number): string {
  return text({ seed, ...outcomeFields(outcome), runs, elapsedMs: Math.round(elapsedMs) });
}

function outcomeFields(outcome: SearchOutcome): Readonly<Record<string, unknown>> {
  const { kind, runs } = outcome;
  if (kind !== 'caught') return { outcome: kind, runs };
  const { index, finding, smallest } = outcome;
  return {
    outcome: kind,
    runs,
    caughtBy: finding.symptom,
    run: index,
    message: smallest?.finding.message ?? finding.message,
    smallest: smallest === null ? null : { seed: smallest.trial.seed, scenario: smallest.trial.scenario },
  };
}

function text(data: unknown): string {
  return `${JSON.stringify(data, null, 2)}\n`;
}
