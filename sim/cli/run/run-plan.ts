import type { ResultsFolder, RunPlace } from '../../results/results-folder.ts';
import type { Backend } from '../backends.ts';
import type { SkippedScenario } from '../../results/summary.ts';
import type { RunOptions } from './run-command.ts';
import { shellQuote } from '../../text/shell-quote.ts';
import type { WantedScenario } from './wanted-scenarios.ts';

/** What is to run. */
export interface Plan {
  readonly wanted: readonly WantedScenario[];
  readonly backends: readonly Backend[];
  readonly results: ResultsFolder;
  readonly options: RunOptions;
}

/** `3 of 40: aof-kill on processes, seed 7`. */
export function whereText(
  { wanted, backends, options }: Plan,
  index: number,
  { scenario, backend, seed }: RunPlace,
): string {
  const where = backends.length === 1 ? '' : ` on ${backend}`;
  const which = options.runs === 1 ? '' : `, seed ${seed}`;
  return `${index + 1} of ${wanted.length}: ${scenario}${where}${which}`;
}

/** The command that makes a run again. */
export function replayCommand({ wanted, backends }: Plan, { scenario, backend, seed }: RunPlace): string {
  const reference = wanted.find((each) => each.scenario.name === scenario)?.reference ?? scenario;
  const options = backends.find(({ testbed }) => testbed.name === backend)?.options ?? [];
  // A path that begins with a dash would be taken for an option.
  const word = reference.startsWith('-') ? `./${reference}` : reference;
  return ['npx distrilock run', ...[word, ...options].map(shellQuote), `--seed ${seed}`].join(' ');
}

/** How many runs a plan is, without those that were not made since their scenario is skipped: from the beginning, or from some repetition on. */
export function wantedRunsOf(
  { wanted, backends, options }: Plan,
  skipped: readonly SkippedScenario[],
  judgements: readonly { readonly scenario: string; readonly backend: string }[],
): number {
  const unmade = skipped.map(({ scenario, backend }) => {
    const made = judgements.filter((each) => each.scenario === scenario && each.backend === backend);
    return options.runs - made.length;
  });
  return unmade.reduce((rest, count) => rest - count, wanted.length * backends.length * options.runs);
}
