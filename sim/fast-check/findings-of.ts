import { execute } from '../explore/execute.ts';
import { type Finding, findingsOf as findingsIn, type Symptom } from '../explore/finding.ts';
import { scenarioFrom } from '../vitest/scenario-source.ts';
import type { Trial } from './trials.ts';

export type { Finding, Symptom };

/**
 * Runs a trial in virtual time. Resolves to everything that broke and was promised: defects first, whose `because` is empty, and then what the bounds in `because`
 * keep from happening, which the scenario oversteps. Nothing is promised to clients that stay in their sections for longer than their locks live.
 * Rejects with a ScenarioError if the scenario is none.
 */
export async function findingsOf({ scenario, seed }: Trial): Promise<readonly Finding[]> {
  const trial = { scenario: scenarioFrom(scenario), seed };
  return findingsIn(trial, await execute(trial));
}
