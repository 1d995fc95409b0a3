import type { Judgement } from '../judge/judgement.ts';
import type { Unavailability } from '../results/backend-summary.ts';
import { renderIndex } from '../report/index-page.ts';
import { renderJUnit } from '../report/junit.ts';
import { outcomeWords } from '../report/outcome.ts';
import { type SkippedScenario, type Summary, summarize } from '../results/summary.ts';
import { makeFolderOf, ResultsFolder, type RunPlace, SUMMARY_FILES, writeWhole } from '../results/results-folder.ts';
import { runSuite, type SuiteStep } from '../run/run-suite.ts';
import { formatMs } from '../text/duration-text.ts';
import { type Backend, findBackends } from './backends.ts';
import { EXIT } from './exit-codes.ts';
import { type Host, UsageError } from './host.ts';
import { ElapsedTimes } from './elapsed-times.ts';
import { printSummary } from './print-summary.ts';
import type { RunOptions } from './run-command.ts';
import { RunDisplay } from './run-progress.ts';
import { shellQuote } from './shell-quote.ts';
import { loadWanted, type WantedScenario } from './wanted-scenarios.ts';

/** What is to run. */
interface Plan {
  readonly wanted: readonly WantedScenario[];
  readonly backends: readonly Backend[];
  readonly results: ResultsFolder;
  readonly options: RunOptions;
}

/** What has run so far. */
interface Finished {
  readonly judgements: Judgement[];
  readonly skipped: SkippedScenario[];
  /** By the name of the backend. */
  readonly unavailable: Map<string, Unavailability>;
  readonly elapsed: ElapsedTimes;
}

/**
 * Runs scenarios and writes their results. Resolves to the exit code. Rejects with a UsageError, an OutputError, a TestbedUnavailableError or a
 * RunFailure; the results of what was finished by then are written.
 */
export async function runScenarios(references: readonly string[], options: RunOptions, host: Host): Promise<number> {
  const { seed, runs, out } = options;
  if (seed > Number.MAX_SAFE_INTEGER - runs + 1) {
    throw new UsageError(`--seed ${seed} leaves no room for --runs ${runs}; choose a smaller seed`);
  }
  const wanted = loadWanted(references);
  const backends = await findBackends(options, host);
  const results = new ResultsFolder(out, { byBackend: backends.length > 1, bySeed: runs > 1 });
  const plan: Plan = { wanted, backends, results, options };
  const finished = nothingFinished(plan);
  try {
    await runAll(plan, finished, host);
  } catch (error) {
    // What is finished is worth keeping; if that fails as well, the first error says why.
    try {
      writeSummary(finished, plan);
    } catch {
      throw error;
    }
    throw error;
  }
  const summary = writeSummary(finished, plan);
  printSummary(summary, finished.elapsed, results.file(SUMMARY_FILES.index), options.json === true, host);
  return exitCodeOf(summary, options.strict === true, host);
}

/** What can run nowhere is skipped from the beginning. */
function nothingFinished({ wanted, backends }: Plan): Finished {
  const skipped: SkippedScenario[] = [];
  const unavailable = new Map<string, Unavailability>();
  for (const { testbed, unavailable: why } of backends) {
    if (why === null) continue;
    unavailable.set(testbed.name, why);
    for (const { scenario } of wanted) {
      const { name, title } = scenario;
      const { problem, remedy } = why;
      skipped.push({ scenario: name, title, backend: testbed.name, reason: problem, remedy, wasTried: false });
    }
  }
  return { judgements: [], skipped, unavailable, elapsed: new ElapsedTimes() };
}

async function runAll(plan: Plan, finished: Finished, host: Host): Promise<void> {
  const { wanted, backends, results, options } = plan;
  const display = new RunDisplay(host.stderr);
  const isReal = (backend: string): boolean =>
    backends.some(({ testbed }) => testbed.name === backend && !testbed.isDeterministic);
  const suite: AsyncIterable<SuiteStep> = runSuite({
    testbeds: backends.filter(({ unavailable }) => unavailable === null).map(({ testbed }) => testbed),
    scenarios: wanted.map(({ scenario }) => scenario),
    firstSeed: options.seed,
    runs: options.runs,
    skipsUnavailable: backends.length > 1 || options.backend.includes('all'),
    results,
    signal: host.signal,
    replay: (place) => replayCommand(plan, place),
    onProgress: ({ index, place, progress }) => {
      if (progress === null) display.begin(whereText(plan, index, place), isReal(place.backend));
      else display.update(progress);
    },
  });
  try {
    for await (const step of suite) {
      display.end();
      takeDown(step, finished);
      if (step.type !== 'run' || host.stderr.isTTY || !isReal(step.judgement.backend)) continue;
      // Nobody watches the terminal, and real time passes slowly: a log shall show that it goes on.
      const { judgement, index, elapsedMs } = step;
      const outcome = `${outcomeWords(judgement.outcome)}, ${formatMs(Math.round(elapsedMs))}`;
      host.stderr.write(`${whereText(plan, index, judgement)}: ${outcome}\n`);
    }
  } finally {
    display.end();
  }
}

