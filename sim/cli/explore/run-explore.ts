import { PROPERTIES, type Property } from '../../checkers/verdict.ts';
import { trials } from '../../explore/arbitraries/scenario.ts';
import { Corpus, CorpusError } from '../../explore/search/corpus.ts';
import { counterexampleFile } from '../../explore/counterexample/counterexample.ts';
import { BOUND_NAMES, type Envelope, propertiesBrokenOutside } from '../../explore/envelope/envelope.ts';
import { execute } from '../../explore/execute.ts';
import { explore, type Exploration } from '../../explore/search/explore.ts';
import { findingsOf, firstWanted, isDefect } from '../../explore/finding.ts';
import { shrink, shrinkTrial, type Shrunken } from '../../explore/shrink/shrink.ts';
import { type ExploreSummary, type FoundSummary, foundSummary, triedIn } from '../../explore/counterexample/summary.ts';
import { trialAtPath } from '../../explore/search/trial-at.ts';
import { ResultsFolder, writeWhole } from '../../results/results-folder.ts';
import { type Backend, findBackends } from '../backends.ts';
import { confirm } from './confirm-counterexample.ts';
import { EXIT } from '../console/exit-codes.ts';
import type { ExploreCommandOptions } from './explore-command.ts';
import { ExploreDisplay, printExploration } from './explore-text.ts';
import { type Host, UsageError } from '../console/host.ts';
import { interruptedBy } from '../console/interruption.ts';
import { shellQuote } from '../../text/shell-quote.ts';

/** The file of the summary, and of the corpus unless the user names another. */
const EXPLORE_FILES = { summary: 'explore.json', corpus: 'corpus.json' } as const;

/** What the user asked for, checked. */
interface Plan {
  readonly options: ExploreCommandOptions & { readonly runs: number; readonly workerProgram?: URL };
  readonly envelope: Envelope;
  readonly properties: readonly Property[];
  readonly backends: readonly Backend[];
  readonly results: ResultsFolder;
  readonly host: Host;
}

/** What came of looking: null for what was not found. */
interface Looked {
  readonly exploration: Exploration | null;
  readonly shrunken: Shrunken | null;
  readonly seed: number;
}

/**
 * Explores, or runs one path again, and writes what comes of it. Resolves to the exit code. Rejects with a UsageError, an OutputError, or a
 * TestbedUnavailableError.
 */
export async function runExplore(options: Plan['options'], host: Host): Promise<number> {
  const plan = await planOf(options, host);
  const looked = options.path === undefined ? await lookFor(plan) : await lookAt(plan, options.path);
  const found = looked.shrunken === null ? null : await writeFound(plan, looked.shrunken, looked.seed);
  const summary = summaryOf(plan, looked, found);
  writeWhole(plan.results.file(EXPLORE_FILES.summary), `${JSON.stringify(summary, null, 2)}\n`);
  const summaryPath = plan.results.file(EXPLORE_FILES.summary);
  printExploration(summary, looked.exploration?.elapsedMs ?? null, summaryPath, options, host);
  return exitCodeOf(plan, summary, looked.shrunken);
}

async function planOf(options: Plan['options'], host: Host): Promise<Plan> {
  const envelope: Envelope = { open: known(options.outside ?? [], BOUND_NAMES, '--outside', 'bound') };
  const wanted = known(options.property ?? [], PROPERTIES, '--property', 'property');
  if (wanted.length > 0 && envelope.open.length === 0) {
    throw new UsageError(
      '--property says what to look for outside the envelope: add --outside with a bound, such as clock-jump',
    );
  }
  const simulated = (options.confirm ?? []).filter((name) => name === 'simulated');
  if (simulated.length > 0) {
    throw new UsageError(
      '--confirm is for real servers, and everything is simulated anyway; allowed: processes, containers',
    );
  }
  const backends = options.confirm === undefined ? [] : await findBackends({ backend: options.confirm }, host);
  const results = new ResultsFolder(options.out, { byBackend: backends.length > 0, bySeed: false });
  const properties = wanted.length > 0 ? wanted : propertiesBrokenOutside(envelope);
  return { options, envelope, properties, backends, results, host };
}

function known<Name extends string>(
  given: readonly string[],
  names: readonly Name[],
  option: string,
  what: string,
): readonly Name[] {
  for (const name of given) {
    if (names.some((each) => each === name)) continue;
    throw new UsageError(`${option}: there is no ${what} ${JSON.stringify(name)}; allowed: ${names.join(', ')}`);
  }
  return names.filter((name) => given.includes(name));
}

