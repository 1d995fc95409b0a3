import fc from 'fast-check';
import { type Trial, trials } from '../arbitraries/scenario.ts';
import { isWithin } from '../envelope/assumptions.ts';
import type { Envelope } from '../envelope/envelope.ts';
import { execute } from '../execute.ts';
import { type Finding, findingsOf, isDefect } from '../finding.ts';
import type { Hit } from '../search/search.ts';
import { simplerTrials } from './simplify.ts';
import { sturdierTrials, variantsOf } from './sturdier.ts';
import { drawSeed, trialAt } from '../search/trial-at.ts';

/** The smallest run that was found in which the same thing breaks. */
export interface Shrunken {
  readonly trial: Trial;
  readonly finding: Finding;
  /** Where fast-check has arrived, for `trialAtPath`: the index of the run, and which of the smaller values it took each time. */
  readonly path: string;
  /** Runs that it took. */
  readonly executions: number;
  /** Whether the signal ended it, so that it may not be the smallest. */
  readonly isCutShort: boolean;
}

/**
 * Makes a run smaller, as long as the same property breaks for the same sort of reason: first as fast-check shrinks what it has drawn, and then
 * by simplifying the scenario that comes of it, which knows what is simpler to read. Deterministic, unless the signal ends it: then
 * the smallest one so far is what comes of it.
 */
export async function shrink(
  { key, finding: found }: Hit,
  envelope: Envelope,
  signal: AbortSignal | null = null,
): Promise<Shrunken> {
  const attempts = new Attempts(found, envelope, signal);
  const details = await fc.check(
    fc.asyncProperty(trials(envelope), async (trial) => (await attempts.findingOf(trial)) === null),
    { seed: drawSeed(key.seed, key.index), numRuns: 1 },
  );
  const { counterexample, counterexamplePath } = details;
  if (counterexample === null && signal?.aborted === true) {
    const trial = trialAt(trials(envelope), key.seed, key.index);
    return { trial, finding: found, path: `${key.index}`, executions: attempts.count, isCutShort: true };
  }
  if (counterexample === null) {
    throw new Error(`run ${key.index} of seed ${key.seed} broke ${found.symptom}, and does not when it is run again`);
  }
  const smallest = await smallestFrom(counterexample[0], attempts);
  // Fast-check counts the run itself as the first of one.
  const path = [key.index, ...counterexamplePath.split(':').slice(1)].join(':');
  return { ...smallest, path, executions: attempts.count, isCutShort: attempts.isCutShort };
}

/** Makes a trial simpler that fast-check cannot make smaller, or that it never drew. */
export async function shrinkTrial(
  trial: Trial,
  finding: Finding,
  path: string,
  envelope: Envelope,
  signal: AbortSignal | null = null,
): Promise<Shrunken> {
  const attempts = new Attempts(finding, envelope, signal);
  const smallest = await smallestFrom(trial, attempts);
  return { ...smallest, path, executions: attempts.count, isCutShort: attempts.isCutShort };
}

/** Runs of smaller trials. */
class Attempts {
  count = 0;
  /** Whether a trial was not run because the signal had fired. */
  isCutShort = false;
  readonly wanted: Finding;
  private readonly envelope: Envelope;
  private readonly signal: AbortSignal | null;

  constructor(wanted: Finding, envelope: Envelope, signal: AbortSignal | null) {
    this.wanted = wanted;
    this.envelope = envelope;
    this.signal = signal;
  }

  /** What breaks, if it is what was found, and no bound is overstepped that was not open. Nothing once the signal has fired, so that no trial is smaller. */
  async findingOf(trial: Trial): Promise<Finding | null> {
    if (this.signal?.aborted === true) {
      this.isCutShort = true;
      return null;
    }
    if (!isWithin(trial.scenario, this.envelope)) return null;
    this.count += 1;
    const { symptom } = this.wanted;
    const findings = findingsOf(trial, await execute(trial));
    return findings.find((each) => each.symptom === symptom && isDefect(each) === isDefect(this.wanted)) ?? null;
  }

  /** In how many of its variants the same breaks; 0 as soon as it cannot be as many as `least`. */
  async strengthOf(trial: Trial, least = 0): Promise<number> {
    const variants = variantsOf(trial);
    let sparedByLuck = 0;
    for (const variant of variants) {
      if ((await this.findingOf(variant)) === null) sparedByLuck += 1;
      if (variants.length - sparedByLuck < least) return 0;
    }
    return variants.length - sparedByLuck;
  }
}

/** A trial, and what breaks in it. */
interface Broken {
  readonly trial: Trial;
  readonly finding: Finding;
}

/**
 * Makes a trial simple. What breaks outside the envelope is a lesson, and shall not hang on a race that another seed, or a real server, decides
 * otherwise: such a one is made sturdy, and then as simple as it can be without losing that. A defect stays what it was found to be.
 */
async function smallestFrom(first: Trial, attempts: Attempts): Promise<Broken> {
  const finding = (await attempts.findingOf(first)) ?? attempts.wanted;
  const smallest = await simplify({ trial: first, finding }, attempts, () => Promise.resolve(true));
  if (isDefect(attempts.wanted)) return smallest;
  const { broken, strength } = await strengthen(smallest, attempts);
  return simplify(broken, attempts, async (trial) => {
    // What has fewer scripts has fewer variants.
    const least = Math.min(strength, variantsOf(trial).length);
    return (await attempts.strengthOf(trial, least)) >= least;
  });
}

/** Takes the first simpler trial that still breaks and is good enough, over and over, until there is none. */
async function simplify(
  first: Broken,
  attempts: Attempts,
  isGoodEnough: (trial: Trial) => Promise<boolean>,
): Promise<Broken> {
  let current = first;
  for (;;) {
    let simpler: Broken | null = null;
    for (const trial of simplerTrials(current.trial)) {
      const finding = await attempts.findingOf(trial);
      if (finding === null || !(await isGoodEnough(trial))) continue;
      simpler = { trial, finding };
      break;
    }
    if (simpler === null) return current;
    current = simpler;
  }
}

/**
 * Takes the trial that breaks in most variants of all that are a little sturdier, over and over, until all of its variants break or nothing helps: no
 * change, and no two of them.
 */
async function strengthen(
  first: Broken,
  attempts: Attempts,
): Promise<{ readonly broken: Broken; readonly strength: number }> {
  const most = variantsOf(first.trial).length;
  let broken = first;
  let strength = await attempts.strengthOf(first.trial);
  while (strength < most) {
    let stronger: Broken | null = null;
    for (const trial of sturdierInOneOrTwo(broken.trial)) {
      const finding = await attempts.findingOf(trial);
      const reached = finding === null ? 0 : await attempts.strengthOf(trial, strength + 1);
      if (finding !== null && reached > strength) [stronger, strength] = [{ trial, finding }, reached];
      if (strength === most) break;
    }
    if (stronger === null) break;
    broken = stronger;
  }
  return { broken, strength };
}

function* sturdierInOneOrTwo(trial: Trial): Generator<Trial> {
  const single = [...sturdierTrials(trial)];
  yield* single;
  for (const each of single) yield* sturdierTrials(each);
}
