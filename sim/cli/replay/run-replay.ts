import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { judge } from '../../judge/judge.ts';
import type { Judgement } from '../../judge/judgement.ts';
import { lossOf } from '../../history/loss.ts';
import { encodeEvent } from '../../history/ndjson.ts';
import type { History } from '../../history/history.ts';
import { visibleText } from '../../text/visible-text.ts';
import { RUN_FILES } from '../../results/results-folder.ts';
import { galleryNames, loadScenario } from '../../scenario/load.ts';
import { type Backend, findBackends, namingBackend } from '../backends.ts';
import type { Testbed } from '../../testbed/testbed.ts';
import { EXIT } from '../console/exit-codes.ts';
import { type Host, UsageError } from '../console/host.ts';
import { interruptedBy } from '../console/interruption.ts';
import type { ReplayOptions } from './replay-command.ts';

/** What stands in verdict.json, as far as a replay needs it. */
type Recorded = Pick<Judgement, 'scenario' | 'backend' | 'seed' | 'properties'>;

/**
 * Runs again what a folder of results is about, and compares. Resolves to the exit code. Rejects with a UsageError or a
 * ScenarioError.
 */
export async function runReplay(folder: string, options: ReplayOptions, host: Host): Promise<number> {
  const recorded = readVerdict(folder);
  const scenario = loadScenario(options.scenario ?? scenarioOf(folder, recorded));
  if (scenario.name !== recorded.scenario) {
    throw new UsageError(
      `${folder} is about the scenario ${recorded.scenario}, and --scenario names ${scenario.name}; name the file that was run`,
    );
  }
  const recordedHistory = readText(join(folder, RUN_FILES.history));
  const testbed = await testbedOf(folder, recorded, options, host);
  const history = await testbed.run(scenario, { seed: recorded.seed, signal: host.signal }).catch((error: unknown) => {
    throw namingBackend(testbed.name, error);
  });
  if (host.signal.aborted) {
    host.stderr.write('Interrupted: nothing was compared\n');
    return EXIT[interruptedBy(host.signal)];
  }
  const what = `${recorded.scenario} on ${recorded.backend}, seed ${recorded.seed}`;
  const loss = lossOf(history);
  if (loss !== null) {
    host.stdout.write(`${visibleText(`${what}: nothing was compared, for the run was lost: ${loss}`)}\n`);
    return EXIT.unknown;
  }
  const difference = testbed.isDeterministic
    ? differenceOfHistories(recordedHistory, history)
    : differenceOfVerdicts(recorded, judge(history, scenario, ''));
  if (difference === null) {
    const how = testbed.isDeterministic
      ? `the same history, byte for byte (${history.length} events)`
      : 'the same verdicts';
    host.stdout.write(`${visibleText(`${what}: ${how}`)}\n`);
    return EXIT.asExpected;
  }
  host.stdout.write(`${visibleText(`${what}: not the same. ${difference}`)}\n`);
  return EXIT.notAsExpected;
}

/** The testbed that was recorded: another server would make another run. */
async function testbedOf(
  folder: string,
  { backend }: Recorded,
  { redisServer }: ReplayOptions,
  host: Host,
): Promise<Testbed> {
  const name = Object.keys(host.testbeds).find((known) => backend === known || backend.startsWith(`${known}-`));
  if (name === undefined) {
    const known = Object.keys(host.testbeds).join(', ');
    throw new UsageError(`${folder}: there is no backend ${backend}; allowed: ${known}`);
  }
  const wanted = { backend: [name], ...(redisServer === undefined ? {} : { redisServer: [redisServer] }) };
  const [found] = await findBackends(wanted, host);
  const testbed = (found as Backend).testbed;
  if (testbed.name === backend) return testbed;
  const remedy =
    backend === name ? 'leave out --redis-server' : 'name the redis-server of that version in --redis-server';
  throw new UsageError(`${folder} was recorded on ${backend}, and this would run on ${testbed.name}; ${remedy}`);
}

function readVerdict(folder: string): Recorded {
  const path = join(folder, RUN_FILES.verdict);
  const below = existsSync(path) ? [] : runsBelow(folder);
  if (below.length > 0) {
    throw new UsageError(`${folder}: is the folder of several runs; name one of them: ${below.join(', ')}`);
  }
  const text = readText(path);
  let data: Partial<Recorded> | null;
  try {
    data = JSON.parse(text) as Partial<Recorded> | null;
  } catch (cause) {
    throw new UsageError(
      `${path}: is no JSON (${(cause as Error).message}); name a folder that run or explore has written`,
      {
        cause,
      },
    );
  }
  const { scenario, backend, seed, properties } = data ?? {};
  if (
    typeof scenario !== 'string' ||
    typeof backend !== 'string' ||
    !Number.isSafeInteger(seed) ||
    !Array.isArray(properties)
  ) {
    throw new UsageError(`${path}: is no verdict on a run; name a folder that run or explore has written`);
  }
  return { scenario, backend, seed: seed as number, properties };
}

/** The folders of runs that are in this one: of each backend, of each seed, or of each seed of each backend. */
function runsBelow(folder: string): string[] {
  const found: string[] = [];
  for (const name of foldersIn(folder)) {
    const inner = [name, ...foldersIn(join(folder, name)).map((each) => join(name, each))];
    found.push(...inner.map((each) => join(folder, each)).filter((each) => existsSync(join(each, RUN_FILES.verdict))));
  }
  return found;
}

function foldersIn(folder: string): string[] {
  if (!existsSync(folder) || !statSync(folder).isDirectory()) return [];
  const entries = readdirSync(folder, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
    .sort();
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const { code = '' } = cause as NodeJS.ErrnoException;
    const problem = code === 'ENOENT' || code === 'ENOTDIR' ? 'there is no such file' : `cannot be read (${code})`;
    throw new UsageError(`${path}: ${problem}; name a folder that run or explore has written for one run`, { cause });
  }
}

/** Explore writes the scenario beside the folder of its runs, which may have one for each backend and seed; others are of the gallery. */
function scenarioOf(folder: string, { scenario }: Recorded): string {
  for (let above = resolve(folder); dirname(above) !== above; above = dirname(above)) {
    if (basename(above) !== scenario) continue;
    const file = `${above}.yaml`;
    if (existsSync(file)) return file;
  }
  if (galleryNames().includes(scenario)) return scenario;
  throw new UsageError(
    `${folder}: the scenario ${scenario} is not of the gallery; name its file with --scenario, such as --scenario my/${scenario}.yaml`,
  );
}

function differenceOfHistories(recorded: string, history: History): string | null {
  const lines = recorded.split('\n');
  // The last line ends, too.
  if (lines.at(-1) === '') lines.pop();
  for (let index = 0; index < Math.max(lines.length, history.length); index += 1) {
    const now = index < history.length ? encodeEvent(history.at(index)) : 'nothing';
    const before = lines[index] ?? 'nothing';
    if (now !== before) return `Event ${index + 1} was ${before} and is now ${now}`;
  }
  return null;
}

function differenceOfVerdicts(recorded: Recorded, now: Judgement): string | null {
  const differences = recorded.properties.flatMap(({ verdict: { property, status } }) => {
    const other = now.properties.find(({ verdict }) => verdict.property === property)?.verdict.status ?? 'unknown';
    return other === status ? [] : [`${property} was ${status} and is now ${other}`];
  });
  return differences.length === 0 ? null : differences.join(', ');
}
