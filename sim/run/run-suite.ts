import type { Judgement } from '../judge/judgement.ts';
import type { SkippedScenario } from '../results/summary.ts';
import type { Scenario } from '../scenario/schema.ts';
import type { Testbed } from '../testbed/testbed.ts';
import { TestbedUnavailableError } from '../testbed/testbed-error.ts';
import { OutputError } from '../results/output-error.ts';
import type { ResultsFolder, RunPlace } from '../results/results-folder.ts';
import { RunFailure } from './run-failure.ts';
import { runScenario, type RunProgress } from './run-scenario.ts';

export interface SuiteOptions {
  /** Those that can run here. */
  readonly testbeds: readonly Testbed[];
  readonly scenarios: readonly Scenario[];
  readonly firstSeed: number;
  /** How often each scenario runs on each testbed: with `firstSeed` and the seeds that follow it. */
  readonly runs: number;
  /** Whether to go on without a testbed that turns out not to run here. */
  readonly skipsUnavailable: boolean;
  readonly results: ResultsFolder;
  readonly signal: AbortSignal;
  /** The command that makes a run again. */
  readonly replay: (place: RunPlace) => string;
  readonly onProgress: (progress: SuiteProgress) => void;
}

/** How far the run is that goes on now. */
export interface SuiteProgress {
  /** Of the scenario. */
  readonly index: number;
  readonly place: RunPlace;
  /** Null when the run begins. */
  readonly progress: RunProgress | null;
}

export type SuiteStep =
  /** A run that came to its end, and the real time that it, its verdict and its report took. */
  | { readonly type: 'run'; readonly index: number; readonly judgement: Judgement; readonly elapsedMs: number }
  /** A scenario that does not run on a testbed. */
  | { readonly type: 'skipped'; readonly skipped: SkippedScenario }
  /** A testbed that could not even begin its first run: all its scenarios are skipped. */
  | { readonly type: 'unavailable'; readonly backend: string; readonly problem: string; readonly remedy: string }
  /** The last one if the signal cut a run short: it has no verdict, but may have a history. */
  | { readonly type: 'interrupted'; readonly place: RunPlace };

/**
 * Runs each scenario on each testbed with each seed, one after the other, until the signal fires. Throws an OutputError, a RunFailure, or, unless
 * such are skipped, a TestbedUnavailableError of a testbed that never ran.
 */
export async function* runSuite(options: SuiteOptions): AsyncGenerator<SuiteStep> {
  const { testbeds, scenarios, results, signal } = options;
  const states = testbeds.map((testbed) => ({ testbed, runs: 0, unavailable: null as TestbedUnavailableError | null }));
  for (const [index, scenario] of scenarios.entries()) {
    if (signal.aborted) return;
    results.clear(scenario.name);
    for (const state of states) {
      const { testbed } = state;
      const skip = (reason: string, remedy: string | null, wasTried: boolean): SuiteStep => ({
        type: 'skipped',
        skipped: { scenario: scenario.name, title: scenario.title, backend: testbed.name, reason, remedy, wasTried },
      });
      if (state.unavailable !== null) {
        yield skip(state.unavailable.message, state.unavailable.remedy, false);
        continue;
      }
      const lack = testbed.lacks(scenario);
      if (lack !== null) {
        yield skip(lack, null, false);
        continue;
      }
      try {
        for await (const run of runAllSeeds(options, index, testbed, scenario)) {
          yield run;
          if (run.type === 'interrupted') return;
          state.runs += 1;
        }
      } catch (error) {
        if (!(error instanceof TestbedUnavailableError)) throw error;
        // What has run proves something, and so may what is still to come: nobody knows whether the backend comes back.
        if (!options.skipsUnavailable && state.runs === 0) throw error;
        if (state.runs === 0) {
          state.unavailable = error;
          yield { type: 'unavailable', backend: testbed.name, problem: error.message, remedy: error.remedy };
        }
        yield skip(error.message, error.remedy, state.runs > 0);
      }
    }
  }
}

async function* runAllSeeds(
  options: SuiteOptions,
  index: number,
  testbed: Testbed,
  scenario: Scenario,
): AsyncGenerator<Extract<SuiteStep, { type: 'run' | 'interrupted' }>> {
  const { firstSeed, runs } = options;
  for (let seed = firstSeed; seed < firstSeed + runs; seed += 1) {
    const startMs = performance.now();
    const judgement = await runOnce(options, index, testbed, scenario, seed);
    if (judgement === null) {
      yield { type: 'interrupted', place: { scenario: scenario.name, backend: testbed.name, seed } };
      return;
    }
    yield { type: 'run', index, judgement, elapsedMs: performance.now() - startMs };
  }
}

async function runOnce(
  { results, signal, replay, onProgress }: SuiteOptions,
  index: number,
  testbed: Testbed,
  scenario: Scenario,
  seed: number,
): Promise<Judgement | null> {
  if (signal.aborted) return null;
  const place = { scenario: scenario.name, backend: testbed.name, seed };
  const command = replay(place);
  onProgress({ index, place, progress: null });
  try {
    return await runScenario(testbed, scenario, {
      seed,
      replay: command,
      path: (file) => results.runFile(place, file),
      signal,
      onProgress: (progress) => onProgress({ index, place, progress }),
    });
  } catch (error) {
    if (error instanceof OutputError) throw error;
    // What an interruption breaks is no defect.
    if (isAborted(signal)) return null;
    if (error instanceof TestbedUnavailableError) throw error;
    throw new RunFailure(command, error);
  }
}

/** The compiler takes a property for what it was before an await. */
function isAborted({ aborted }: AbortSignal): boolean {
  return aborted;
}
