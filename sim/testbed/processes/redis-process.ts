import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { AppendOnlyFile } from '../real/servers/append-only-file.ts';
import type { ClockSkew, FleetServer, ServerRequest } from '../real/servers/server-fleet.ts';
import { inTemporaryFolder } from '../temporary-folder.ts';
import { TestbedUnavailableError } from '../testbed-error.ts';
import { FAKETIME_REMEDY, faketimeEnvironment, faketimePreloads } from './faketime.ts';
import { writeSkew } from '../real/servers/clock-file.ts';
import { LocalFolder } from './local-folder.ts';
import type { Program } from './programs.ts';
import type { ServerFacts } from '../real/servers/server-facts.ts';
import { askServer } from './ask-server.ts';
import { ServerProcess } from './server-process.ts';

const READY_TEXT = 'Ready to accept connections';
const READY_WITHIN_MS = 10_000;
/** A server that hangs under a library it cannot bear does so at once. */
const PRELOAD_READY_WITHIN_MS = 3000;
const LOOK_EVERY_MS = 20;

export interface RedisProcessOptions extends ServerRequest {
  readonly program: Program;
  readonly port: number;
  /** A folder of its own, which the constructor makes. */
  readonly folder: string;
  /** Whether power losses are to come: then what is on disk is watched. */
  readonly losesPower: boolean;
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
  private readonly appendOnlyFile: AppendOnlyFile | null;

  constructor(options: RedisProcessOptions) {
    this.options = options;
    this.name = options.name;
    this.upstream = `127.0.0.1:${options.port}`;
    inTemporaryFolder(() => mkdirSync(options.folder, { recursive: true }));
    this.appendOnlyFile = options.losesPower
      ? new AppendOnlyFile(new LocalFolder(options.folder), LOOK_EVERY_MS)
      : null;
  }

  async start(): Promise<void> {
    this.starting = this.options.movesClock ? this.startUnderFaketime() : this.launch({}, READY_WITHIN_MS);
    this.process = await this.starting;
    await this.appendOnlyFile?.watch();
  }

  /** Asks the running server who it is. Rejects with a TestbedUnavailableError if it is no server that a run can use. */
  async ask(): Promise<ServerFacts> {
    if (this.process === null) throw new Error('the server was not started');
    return askServer(this.options.port, this.process.pid, this.options.program);
  }

  async stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    // One that is just starting must not outlive this.
    const process = await this.starting?.catch(() => null);
    await this.appendOnlyFile?.endWatch();
    await process?.stop(signal);
    this.appendOnlyFile?.noteStop();
  }

  /** How the server has ended although nobody stopped it, in words; null if it has not. */
  get unaskedEnd(): string | null {
    const end = this.process?.unaskedEnd ?? null;
    return end === null ? null : `the redis-server of ${this.name} ${end}`;
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

  async loseUnsynced(lastMs: number): Promise<void> {
    await this.appendOnlyFile?.loseUnsynced(lastMs);
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
}
