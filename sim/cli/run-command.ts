import type { Command } from 'commander';
import type { Judgement } from '../checkers/judgement.ts';
import { renderIndex } from '../report/index-page.ts';
import { renderJUnit } from '../report/junit.ts';
import { type Summary, summarize } from '../report/summary.ts';
import { visibleText } from '../report/visible-text.ts';
import { makeFolderOf, ResultsFolder, SUMMARY_FILES, writeWhole } from '../run/results-folder.ts';
import { runSuite } from '../run/run-suite.ts';
import { ScenarioError } from '../scenario/load-error.ts';
import { galleryNames, GALLERY_FOLDER, loadScenario } from '../scenario/load.ts';
import type { Scenario } from '../scenario/schema.ts';
import type { Testbed } from '../testbed/testbed.ts';
import { formatTimeUs } from '../text/duration-text.ts';
import { path, wholeNumber } from './arguments.ts';
import { colorsFor } from './colors.ts';
import { EXIT } from './exit-codes.ts';
import { type Host, UsageError } from './host.ts';
import { ProgressLine } from './progress-line.ts';
import type { SetExitCode } from './program.ts';
import { countOutcomes, renderResults, renderTotals, type ResultsRow } from './results-table.ts';
import { shellQuote } from './shell-quote.ts';

const EXAMPLES = `
A scenario is a name that "distrilock list" shows, or the path of a file of your own (it contains a / or ends in .yaml).

Examples:
  npx distrilock run
  npx distrilock run kleppmann-gc-pause --seed 7
  npx distrilock run my/settings.yaml --runs 100 --out /tmp/results
  npx distrilock run --json > summary.json
  npx distrilock run --junit junit.xml`;

interface RunOptions {
  readonly backend: string;
  readonly seed: number;
  readonly runs: number;
  readonly out: string;
  readonly json?: true;
  readonly junit?: string;
}

/** A scenario, and how the user called it. */
interface Wanted {
  readonly reference: string;
  readonly scenario: Scenario;
}

export function addRunCommand(program: Command, host: Host, setExitCode: SetExitCode): void {
  program
    .command('run')
    .description('run scenarios (all of the gallery if none is named), judge them, and write reports')
    .argument('[scenario...]', 'names from the gallery, or paths of scenario files')
    .option('-b, --backend <name>', 'the world to run in', 'simulated')
    .option('-s, --seed <number>', 'the first seed', wholeNumber(0), 1)
    .option(
      '-n, --runs <number>',
      'how many seeds each scenario runs with: the first and those that follow',
      wholeNumber(1),
      1,
    )
    .option('-o, --out <folder>', 'where the results go', path, 'reports')
    .option('--json', 'print the summary as JSON on standard output, and nothing else there')
    .option('--junit <file>', 'write the verdicts as JUnit XML too', path)
    .addHelpText('after', EXAMPLES)
    .action(async (references: string[], options: RunOptions) => {
      setExitCode(await run(references, options, host));
    });
}

async function run(references: readonly string[], options: RunOptions, host: Host): Promise<number> {
  if (!Number.isSafeInteger(options.seed + options.runs - 1)) {
    throw new UsageError(`--seed ${options.seed} leaves no room for --runs ${options.runs}; choose a smaller seed`);
  }
  const testbed = await testbedOf(options.backend, host);
  const wanted = loadWanted(references);
  const results = new ResultsFolder(options.out);
  const rows = wanted.map(({ scenario }) => ({ scenario: scenario.name, judgements: [] as Judgement[], elapsedMs: 0 }));
  try {
    await runAll(wanted, rows, testbed, results, options, host);
  } catch (error) {
    // What is finished is worth keeping; if that fails as well, the first error says why.
    try {
      writeSummary(rows, results, options);
    } catch {
      throw error;
    }
    throw error;
  }
  const summary = writeSummary(rows, results, options);
  return conclude(rows, summary, results, options, host);
}

async function testbedOf(backend: string, { testbeds }: Host): Promise<Testbed> {
  const load = Object.hasOwn(testbeds, backend) ? testbeds[backend] : undefined;
  if (load === undefined) {
    throw new UsageError(
      `--backend: there is no backend ${JSON.stringify(backend)}; allowed: ${Object.keys(testbeds).join(', ')}`,
    );
  }
  return load();
}

