import fc from 'fast-check';
import { type Trial, trials } from './arbitraries/scenario.ts';
import { isWithin } from './assumptions.ts';
import type { Envelope } from './envelope.ts';
import { execute } from './execute.ts';
import { type Finding, findingsOf, isDefect } from './finding.ts';
import type { Hit } from './search.ts';
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
 * Makes a run smaller, as long as the same property breaks for the same sort of reason: first as fast-check shrinks what it has drawn, and then
 * by simplifying the scenario that comes of it, which knows what is simpler to read. Deterministic.
 */
export async function shrink({ key, finding: found }: Hit, envelope: Envelope): Promise<Shrunken> {
  const attempts = new Attempts(found, envelope);
  const details = await fc.check(
    fc.asyncProperty(trials(envelope), async (trial) => (await attempts.findingOf(trial)) === null),
    { seed: drawSeed(key.seed, key.index), numRuns: 1 },
  );
  const { counterexample, counterexamplePath } = details;
  if (counterexample === null) {
    throw new Error(`run ${key.index} of seed ${key.seed} broke ${found.symptom}, and does not when it is run again`);
  }
  const smallest = await simplify(counterexample[0], attempts);
  // Fast-check counts the run itself as the first of one.
  const path = [key.index, ...counterexamplePath.split(':').slice(1)].join(':');
  return { ...smallest, path, executions: attempts.count };
}

/** Makes a trial simpler that fast-check cannot make smaller, or that it never drew. */
export async function shrinkTrial(trial: Trial, finding: Finding, path: string, envelope: Envelope): Promise<Shrunken> {
  const attempts = new Attempts(finding, envelope);
  return { ...(await simplify(trial, attempts)), path, executions: attempts.count };
}

/** Runs of smaller trials. */
class Attempts {
  count = 0;
  readonly wanted: Finding;
  private readonly envelope: Envelope;

  constructor(wanted: Finding, envelope: Envelope) {
    this.wanted = wanted;
    this.envelope = envelope;
  }

  /** What breaks, if it is what was found, and no bound is overstepped that was not open. */
  async findingOf(trial: Trial): Promise<Finding | null> {
    if (!isWithin(trial.scenario, this.envelope)) return null;
    this.count += 1;
    const { symptom } = this.wanted;
    const findings = findingsOf(trial, await execute(trial));
    return findings.find((each) => each.symptom === symptom && isDefect(each) === isDefect(this.wanted)) ?? null;
  }
}

/** Takes the first simpler trial that still breaks, over and over, until there is none. */
async function simplify(
  first: Trial,
  attempts: Attempts,
): Promise<{ readonly trial: Trial; readonly finding: Finding }> {
  let trial = first;
  let finding = (await attempts.findingOf(first)) ?? attempts.wanted;
  for (;;) {
    let simpler: Trial | null = null;
    for (const candidate of simplerTrials(trial)) {
      const broken = await attempts.findingOf(candidate);
      if (broken === null) continue;
      [simpler, finding] = [candidate, broken];
      break;
    }
    if (simpler === null) return { trial, finding };
    trial = simpler;
  }
}
