import { readFileSync, rmSync } from 'node:fs';
import { forgetRemains, watchRemains } from '../real/reaper.ts';
import { KEEPS_NOTHING } from '../real/servers/server-requests.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';
import { TestbedUnavailableError } from '../testbed-error.ts';
import { FAKETIME_REMEDY, libfaketime } from './faketime.ts';
import { freePorts } from './free-port.ts';
import { type Program, redisServerProgram, toxiproxyServerProgram } from './programs.ts';
import { RedisProcess } from './redis-process.ts';
import { startToxiproxy } from './toxiproxy-process.ts';

/** A program that was seen to run. */
export interface Seen {
  readonly version: string | null;
  readonly place: string;
}

const HOUR_MS = 3_600_000;
const TESTED_TOXIPROXY = { major: 2, minor: 12 };

/** Starts the redis-server for a moment. Rejects with a TestbedUnavailableError. */
export async function probeRedisServer(named: string | null): Promise<Seen & { readonly version: string }> {
  const program = redisServerProgram(named);
  return withServer(program, false, async (server) => {
    const { version } = await server.ask();
    return { version, place: program.path };
  });
}

/** Looks for libfaketime. Rejects with a TestbedUnavailableError if there is none. */
export function findFaketime(): Promise<Seen & { readonly place: string }> {
  const library = libfaketime();
  if (library !== null) return Promise.resolve({ version: null, place: library });
  const problem = 'there is no libfaketime, which moves the clocks of nodes';
  return Promise.reject(new TestbedUnavailableError(problem, FAKETIME_REMEDY));
}

/** Starts the redis-server with a clock that can be moved, and moves it. Rejects with a TestbedUnavailableError. */
export async function probeClocks(named: string | null): Promise<Seen> {
  const found = await findFaketime();
  const program = redisServerProgram(named);
  return withServer(program, true, async (server) => {
    await server.setClock({ offsetMs: 2 * HOUR_MS, rate: 1 });
    const { wallMs } = await server.ask();
    if (wallMs - Date.now() < HOUR_MS) {
      throw new TestbedUnavailableError(`the clock of ${program.path} does not follow libfaketime`, FAKETIME_REMEDY);
    }
    return found;
  });
}

/** Starts the toxiproxy-server for a moment. Rejects with a TestbedUnavailableError. */
export async function probeToxiproxy(): Promise<Seen> {
  const program = toxiproxyServerProgram();
  const [port = 0] = await freePorts(1);
  const toxiproxy = await startToxiproxy(program, port);
  await toxiproxy.stop();
  const { version } = toxiproxy;
  const known = version === 'git' ? builtVersion(readFileSync(program.path)) : version;
  return { version: toxiproxyVersionText(known), place: program.path };
}

/** The version of the module that Go wrote into the program of a Toxiproxy that says only `git`; null if it wrote none. */
export function builtVersion(program: Buffer): string | null {
  // Lines of debug/buildinfo: path, mod, dep and build, with tabs between their parts.
  const start = program.indexOf('mod\tgithub.com/Shopify/toxiproxy/');
  if (start === -1) return null;
  const line = program.toString('latin1', start, start + 200);
  return /^mod\t\S+\tv(\d+\.\d+\.\d+\S*)/.exec(line)?.[1] ?? null;
}

/** Of one that does not tell its version (null), and of an older one than the tests use, that is told. */
export function toxiproxyVersionText(version: string | null): string {
  const tested = `${TESTED_TOXIPROXY.major}.${TESTED_TOXIPROXY.minor}`;
  if (version === null) return `does not tell its version; ${tested} is tested`;
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isOlder =
    major < TESTED_TOXIPROXY.major || (major === TESTED_TOXIPROXY.major && minor < TESTED_TOXIPROXY.minor);
  return isOlder ? `${version}, older than the tested ${tested}` : version;
}

async function withServer<Result>(
  program: Program,
  movesClock: boolean,
  use: (server: RedisProcess) => Promise<Result>,
): Promise<Result> {
  const folder = makeTemporaryFolder('distrilock-check-');
  watchRemains({ folder });
  const [port = 0] = await freePorts(1);
  const server = new RedisProcess({
    name: 'probe',
    program,
    port,
    args: KEEPS_NOTHING,
    folder,
    movesClock,
    losesPower: false,
  });
  try {
    await server.start();
    return await use(server);
  } finally {
    await server.stop('SIGKILL');
    rmSync(folder, { recursive: true, force: true });
    forgetRemains({ folder });
  }
}
