import { existsSync } from 'node:fs';
import type { Judgement } from '../../judge/judgement.ts';
import type { Unavailability } from '../../results/backend-summary.ts';
import { renderIndex } from '../../report/index-page.ts';
import { renderJUnit } from '../../report/junit.ts';
import { outcomeWords } from '../../report/outcome.ts';
import { type SkippedScenario, type Summary, summarize } from '../../results/summary.ts';
import {
  makeFolderOf,
  ResultsFolder,
  RUN_FILES,
  type RunPlace,
  SUMMARY_FILES,
  writeWhole,
} from '../../results/results-folder.ts';
import { runSuite, type SuiteStep } from '../../run/run-suite.ts';
import { formatMs } from '../../text/duration-text.ts';
import { findBackends, namingBackend } from '../backends.ts';
import { type Host, UsageError } from '../console/host.ts';
import { ElapsedTimes } from './elapsed-times.ts';
import { printSummary } from './print-summary.ts';
import type { RunOptions } from './run-command.ts';
import { exitCodeOf } from './run-outcome.ts';
import { type Plan, replayCommand, wantedRunsOf, whereText } from './run-plan.ts';
import { RunDisplay } from './run-progress.ts';
import { loadWanted } from './wanted-scenarios.ts';

/** What has run so far. */
interface Finished {
  readonly judgements: Judgement[];
  readonly skipped: SkippedScenario[];
  /** By the name of the backend. */
  readonly unavailable: Map<string, Unavailability>;
  readonly elapsed: ElapsedTimes;
  /** The file with the history of the run that was cut short; null if none was. */
  cutShort: string | null;
}

/**
 * Runs scenarios and writes their results. Resolves to the exit code. Rejects with a UsageError, an OutputError or a RunFailure; the results of what was finished by then are written.
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
    // What is finished is worth keeping and showing.
    try {
      if (finished.judgements.length > 0) {
        const { runs, missing } = conclude(finished, plan, host).totals;
        host.stderr.write(`Broken off after ${runs} of ${runs + missing} runs; their results are kept\n`);
      }
    } catch {
      // The first error says why.
    }
    const [only, ...others] = backends;
    if (only === undefined || others.length > 0) throw error;
    throw namingBackend(only.testbed.name, error);
  }
  const summary = conclude(finished, plan, host);
  return exitCodeOf(summary, options.strict === true, finished.cutShort, host);
}

/** Writes what came of it and prints it: that, too, if it cannot be written. Throws an OutputError. */
function conclude(finished: Finished, plan: Plan, host: Host): Summary {
  const { results, options } = plan;
  const summary = summaryOf(finished, plan);
  let index: string | null = null;
  try {
    writeWhole(results.file(SUMMARY_FILES.summary), `${JSON.stringify(summary, null, 2)}\n`);
    writeWhole(results.file(SUMMARY_FILES.index), renderIndex(summary));
    index = results.file(SUMMARY_FILES.index);
    if (options.junit !== undefined) {
      makeFolderOf(options.junit);
      writeWhole(options.junit, renderJUnit(summary));
    }
  } finally {
    printSummary(summary, finished.elapsed, index, options.json === true, host);
  }
  return summary;
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
  return { judgements: [], skipped, unavailable, elapsed: new ElapsedTimes(), cutShort: null };
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
      if (progress !== null) {
        display.update(progress);
        return;
      }
      display.begin(whereText(plan, index, place), isReal(place.backend));
      host.setLastWords(() => {
        display.end();
        return whereKept(results, place);
      });
    },
  });
  try {
    for await (const step of suite) {
      display.end();
      takeDown(step, finished, results);
      if (step.type !== 'run' || host.stderr.isTTY || !isReal(step.judgement.backend)) continue;
      // Nobody watches the terminal, and real time passes slowly: a log shall show that it goes on.
      const { judgement, index, elapsedMs } = step;
      const outcome = `${outcomeWords(judgement.outcome)}, ${formatMs(Math.round(elapsedMs))}`;
      host.stderr.write(`${whereText(plan, index, judgement)}: ${outcome}\n`);
    }
  } finally {
    display.end();
    host.setLastWords(() => null);
  }
}

/** Where a run that goes on now keeps what has happened, in words; null if there is nothing yet. */
function whereKept(results: ResultsFolder, place: RunPlace): string | null {
  const parts = results.runFile(place, RUN_FILES.parts);
  if (existsSync(parts)) return `the parts of the history of the run are in ${parts}`;
  const history = results.runFile(place, RUN_FILES.history);
  return existsSync(history) ? `the history of the run so far is in ${history}` : null;
}

function takeDown(step: SuiteStep, finished: Finished, results: ResultsFolder): void {
  const { judgements, skipped, unavailable, elapsed } = finished;
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
    case 'interrupted': {
      const history = results.runFile(step.place, RUN_FILES.history);
      finished.cutShort = existsSync(history) ? history : null;
      break;
    }
  }
}

function summaryOf({ judgements, skipped, unavailable }: Finished, plan: Plan): Summary {
  const { backends, results } = plan;
  return summarize({
    backends: backends.map(({ testbed: { name, isDeterministic } }) => ({
      backend: name,
      isDeterministic,
      unavailable: unavailable.get(name) ?? null,
    })),
    judgements,
    skipped,
    wantedRuns: wantedRunsOf(plan, skipped, judgements),
    folderOf: (judgement) => results.folderOf(judgement),
  });
}
