import { simulatedTestbed } from '../testbed/simulated/simulated-testbed.ts';
import { type RecordedRun, recordedRun } from './recorded-run.ts';
import { replaySeed } from './replay.ts';
import type { ScenarioInput } from './scenario-input.ts';
import { scenarioFrom } from './scenario-source.ts';

/** How often, and with which seeds, a scenario runs. */
export interface ScenarioOptions {
  /** The first seed (1). Everything that is drawn follows from it: the same seed gives the same history. */
  readonly seed?: number | undefined;
  /** With how many seeds it runs: the first, and those that follow. */
  readonly runs?: number | undefined;
}

/**
 * Runs a scenario on the simulator: the library of this package, unmodified, in virtual time. The scenario is an object, the path or URL of a
 * file, or the text of one. Resolves to what happened, to be put under matchers: one run, or with `runs` a list of them.
 * Rejects with a ScenarioError that lists everything that is wrong with the scenario, or with a TypeError or RangeError that names the
 * option which is wrong.
 */
export function scenario(
  source: ScenarioInput | string | URL,
  options: ScenarioOptions & { readonly runs: number },
): Promise<readonly RecordedRun[]>;
export function scenario(
  source: ScenarioInput | string | URL,
  options?: ScenarioOptions & { readonly runs?: undefined },
): Promise<RecordedRun>;
export async function scenario(
  source: ScenarioInput | string | URL,
  options: ScenarioOptions = {},
): Promise<RecordedRun | readonly RecordedRun[]> {
  const seeds = seedsOf(options);
  const checked = scenarioFrom(source);
  const runs: RecordedRun[] = [];
  for (const seed of seeds) runs.push(recordedRun(await simulatedTestbed.run(checked, { seed }), checked, seed));
  return options.runs === undefined ? (runs[0] as RecordedRun) : runs;
}

function seedsOf(options: ScenarioOptions): readonly number[] {
  for (const name of Object.keys(options)) {
    if (name === 'seed' || name === 'runs') continue;
    throw new TypeError(`scenario has no option ${JSON.stringify(name)}; the scenario comes first, then seed and runs`);
  }
  const { seed = 1, runs = 1 } = options;
  if (!isWholeNumber(seed, 0)) throw new RangeError(`seed must be a whole number from 0, not ${String(seed)}`);
  if (!isWholeNumber(runs, 1)) throw new RangeError(`runs must be a whole number from 1, not ${String(runs)}`);
  const last = Number.MAX_SAFE_INTEGER;
  if (runs - 1 > last - seed) throw new RangeError(`seed and runs must not go beyond ${last}`);
  const only = replaySeed(process.env);
  return only === null ? Array.from({ length: runs }, (_, index) => seed + index) : [only];
}

function isWholeNumber(value: unknown, least: number): boolean {
  return Number.isSafeInteger(value) && (value as number) >= least;
}
