import type { Judgement } from '../checkers/judgement.ts';
import type { Scenario } from '../scenario/schema.ts';
import type { Testbed } from '../testbed/testbed.ts';
import { OutputError } from './output-error.ts';
import type { ResultsFolder } from './results-folder.ts';
import { RunFailure } from './run-failure.ts';
import { runScenario, type RunProgress } from './run-scenario.ts';

export interface SuiteOptions {
  readonly testbed: Testbed;
  readonly scenarios: readonly Scenario[];
  readonly firstSeed: number;
  /** How many seeds each scenario runs with: `firstSeed` and those that follow it. */
  readonly runs: number;
  readonly results: ResultsFolder;
  readonly signal: AbortSignal;
  /** The command that runs a scenario with one seed again. */
  readonly replay: (scenario: Scenario, seed: number) => string;
  readonly onProgress: (progress: SuiteProgress) => void;
}

/** How far the run is that goes on now. */
export interface SuiteProgress extends RunProgress {
  /** Of the scenario. */
  readonly index: number;
  readonly scenario: Scenario;
  readonly seed: number;
}

/** One run of a suite that came to its end. */
export interface SuiteRun {
  readonly judgement: Judgement;
  /** Real time that the run, its verdict and its report took. */
  readonly elapsedMs: number;
}

/** Runs each scenario with each seed, one after the other, until the signal fires. Throws an OutputError or a RunFailure. */
export async function* runSuite(options: SuiteOptions): AsyncGenerator<SuiteRun> {
  const { scenarios, firstSeed, runs, results, signal } = options;
  for (const [index, scenario] of scenarios.entries()) {
    if (signal.aborted) return;
    results.clear(scenario.name);
    for (let seed = firstSeed; seed < firstSeed + runs; seed += 1) {
      const startMs = performance.now();
      const judgement = await runOnce(options, index, scenario, seed);
      if (judgement === null) return;
      yield { judgement, elapsedMs: performance.now() - startMs };
    }
  }
}

async function runOnce(
  { testbed, results, signal, replay, onProgress }: SuiteOptions,
  index: number,
  scenario: Scenario,
  seed: number,
): Promise<Judgement | null> {
  if (signal.aborted) return null;
  const command = replay(scenario, seed);
  try {
    return await runScenario(testbed, scenario, {
      seed,
      replay: command,
      path: (file) => results.runFile(scenario.name, seed, file),
      signal,
      onProgress: (progress) => onProgress({ ...progress, index, scenario, seed }),
    });
  } catch (error) {
    if (error instanceof OutputError) throw error;
    throw new RunFailure(command, error);
  }
}
