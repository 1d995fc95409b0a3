import type { Outcome } from '../judge/judgement.ts';

/** How many runs had which outcome. */
export interface OutcomeCounts {
  readonly runs: number;
  readonly asExpected: number;
  readonly notAsExpected: number;
  readonly unknown: number;
}

export function countOutcomes(runs: readonly { readonly outcome: Outcome }[]): OutcomeCounts {
  const count = (outcome: Outcome): number => runs.filter((run) => run.outcome === outcome).length;
  return {
    runs: runs.length,
    asExpected: count('as-expected'),
    notAsExpected: count('not-as-expected'),
    unknown: count('unknown'),
  };
}
