import { mkdirSync, readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import type { ClockSkew, FleetServer } from '../real/servers/server-fleet.ts';
import { TestbedUnavailableError } from '../testbed-error.ts';
import { FAKETIME_REMEDY, faketimeEnvironment, faketimePreloads, writeSkew } from '../real/servers/faketime.ts';
import type { Program } from './programs.ts';
import type { ServerFacts } from '../real/servers/server-facts.ts';
import { askServer } from './ask-server.ts';
import { ServerProcess } from './server-process.ts';

const READY_TEXT = 'Ready to accept connections';
const READY_WITHIN_MS = 10_000;
/** A server that hangs under a library it cannot bear does so at once. */
const PRELOAD_READY_WITHIN_MS = 3000;
/** How often the length of the append-only file is looked at, for a power loss that is still to come. */
const LOOK_EVERY_MS = 20;

export interface RedisProcessOptions {
  readonly name: string;
  readonly program: Program;
  readonly port: number;
  readonly args: readonly string[];
  /** A folder of its own, which the constructor makes. */
  readonly folder: string;
  /** Whether its clock can be moved. */
  readonly movesClock: boolean;
}

/** A redis-server on this machine. */
export class RedisProcess implements FleetServer {
  readonly name: string;
  readonly upstream: string;
  private readonly options: RedisProcessOptions;
  private process: ServerProcess | null = null;
  private starting: Promise<ServerProcess> | null = null;
  private skew: ClockSkew = { offsetMs: 0, rate: 1 };
  private startedMs = 0;
  private looks: NodeJS.Timeout | null = null;
  /** How long the append-only file was, and when, oldest first. */
  private lengths: { readonly atMs: number; readonly bytes: number }[] = [];
  private stoppedMs = 0;

  constructor(options: RedisProcessOptions) {
    this.options = options;
    this.name = options.name;
    this.upstream = `127.0.0.1:${options.port}`;
    mkdirSync(options.folder, { recursive: true });
  }

  async start(): Promise<void> {
    this.starting = this.options.movesClock ? this.startUnderFaketime() : this.launch({}, READY_WITHIN_MS);
    this.process = await this.starting;
    if (this.options.args.includes('--appendonly')) {
      this.looks = setInterval(() => {
        this.look();
      }, LOOK_EVERY_MS);
      this.looks.unref();
    }
  }

  /** Asks the running server who it is. Rejects with a TestbedUnavailableError if it is no server that a run can use. */
  async ask(): Promise<ServerFacts> {
    if (this.process === null) throw new Error('the server was not started');
    return askServer(this.options.port, this.process.pid, this.options.program);
  }

  async stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    // One that is just starting must not outlive this.
    const process = await this.starting?.catch(() => null);
    if (this.looks !== null) clearInterval(this.looks);
    this.looks = null;
    await process?.stop(signal);
    this.stoppedMs = performance.now();
  }

  async pause(): Promise<void> {
    await this.process?.pause();
  }

  async resume(): Promise<void> {
    await this.process?.resume();
  }

  setClock(skew: ClockSkew): Promise<void> {
    this.skew = skew;
    writeSkew(this.clockFile, skew, this.startedMs);
    return Promise.resolve();
  }

  loseUnsynced(lastMs: number): Promise<void> {
    const file = this.appendOnlyFile();
    const sinceMs = this.stoppedMs - lastMs;
    // The last length that was surely on disk by then; the file as it began, if it is younger.
    const kept = this.lengths.findLast(({ atMs }) => atMs <= sinceMs) ?? this.lengths[0];
    if (file !== null && kept !== undefined) truncateSync(file, Math.min(kept.bytes, statSync(file).size));
    return Promise.resolve();
  }

  private async startUnderFaketime(): Promise<ServerProcess> {
    const problems: string[] = [];
    for (const preload of faketimePreloads()) {
      this.startedMs = Date.now();
      writeSkew(this.clockFile, this.skew, this.startedMs);
      try {
        const process = await this.launch(faketimeEnvironment(preload, this.clockFile), PRELOAD_READY_WITHIN_MS);
        this.startedMs = process.spawnedMs;
        return process;
      } catch (error) {
        problems.push(`with ${preload}: ${(error as Error).message}`);
      }
    }
    throw new TestbedUnavailableError(
      `${this.options.program.path} does not run under libfaketime: ${problems.join('; ') || 'it is not installed'}`,
      FAKETIME_REMEDY,
    );
  }

  private launch(env: Readonly<Record<string, string>>, withinMs: number): Promise<ServerProcess> {
    const { program, port, folder, args } = this.options;
    // In the foreground, whatever a script says: what goes elsewhere cannot be ended.
    const own = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--daemonize', 'no'];
    return ServerProcess.start(program, [...own, ...args], {
      env,
      readyText: READY_TEXT,
      withinMs,
    });
  }

  private get clockFile(): string {
    return join(this.options.folder, 'clock');
  }

  private look(): void {
    const file = this.appendOnlyFile();
    if (file !== null) this.lengths.push({ atMs: performance.now(), bytes: statSync(file).size });
  }

  /** Since Redis 7.0 the file is one of several in a folder, of which the newest grows. */
  private appendOnlyFile(): string | null {
    const { folder } = this.options;
    const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
    const growing = names.filter(
      (name) => /appendonly\.aof(\.\d+\.incr\.aof)?$/.test(name) && !statSync(join(folder, name)).isDirectory(),
    );
    const newest = growing
      .sort((one, other) => Number(/\d+/.exec(one)?.[0] ?? 0) - Number(/\d+/.exec(other)?.[0] ?? 0))
      .at(-1);
    return newest === undefined ? null : join(folder, newest);
  }
}