function loadWanted(references: readonly string[]): Wanted[] {
  const names = references.length === 0 ? galleryNames() : references;
  if (names.length === 0) throw new UsageError(`There are no scenarios in ${GALLERY_FOLDER}; name a file of your own`);
  const wanted: Wanted[] = [];
  const errors: string[] = [];
  for (const reference of names) {
    try {
      wanted.push({ reference, scenario: loadScenario(reference) });
    } catch (error) {
      if (!(error instanceof ScenarioError)) throw error;
      errors.push(error.message);
    }
  }
  if (errors.length > 0) throw new UsageError(errors.join('\n'));
  refuseSameNames(wanted);
  return wanted;
}

/** Each scenario has a folder by its name, which some file systems compare without regard to case. */
function refuseSameNames(wanted: readonly Wanted[]): void {
  const seen = new Map<string, string>();
  for (const { reference, scenario } of wanted) {
    const folder = scenario.name.toLowerCase();
    const other = seen.get(folder);
    if (other !== undefined) {
      throw new UsageError(
        `${other} and ${reference} would both write to the folder ${scenario.name}; run them one after the other with different --out, or rename one`,
      );
    }
    seen.set(folder, reference);
  }
}

type GrowingRow = ResultsRow & { judgements: Judgement[]; elapsedMs: number };

async function runAll(
  wanted: readonly Wanted[],
  rows: readonly GrowingRow[],
  testbed: Testbed,
  results: ResultsFolder,
  { seed: firstSeed, runs, backend }: RunOptions,
  host: Host,
): Promise<void> {
  const progress = new ProgressLine(host.stderr);
  const references = new Map(wanted.map(({ scenario, reference }) => [scenario.name, reference]));
  const suite = runSuite({
    testbed,
    scenarios: wanted.map(({ scenario }) => scenario),
    firstSeed,
    runs,
    results,
    signal: host.signal,
    replay: (scenario, seed) => replayCommand(references.get(scenario.name) ?? scenario.name, backend, seed),
    onProgress: (index, seed, { timeUs, events }) => {
      const name = wanted[index]?.scenario.name ?? '';
      const which = runs === 1 ? '' : `, seed ${seed}`;
      progress.show(`${index + 1} of ${wanted.length}: ${name}${which}, at ${formatTimeUs(timeUs)}, ${events} events`);
    },
  });
  try {
    for await (const { index, judgement, elapsedMs } of suite) {
      const row = rows[index] as GrowingRow;
      row.judgements.push(judgement);
      row.elapsedMs += elapsedMs;
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

function writeSummary(rows: readonly ResultsRow[], results: ResultsFolder, { junit }: RunOptions): Summary {
  const summary = summarize(rows.flatMap(({ judgements }) => judgements));
  writeWhole(results.file(SUMMARY_FILES.summary), jsonOf(summary));
  writeWhole(results.file(SUMMARY_FILES.index), renderIndex(summary));
  if (junit !== undefined) {
    makeFolderOf(junit);
    writeWhole(junit, renderJUnit(summary));
  }
  return summary;
}

function conclude(
  rows: readonly GrowingRow[],
  summary: Summary,
  results: ResultsFolder,
  { json, runs }: RunOptions,
  { stdout, stderr, environment, signal }: Host,
): number {
  const judgements = rows.flatMap((row) => row.judgements);
  if (json === true) {
    stdout.write(jsonOf(summary));
  } else {
    const colors = colorsFor(stdout, environment);
    const finished = rows.filter((row) => row.judgements.length > 0);
    if (finished.length > 0) stdout.write(`${renderResults(finished, colors)}\n`);
    stdout.write(`${renderTotals(judgements, colors)}\n`);
    stdout.write(`Report: ${visibleText(results.file(SUMMARY_FILES.index))}\n`);
  }
  if (signal.aborted && judgements.length < rows.length * runs) {
    const name = signal.reason === 'SIGTERM' ? 'SIGTERM' : 'SIGINT';
    stderr.write(
      `Interrupted by ${name} after ${judgements.length} of ${rows.length * runs} runs; their results are kept\n`,
    );
    return EXIT[name];
  }
  const { notAsExpected, unknown } = countOutcomes(judgements);
  if (notAsExpected > 0) return EXIT.notAsExpected;
  return unknown > 0 ? EXIT.unknown : EXIT.asExpected;
}

function jsonOf(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`;
}
