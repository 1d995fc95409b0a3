import type { Judgement } from '../checkers/judgement.ts';
import { renderIndex } from '../report/index-page.ts';
import { renderJUnit } from '../report/junit.ts';
import { type Summary, summarize } from '../report/summary.ts';
import { visibleText } from '../report/visible-text.ts';
import { makeFolderOf, ResultsFolder, SUMMARY_FILES, writeWhole } from '../run/results-folder.ts';
import { runSuite, type SuiteRun } from '../run/run-suite.ts';
import type { Testbed } from '../testbed/testbed.ts';
import { formatTimeUs } from '../text/duration-text.ts';
import { colorsFor } from './colors.ts';
import { EXIT } from './exit-codes.ts';
import { type Host, UsageError } from './host.ts';
import { ProgressLine } from './progress-line.ts';
import { renderResults, renderTotals } from './results-table.ts';
import type { RunOptions } from './run-command.ts';
import { shellQuote } from './shell-quote.ts';
import { loadWanted, type WantedScenario } from './wanted-scenarios.ts';

/** What has run so far. */
interface Finished {
  readonly judgements: Judgement[];
  /** Real time, by the name of the scenario. */
  readonly elapsedMs: Map<string, number>;
}

/**
 * Runs scenarios and writes their results. Resolves to the exit code. Rejects with a UsageError, an OutputError or a RunFailure; the results
 * of what was finished by then are written.
 */
export async function runScenarios(references: readonly string[], options: RunOptions, host: Host): Promise<number> {
  const { seed, runs, out } = options;
  if (seed > Number.MAX_SAFE_INTEGER - runs + 1) {
    throw new UsageError(`--seed ${seed} leaves no room for --runs ${runs}; choose a smaller seed`);
  }
  const testbed = await testbedOf(options.backend, host);
  const wanted = loadWanted(references);
  const results = new ResultsFolder(out, runs > 1);
  const finished: Finished = { judgements: [], elapsedMs: new Map() };
  try {
    await runAll(wanted, finished, testbed, results, options, host);
  } catch (error) {
    // What is finished is worth keeping; if that fails as well, the first error says why.
    try {
      writeSummary(finished, results, options);
    } catch {
      throw error;
    }
    throw error;
  }
  const summary = writeSummary(finished, results, options);
  printSummary(summary, finished, results, options, host);
  return exitCodeOf(summary, wanted.length * runs, host);
}

async function testbedOf(backend: string, { testbeds }: Host): Promise<Testbed> {
  const load = Object.hasOwn(testbeds, backend) ? testbeds[backend] : undefined;
  if (load === undefined) {
    const backends = Object.keys(testbeds).join(', ');
    throw new UsageError(`--backend: there is no backend ${JSON.stringify(backend)}; allowed: ${backends}`);
  }
  return load();
}

async function runAll(
  wanted: readonly WantedScenario[],
  { judgements, elapsedMs }: Finished,
  testbed: Testbed,
  results: ResultsFolder,
  { seed: firstSeed, runs, backend }: RunOptions,
  host: Host,
): Promise<void> {
  const progress = new ProgressLine(host.stderr);
  const references = new Map(wanted.map(({ scenario, reference }) => [scenario.name, reference]));
  const suite: AsyncIterable<SuiteRun> = runSuite({
    testbed,
    scenarios: wanted.map(({ scenario }) => scenario),
    firstSeed,
    runs,
    results,
    signal: host.signal,
    replay: ({ name }, seed) => replayCommand(references.get(name) ?? name, backend, seed),
    onProgress: ({ index, scenario, seed, timeUs, events }) => {
      const which = runs === 1 ? '' : `, seed ${seed}`;
      const where = `${index + 1} of ${wanted.length}: ${scenario.name}${which}`;
      progress.show(`${where}, at ${formatTimeUs(timeUs)}, ${events} events`);
    },
  });
  try {
    for await (const run of suite) {
      const { scenario } = run.judgement;
      judgements.push(run.judgement);
      elapsedMs.set(scenario, (elapsedMs.get(scenario) ?? 0) + run.elapsedMs);
    }
  } finally {
    progress.clear();
  }
}

function replayCommand(reference: string, backend: string, seed: number): string {
  // A path that begins with a dash would be taken for an option.
  const word = reference.startsWith('-') ? `./${reference}` : reference;
  return `npx distrilock run ${shellQuote(word)} --backend ${backend} --seed ${seed}`;
}

function writeSummary({ judgements }: Finished, results: ResultsFolder, { junit }: RunOptions): Summary {
  const summary = summarize(judgements, ({ scenario, seed }) => results.folderOf(scenario, seed));
  writeWhole(results.file(SUMMARY_FILES.summary), jsonOf(summary));
  writeWhole(results.file(SUMMARY_FILES.index), renderIndex(summary));
  if (junit !== undefined) {
    makeFolderOf(junit);
    writeWhole(junit, renderJUnit(summary));
  }
  return summary;
}

function printSummary(
  summary: Summary,
  { elapsedMs }: Finished,
  results: ResultsFolder,
  { json }: RunOptions,
  { stdout, environment }: Host,
): void {
  if (json === true) {
    stdout.write(jsonOf(summary));
    return;
  }
  const colors = colorsFor(stdout, environment);
  if (summary.scenarios.length > 0) stdout.write(`${renderResults(summary, elapsedMs, colors)}\n`);
  stdout.write(`${renderTotals(summary.totals, colors)}\n`);
  stdout.write(`Report: ${visibleText(results.file(SUMMARY_FILES.index))}\n`);
}

function exitCodeOf({ totals }: Summary, wantedRuns: number, { signal, stderr }: Host): number {
  if (signal.aborted && totals.runs < wantedRuns) {
    const name = signal.reason === 'SIGTERM' ? 'SIGTERM' : 'SIGINT';
    stderr.write(`Interrupted by ${name} after ${totals.runs} of ${wantedRuns} runs; their results are kept\n`);
    return EXIT[name];
  }
  if (totals.notAsExpected > 0) return EXIT.notAsExpected;
  return totals.unknown > 0 ? EXIT.unknown : EXIT.asExpected;
}

function jsonOf(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
