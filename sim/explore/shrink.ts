import fc from 'fast-check';
import { type Trial, trials } from './arbitraries/scenario.ts';
import { isWithin } from './assumptions.ts';
import type { Envelope } from './envelope.ts';
import { execute } from './execute.ts';
import { type Finding, findingsOf, isDefect } from './finding.ts';
import { simplerTrials } from './simplify.ts';
import { drawSeed } from './trial-at.ts';

/** The smallest run that was found in which the same thing breaks. */
export interface Shrunken {
  readonly trial: Trial;
  readonly finding: Finding;
  /** Where fast-check has arrived, for `trialAtPath`: the index of the run, and which of the smaller values it took each time. */
  readonly path: string;
  /** Runs that it took. */
  readonly executions: number;
}

/**
 * Makes the run of this index smaller, as long as the same property breaks for the same sort of reason: first as fast-check shrinks what it
 * has drawn, and then by simplifying the scenario that comes of it, which knows what is simpler to read. Deterministic.
 */
export async function shrink(seed: number, index: number, envelope: Envelope, found: Finding): Promise<Shrunken> {
  let executions = 0;
  const stillBreaks = async (trial: Trial): Promise<Finding | null> => {
    if (!isWithin(trial.scenario, envelope)) return null;
    executions += 1;
    const findings = findingsOf(trial, await execute(trial));
    return findings.find((each) => each.symptom === found.symptom && isDefect(each) === isDefect(found)) ?? null;
  };
  const details = await fc.check(
    fc.asyncProperty(trials(envelope), async (trial) => (await stillBreaks(trial)) === null),
    { seed: drawSeed(seed, index), numRuns: 1 },
  );
  const { counterexample, counterexamplePath } = details;
  if (counterexample === null || counterexamplePath === null) {
    throw new Error(`run ${index} of seed ${seed} broke ${found.symptom} once, and does not when it is run again`);
  }
  const { trial, finding } = await simplify(counterexample[0], found, stillBreaks);
  // Fast-check counts the run itself as the first of one.
  return { trial, finding, path: [index, ...counterexamplePath.split(':').slice(1)].join(':'), executions };
}

/** Takes the first simpler trial that still breaks, over and over, until there is none. */
async function simplify(
  first: Trial,
  found: Finding,
  stillBreaks: (trial: Trial) => Promise<Finding | null>,
): Promise<{ readonly trial: Trial; readonly finding: Finding }> {
  let trial = first;
  let finding = (await stillBreaks(first)) ?? found;
  for (;;) {
    let simpler: Trial | null = null;
    for (const candidate of simplerTrials(trial)) {
      const broken = await stillBreaks(candidate);
      if (broken === null) continue;
      [simpler, finding] = [candidate, broken];
      break;
    }
    if (simpler === null) return { trial, finding };
    trial = simpler;
  }
}
