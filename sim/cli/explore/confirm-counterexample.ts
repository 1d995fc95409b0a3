import type { Judgement } from '../../judge/judgement.ts';
import { PROPERTIES } from '../../checkers/verdict.ts';
import type { CounterexampleFile } from '../../explore/counterexample/counterexample.ts';
import { execute } from '../../explore/execute.ts';
import { findingsOf, type Symptom } from '../../explore/finding.ts';
import type { Shrunken } from '../../explore/shrink/shrink.ts';
import type { Confirmation, FoundSummary } from '../../explore/counterexample/summary.ts';
import { RUN_FILES, type ResultsFolder } from '../../results/results-folder.ts';
import { runScenario } from '../../run/run-scenario.ts';
import type { Testbed } from '../../testbed/testbed.ts';
import { TestbedUnavailableError } from '../../testbed/testbed-error.ts';
import { type Backend, unavailableText } from '../backends.ts';
import type { Host } from '../console/host.ts';
import { RunDisplay } from '../run/run-progress.ts';
import { shellQuote } from '../../text/shell-quote.ts';

export interface ConfirmOptions {
  readonly file: CounterexampleFile;
  readonly shrunken: Shrunken;
  /** Where the scenario was written. */
  readonly scenarioPath: string;
  readonly backends: readonly Backend[];
  readonly results: ResultsFolder;
  readonly host: Host;
}

/**
 * Runs the scenario as its file was written once more in the simulation, and on each backend; writes the reports. Throws an error if the
 * simulation does not show what was found: it would be a defect of the testbed.
 */
export async function confirm(options: ConfirmOptions): Promise<Pick<FoundSummary, 'report' | 'confirmations'>> {
  const { shrunken, file, results, backends, host } = options;
  // A run that fails has no history that could be judged.
  if (shrunken.finding.symptom === 'run-failed') return { report: null, confirmations: [] };
  results.clear(file.name);
  const { simulatedTestbed } = await import('../../testbed/simulated/simulated-testbed.ts');
  const written = { scenario: file.scenario, seed: shrunken.trial.seed };
  const { symptom } = shrunken.finding;
  if (!findingsOf(written, await execute(written)).some((finding) => finding.symptom === symptom)) {
    throw new Error(`${options.scenarioPath} does not show what it was written for: ${symptom}`);
  }
  // It takes some milliseconds, and an interruption is no reason to go without a report of what was found.
  await runOn(simulatedTestbed, { ...options, host: { ...host, signal: new AbortController().signal } }, []);
  const place = { scenario: file.name, backend: simulatedTestbed.name, seed: shrunken.trial.seed };
  const confirmations: Confirmation[] = [];
  for (const backend of backends) {
    confirmations.push(await confirmOn(backend, options));
  }
  return { report: results.runFile(place, RUN_FILES.report), confirmations };
}

async function confirmOn(
  { testbed, options: words, unavailable }: Backend,
  options: ConfirmOptions,
): Promise<Confirmation> {
  const backend = testbed.name;
  const unable = (reason: string): Confirmation => ({ backend, verdict: 'unable', reason });
  if (unavailable !== null) return unable(unavailableText(backend, unavailable));
  const interrupted = { backend, verdict: 'interrupted', reason: 'it was interrupted' } as const;
  if (options.host.signal.aborted) return interrupted;
  const { symptom } = options.shrunken.finding;
  if (!PROPERTIES.some((property) => property === symptom))
    return unable(`${symptom} can be judged in the simulation only`);
  const lack = testbed.lacks(options.file.scenario);
  if (lack !== null) return unable(lack);
  const display = new RunDisplay(options.host.stderr);
  display.begin(`${options.file.name} on ${backend}`, true);
  try {
    const judgement = await runOn(testbed, options, words, (progress) => display.update(progress));
    if (judgement === null) return interrupted;
    if (judgement.lost !== null) return unable(`the run was lost: ${judgement.lost}`);
    const { symptom } = options.shrunken.finding;
    if (isViolated(judgement, symptom))
      return { backend, verdict: 'agrees', reason: `${symptom} is violated there too` };
    return { backend, verdict: 'differs', reason: judgement.reasons.join('; ') || `${symptom} is not violated there` };
  } catch (error) {
    if (!(error instanceof TestbedUnavailableError)) throw error;
    return unable(unavailableText(backend, error));
  } finally {
    display.end();
  }
}

function runOn(
  testbed: Testbed,
  { file, shrunken, scenarioPath, results, host }: ConfirmOptions,
  words: readonly string[],
  onProgress: Parameters<typeof runScenario>[2]['onProgress'] = () => undefined,
): Promise<Judgement | null> {
  const { seed } = shrunken.trial;
  const place = { scenario: file.name, backend: testbed.name, seed };
  const word = scenarioPath.startsWith('-') ? `./${scenarioPath}` : scenarioPath;
  return runScenario(testbed, file.scenario, {
    seed,
    replay: ['npx distrilock run', ...[word, ...words].map(shellQuote), `--seed ${seed}`].join(' '),
    path: (name) => results.runFile(place, name),
    signal: host.signal,
    onProgress,
  });
}

function isViolated({ properties }: Judgement, symptom: Symptom): boolean {
  return properties.some(({ verdict }) => verdict.property === symptom && verdict.status === 'violated');
}
