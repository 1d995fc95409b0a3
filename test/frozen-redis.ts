import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { Redis } from 'ioredis';
import type { Address } from '../sim/testbed/real/address.ts';
import { faketimeEnvironment, faketimePreloads, libfaketime } from '../sim/testbed/processes/faketime.ts';
import { freePort } from './redis-server.ts';

/** Which redis-servers the conformance suite runs on: paths, separated as in PATH. Default: the `redis-server` on the PATH. */
export const SERVERS_VARIABLE = 'DISTRILOCK_TEST_REDIS_SERVERS';

const READY_WITHIN_MS = 10_000;

/** The redis-servers to test against; empty where there is none. */
export function redisServers(): readonly string[] {
  const named = process.env[SERVERS_VARIABLE];
  if (named !== undefined && named !== '') return named.split(delimiter);
  const found = (process.env['PATH'] ?? '').split(delimiter).map((folder) => join(folder, 'redis-server'));
  return found.filter((path) => existsSync(path)).slice(0, 1);
}

/** The version that a redis-server reports of itself. */
export function versionOf(server: string): string {
  const text = execFileSync(server, ['--version'], { encoding: 'utf8' });
  return /v=(\S+)/.exec(text)?.[1] ?? text.trim();
}

export function isValkey(server: string): boolean {
  return execFileSync(server, ['--version'], { encoding: 'utf8' }).startsWith('Valkey');
}

/**
 * A redis-server whose wall clock stands still until a test moves it, and which drops keys that are over only when it is asked for them: in the very
 * millisecond in which a key ends, Redis 8.2 drops it in the background but shows it to whom asks first.
 */
export class FrozenRedis {
  readonly address: Address;
  private readonly folder: string;
  private readonly process: ChildProcess;

  private constructor(port: number, folder: string, child: ChildProcess) {
    this.address = { host: '127.0.0.1', port };
    this.folder = folder;
    this.process = child;
  }

  /** Starts `server` at `nowMs` since the epoch. */
  static async start(server: string, nowMs: number): Promise<FrozenRedis> {
    if (libfaketime() === null) throw new Error('libfaketime is not installed');
    const problems: string[] = [];
    for (const preload of faketimePreloads()) {
      const frozen = await FrozenRedis.launch(server, preload, nowMs);
      const problem = await frozen.whyNotReady(nowMs);
      if (problem === null) return frozen;
      problems.push(`${preload}: ${problem}`);
      await frozen.stop();
    }
    throw new Error(`${server} does not start under libfaketime: ${problems.join('; ')}`);
  }

  private static async launch(server: string, preload: string, nowMs: number): Promise<FrozenRedis> {
    const folder = mkdtempSync(join(tmpdir(), 'distrilock-frozen-'));
    const port = await freePort();
    writeFrozenClock(join(folder, 'clock'), nowMs);
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder];
    const child = spawn(server, [...args, ...debugArguments(versionOf(server))], {
      stdio: 'ignore',
      env: {
        ...process.env,
        ...faketimeEnvironment(preload, join(folder, 'clock')),
        TZ: 'UTC',
      },
    });
    return new FrozenRedis(port, folder, child);
  }

  /** Moves the server's clock; the next command sees it. */
  setClock(nowMs: number): void {
    writeFrozenClock(join(this.folder, 'clock'), nowMs);
  }

  async stop(): Promise<void> {
    if (this.process.exitCode === null && this.process.signalCode === null) {
      const gone = once(this.process, 'exit');
      this.process.kill('SIGKILL');
      await gone;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async whyNotReady(nowMs: number): Promise<string | null> {
    const client = new Redis({
      ...this.address,
      maxRetriesPerRequest: null,
      retryStrategy: () => 20,
    });
    client.on('error', () => undefined);
    const dead = once(this.process, 'exit').then(() => 'it exits at once');
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(resolve, READY_WITHIN_MS, `it does not answer within ${READY_WITHIN_MS} ms`);
    });
    const ready = whyNotFrozen(client, nowMs);
    try {
      return await Promise.race([dead, late, ready]);
    } finally {
      clearTimeout(timer);
      client.disconnect();
      ready.catch(() => undefined);
    }
  }
}

/** With these arguments a server of that version obeys DEBUG, which before 7.0 all do. */
export function debugArguments(version: string): readonly string[] {
  return Number.parseInt(version, 10) < 7 ? [] : ['--enable-debug-command', 'yes'];
}

/** Lets the server keep keys that are over until somebody asks for them. Resolves to what is wrong with its clock; null if that stands at `nowMs`. */
export async function whyNotFrozen(client: Redis, nowMs: number): Promise<string | null> {
  await client.call('DEBUG', 'SET-ACTIVE-EXPIRE', '0');
  const [seconds, microseconds] = await client.time();
  const readMs = Number(seconds) * 1000 + Math.floor(Number(microseconds) / 1000);
  return readMs === nowMs ? null : `its clock reads ${readMs}, not ${nowMs}`;
}

/**
 * Lets the clocks that follow the file stand at `nowMs` since the epoch, in a world of UTC. Half a millisecond more, so that no rounding of fractions
 * shows the millisecond before; renamed, so that no half-written time is read.
 */
export function writeFrozenClock(path: string, nowMs: number): void {
  const time = new Date(nowMs).toISOString().replace('T', ' ').replace('Z', '5');
  writeFileSync(`${path}.new`, `${time}\n`);
  renameSync(`${path}.new`, path);
}
