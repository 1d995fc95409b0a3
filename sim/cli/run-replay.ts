import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { judge } from '../judge/judge.ts';
import type { Judgement } from '../judge/judgement.ts';
import { encodeEvent } from '../history/ndjson.ts';
import type { History } from '../history/history.ts';
import { visibleText } from '../text/visible-text.ts';
import { RUN_FILES } from '../results/results-folder.ts';
import { galleryNames, loadScenario } from '../scenario/load.ts';
import { findBackends } from './backends.ts';
import { EXIT } from './exit-codes.ts';
import { type Host, UsageError } from './host.ts';
import { interruptedBy } from './interruption.ts';
import type { ReplayOptions } from './replay-command.ts';

/** What stands in verdict.json, as far as a replay needs it. */
type Recorded = Pick<Judgement, 'scenario' | 'backend' | 'seed' | 'properties'>;

/**
 * Runs again what a folder of results is about, and compares. Resolves to the exit code. Rejects with a UsageError, a ScenarioError or a
 * TestbedUnavailableError.
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
  const [kind = ''] = recorded.backend.split('-');
  const [backend] = await findBackends({ backend: [kind] }, host);
  if (backend === undefined) throw new UsageError(`${folder}: there is no backend ${recorded.backend}`);
  const { testbed } = backend;
  const history = await testbed.run(scenario, { seed: recorded.seed, signal: host.signal });
  if (host.signal.aborted) {
    host.stderr.write('Interrupted: nothing was compared\n');
    return EXIT[interruptedBy(host.signal)];
  }
  const difference = testbed.isDeterministic
    ? differenceOfHistories(recordedHistory, history)
    : differenceOfVerdicts(recorded, judge(history, scenario, ''));
  const what = `${recorded.scenario} on ${recorded.backend}, seed ${recorded.seed}`;
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

function readVerdict(folder: string): Recorded {
  const path = join(folder, RUN_FILES.verdict);
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
