/**
 * Whether the packed package works on every runtime that it promises: `npm run runtimes`. Each of them runs one program (program.ts) with ioredis 5 and 6, as ES modules and as
 * CommonJS, against three redis-servers. `--runtime node@22` runs one of them (give it again for more), `--json` prints for machines, and
 * `--strict` takes no runtime for granted. Exit code 1 if anything failed, 2 if nothing could run, and 3 with `--strict` if a runtime could not be had.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { hasRedisServer, NEEDS_REDIS_SERVER, type RedisServer, startRedisServers } from '../redis-server.ts';
import { type Cell, exitCode, matrixText } from './matrix.ts';
import { createProject, type ModuleSystem, packPackage, type Project, programFile } from './project.ts';
import { complaint, runProgram } from './run-program.ts';
import { installRuntime, type Runtime, RUNTIMES } from './runtimes.ts';

const IOREDIS_VERSIONS = ['5', '6'];
const MODULE_SYSTEMS: readonly ModuleSystem[] = ['ESM', 'CommonJS'];

/** Does the work for all items, so many at a time. The results come in the order of the items. */
async function inParallel<Item, Result>(
  items: readonly Item[],
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item, index);
  };
  await Promise.all(Array.from({ length: Math.min(4, availableParallelism()) }, worker));
  return results;
}

function fail(message: string): never {
  console.error(message);
  process.exit(2);
}

function wantedRuntimes(names: readonly string[]): readonly Runtime[] {
  const known = RUNTIMES.map((runtime) => runtime.package);
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) fail(`--runtime ${unknown.join(', ')}: not known here; known are ${known.join(', ')}`);
  return names.length === 0 ? RUNTIMES : RUNTIMES.filter((runtime) => names.includes(runtime.package));
}

/** The command of a runtime, or why it cannot be had. */
type Availability = { readonly command: readonly string[] } | { readonly missing: string };

async function runCell(runtime: Runtime, availability: Availability, project: Project): Promise<Cell> {
  const { ioredis, modules, folder } = project;
  const cell = { runtime: runtime.package, ioredis, modules, version: null, seconds: 0 };
  if ('missing' in availability) return { ...cell, outcome: 'skipped', reason: availability.missing };
  const servers: RedisServer[] = await startRedisServers(3);
  try {
    const ports = servers.map(({ port }) => String(port));
    const command = [...availability.command, join(folder, programFile(runtime.hasAwaitUsing)), ...ports];
    const start = performance.now();
    const ended = await runProgram(command, folder, { DENO_DIR: join(folder, '.deno'), DENO_NO_UPDATE_CHECK: '1' });
    const seconds = (performance.now() - start) / 1000;
    const reason = complaint(ended, runtime.calledPrefix);
    if (reason !== null) return { ...cell, seconds, outcome: 'failed', reason };
    const { runtime: version } = JSON.parse(ended.result ?? '') as { readonly runtime: string };
    return { ...cell, version, seconds, outcome: 'passed', reason: null };
  } finally {
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()));
  }
}

function tell(what: string): void {
  console.error(`${(performance.now() / 1000).toFixed(0).padStart(4)} s  ${what}`);
}

async function createProjects(directory: string): Promise<Project[]> {
  const tarball = await packPackage(join(directory, 'package'));
  tell('package built and packed');
  const kinds = IOREDIS_VERSIONS.flatMap((ioredis) => MODULE_SYSTEMS.map((modules) => ({ ioredis, modules })));
  const projects = await inParallel(kinds, ({ ioredis, modules }) =>
    createProject(join(directory, `ioredis-${ioredis}-${modules}`), tarball, ioredis, modules),
  );
  tell('installed into empty projects');
  return projects;
}

function availability(runtime: Runtime, directory: string): Promise<Availability> {
  return installRuntime(runtime, join(directory, runtime.package)).then(
    (command) => ({ command }),
    (error: unknown) => ({ missing: (error as Error).message }),
  );
}

async function runMatrix(runtimes: readonly Runtime[], directory: string): Promise<Cell[]> {
  const [projects, available] = await Promise.all([
    createProjects(directory),
    inParallel(runtimes, (runtime) => availability(runtime, directory)),
  ]);
  const rows = await inParallel(runtimes, async (runtime, index) => {
    const cells: Cell[] = [];
    for (const project of projects) cells.push(await runCell(runtime, available[index] as Availability, project));
    tell(`${runtime.package}: ${cells.map(({ outcome }) => outcome).join(', ')}`);
    return cells;
  });
  return rows.flat();
}

const { values: options } = parseArgs({
  options: {
    runtime: { type: 'string', multiple: true, default: [] },
    json: { type: 'boolean', default: false },
    strict: { type: 'boolean', default: false },
  },
});
const runtimes = wantedRuntimes(options.runtime);
if (!hasRedisServer) fail(`npm run runtimes ${NEEDS_REDIS_SERVER}`);

const directory = mkdtempSync(join(tmpdir(), 'distrilock-runtimes-'));
process.once('exit', () => {
  rmSync(directory, { recursive: true, force: true });
});
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));
const cells = await runMatrix(runtimes, directory).catch((error: unknown) => fail((error as Error).message));
console.log(options.json ? JSON.stringify(cells, null, 2) : matrixText(cells));
process.exitCode = exitCode(cells, options.strict);