async function lookFor({ options, envelope, properties, results, host }: Plan): Promise<Looked> {
  const corpusPath = options.corpus ?? results.file(EXPLORE_FILES.corpus);
  const corpus = readCorpus(corpusPath);
  const display = new ExploreDisplay(host.stderr);
  let exploration: Exploration;
  try {
    exploration = await explore({
      seed: options.seed,
      runs: options.runs,
      timeMs: options.time ?? Number.POSITIVE_INFINITY,
      threads: options.workers,
      envelope,
      properties,
      corpus,
      fingerprint: options.fingerprint === true,
      signal: host.signal,
      onProgress: (progress) => display.update(progress),
      ...(options.workerProgram === undefined ? {} : { workerProgram: options.workerProgram }),
    });
  } finally {
    display.end();
  }
  const { firsts, known, ranCorpus } = exploration;
  // What is known is a counterexample, too, where no other was met.
  const hit = exploration.hit ?? known[0] ?? null;
  const broken = new Map(exploration.hit === null ? [] : [[exploration.hit.finding.symptom, exploration.hit.key]]);
  corpus.updated(envelope, { firsts, broken, isWhole: ranCorpus }).write(corpusPath);
  if (hit === null) return { exploration, shrunken: null, seed: options.seed };
  display.show(`${hit.finding.symptom} is violated in run ${hit.key.index} of seed ${hit.key.seed}: making it small`);
  try {
    return { exploration, shrunken: await shrink(hit, envelope, host.signal), seed: hit.key.seed };
  } finally {
    display.end();
  }
}

function readCorpus(path: string): Corpus {
  try {
    return Corpus.read(path);
  } catch (error) {
    if (error instanceof CorpusError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}

/** Runs what stands at a path again. */
async function lookAt({ options, envelope, properties, host }: Plan, path: string): Promise<Looked> {
  const { seed } = options;
  const arbitrary = trials(envelope);
  let trial;
  try {
    trial = trialAtPath(arbitrary, seed, path);
  } catch (cause) {
    throw new UsageError(
      `--path ${path} leads to nothing with --seed ${seed}; copy both, and --outside, as they were printed`,
      { cause },
    );
  }
  const finding = firstWanted(findingsOf(trial, await execute(trial)), properties);
  if (finding === null) return { exploration: null, shrunken: null, seed };
  const shrunken = path.includes(':')
    ? await shrinkTrial(trial, finding, path, envelope, host.signal)
    : await shrink({ key: { seed, index: Number(path) }, finding }, envelope, host.signal);
  return { exploration: null, shrunken, seed };
}

/** Writes the counterexample as a scenario, and the report of its run here and on real servers. */
async function writeFound(plan: Plan, shrunken: Shrunken, seed: number): Promise<FoundSummary> {
  const { results } = plan;
  const replay = replayCommand(plan, seed, shrunken.path);
  // The number of the run is enough to come to the same: it is made small again then.
  const [index = ''] = shrunken.path.split(':');
  const file = counterexampleFile(shrunken, await execute(shrunken.trial), replayCommand(plan, seed, index));
  const scenario = results.file(`${file.name}.yaml`);
  writeWhole(scenario, file.text);
  const { report, confirmations } = await confirm({ ...plan, file, shrunken, scenarioPath: scenario });
  return foundSummary(shrunken, seed, replay, { scenario, report, confirmations });
}

function replayCommand({ options, envelope, properties }: Plan, seed: number, path: string): string {
  const words = ['npx distrilock explore'];
  if (envelope.open.length > 0) words.push('--outside', envelope.open.join(','));
  if (options.property !== undefined) words.push('--property', properties.join(','));
  return [...words, '--seed', `${seed}`, '--path', shellQuote(path)].join(' ');
}

function summaryOf(plan: Plan, { exploration }: Looked, found: FoundSummary | null): ExploreSummary {
  const { options, envelope, properties, host } = plan;
  const tried =
    exploration === null ? { runs: 1, corpusRuns: 0, events: 0, coverage: {}, known: [] } : triedIn(exploration);
  return {
    seed: options.seed,
    outside: envelope.open,
    properties,
    ...tried,
    fingerprint: options.fingerprint === true ? (exploration?.fingerprint ?? null) : null,
    interrupted: host.signal.aborted,
    stuck: (exploration?.stuck ?? []).map(({ seed, index }) => {
      return { seed, index, replay: replayCommand(plan, seed, `${index}`) };
    }),
    found,
  };
}

function exitCodeOf(
  { envelope, host }: Plan,
  { found, stuck, runs }: ExploreSummary,
  shrunken: Shrunken | null,
): number {
  if (shrunken !== null && isDefect(shrunken.finding)) return EXIT.notAsExpected;
  if (host.signal.aborted) return EXIT[interruptedBy(host.signal)];
  if (stuck.length > 0 || (found === null && runs === 0)) return EXIT.unknown;
  if (found === null) return envelope.open.length === 0 ? EXIT.asExpected : EXIT.notAsExpected;
  return found.confirmations.every(({ verdict }) => verdict === 'agrees') ? EXIT.asExpected : EXIT.unknown;
}