function takeDown(step: SuiteStep, { judgements, skipped, unavailable, elapsed }: Finished): void {
  switch (step.type) {
    case 'run':
      judgements.push(step.judgement);
      elapsed.add(step.judgement, step.elapsedMs);
      break;
    case 'skipped':
      skipped.push(step.skipped);
      break;
    case 'unavailable':
      unavailable.set(step.backend, { problem: step.problem, remedy: step.remedy });
      break;
  }
}

function whereText({ wanted, backends, options }: Plan, index: number, { scenario, backend, seed }: RunPlace): string {
  const where = backends.length === 1 ? '' : ` on ${backend}`;
  const which = options.runs === 1 ? '' : `, seed ${seed}`;
  return `${index + 1} of ${wanted.length}: ${scenario}${where}${which}`;
}

function replayCommand({ wanted, backends }: Plan, { scenario, backend, seed }: RunPlace): string {
  const reference = wanted.find((each) => each.scenario.name === scenario)?.reference ?? scenario;
  const options = backends.find(({ testbed }) => testbed.name === backend)?.options ?? [];
  // A path that begins with a dash would be taken for an option.
  const word = reference.startsWith('-') ? `./${reference}` : reference;
  return ['npx distrilock run', ...[word, ...options].map(shellQuote), `--seed ${seed}`].join(' ');
}

function writeSummary(finished: Finished, plan: Plan): Summary {
  const {
    backends,
    results,
    options: { junit },
  } = plan;
  const { judgements, skipped, unavailable } = finished;
  const summary = summarize({
    backends: backends.map(({ testbed: { name, isDeterministic } }) => ({
      backend: name,
      isDeterministic,
      unavailable: unavailable.get(name) ?? null,
    })),
    judgements,
    skipped,
    wantedRuns: wantedRunsOf(plan, skipped.length),
    folderOf: (judgement) => results.folderOf(judgement),
  });
  writeWhole(results.file(SUMMARY_FILES.summary), `${JSON.stringify(summary, null, 2)}\n`);
  writeWhole(results.file(SUMMARY_FILES.index), renderIndex(summary));
  if (junit !== undefined) {
    makeFolderOf(junit);
    writeWhole(junit, renderJUnit(summary));
  }
  return summary;
}

function wantedRunsOf({ wanted, backends, options }: Plan, skippedScenarios: number): number {
  return (wanted.length * backends.length - skippedScenarios) * options.runs;
}

function exitCodeOf(summary: Summary, isStrict: boolean, host: Host): number {
  const { totals, skipped } = summary;
  const { signal, stderr } = host;
  if (signal.aborted && totals.missing > 0) {
    const name = signal.reason === 'SIGTERM' ? 'SIGTERM' : 'SIGINT';
    const all = totals.runs + totals.missing;
    stderr.write(`Interrupted by ${name} after ${totals.runs} of ${all} runs; their results are kept\n`);
    return EXIT[name];
  }
  if (totals.runs === 0) {
    stderr.write('Nothing ran, and nothing is proven: every scenario was skipped, for the reasons above\n');
    return EXIT.badInput;
  }
  if (totals.notAsExpected > 0) return EXIT.notAsExpected;
  if (totals.unknown > 0 || skipped.some(({ wasTried }) => wasTried)) return EXIT.unknown;
  const lack = isStrict ? strictLack(summary) : null;
  if (lack === null) return EXIT.asExpected;
  stderr.write(`--strict: ${lack}\n`);
  return EXIT.unknown;
}

/** What is missing for everything to be proven everywhere; null if nothing is. */
function strictLack({ skipped, parity }: Summary): string | null {
  const differing = parity.filter(({ agree }) => !agree).map(({ scenario }) => scenario);
  const lacks = [
    ...(skipped.length === 0
      ? []
      : [`${skipped.length} ${skipped.length === 1 ? 'scenario was' : 'scenarios were'} skipped`]),
    ...(differing.length === 0 ? [] : [`the backends do not agree on ${differing.join(', ')}`]),
  ];
  return lacks.length === 0 ? null : lacks.join('; ');
}
