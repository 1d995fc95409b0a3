import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { createInterface } from 'node:readline';
import { killGroup, signalAndSee } from '../real/process-signal.ts';
import { forgetRemains, watchRemains } from '../real/reaper.ts';
import { SPACE_REMEDY } from '../temporary-folder.ts';
import { TestbedUnavailableError } from '../testbed-error.ts';
import type { Program } from './programs.ts';

/** Of what a program printed that did not start, so many lines are told. */
const PRINTED_LINES = 3;

export interface ServerProcessOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly readyText: string;
  readonly withinMs: number;
}

/** A server program that was started for one run. */
export class ServerProcess {
  /** By the wall clock, in milliseconds since the epoch. */
  readonly spawnedMs: number = Date.now();
  private readonly process: ChildProcess;
  private readonly printed: string[] = [];
  private isStopping = false;

  private constructor(child: ChildProcess) {
    this.process = child;
  }

  /**
   * Starts the program, and resolves once it prints a line that contains `readyText`. Rejects with a TestbedUnavailableError that says what it
   * printed if it ends before, or is late; it is gone then.
   */
  static async start(
    { path, remedy }: Program,
    args: readonly string[],
    options: ServerProcessOptions,
  ): Promise<ServerProcess> {
    const child = spawn(path, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.env },
      // In a group of its own: Ctrl-C on a terminal is for the run, which ends its servers itself.
      detached: true,
    });
    const server = new ServerProcess(child);
    if (child.pid !== undefined) watchRemains({ pid: child.pid });
    child.once('exit', () => {
      if (child.pid === undefined) return;
      // What the server left behind, a copy of itself that writes to disk or what a script started, ends with it.
      killGroup(child.pid);
      forgetRemains({ pid: child.pid });
    });
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        const fail = (problem: string): void => {
          reject(server.failure(path, problem, remedy));
        };
        for (const stream of [child.stdout, child.stderr]) {
          // It is read to its end, or the program would block on a full pipe.
          createInterface(stream).on('line', (line) => {
            if (line.trim() !== '') server.printed.push(line.trim());
            if (server.printed.length > PRINTED_LINES) server.printed.shift();
            if (line.includes(options.readyText)) resolve();
          });
        }
        child.once('error', (error) => {
          fail(`cannot be started: ${error.message}`);
        });
        child.once('close', (code, signal) => {
          fail(`ended at once (${signal ?? `exit code ${code}`})`);
        });
        timer = setTimeout(fail, options.withinMs, `was not ready within ${options.withinMs} ms`);
      });
    } catch (error) {
      await server.stop('SIGKILL');
      throw error;
    } finally {
      clearTimeout(timer);
    }
    return server;
  }

  get isRunning(): boolean {
    return this.process.pid !== undefined && this.process.exitCode === null && this.process.signalCode === null;
  }

  /** How the process has ended although nobody stopped it: `was killed by SIGKILL`; null if it has not. */
  get unaskedEnd(): string | null {
    if (this.isRunning || this.isStopping) return null;
    const { signalCode, exitCode } = this.process;
    return signalCode === null
      ? `ended with exit code ${exitCode}${this.printedText()}`
      : `was killed by ${signalCode}`;
  }

  /** Resolves once the process is gone. */
  async stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (this.isRunning) {
      this.isStopping = true;
      const gone = once(this.process, 'exit');
      this.process.kill(signal);
      await gone;
    }
    // Whoever left its group may keep them open, and with them this process alive.
    this.process.stdout?.destroy();
    this.process.stderr?.destroy();
  }

  async pause(): Promise<void> {
    await signalAndSee(this.pid, 'SIGSTOP', true);
  }

  async resume(): Promise<void> {
    await signalAndSee(this.pid, 'SIGCONT', false);
  }

  get pid(): number {
    if (!this.isRunning || this.process.pid === undefined) throw new Error('the server does not run');
    return this.process.pid;
  }

  private failure(path: string, problem: string, remedy: string): TestbedUnavailableError {
    const isPortTaken = this.printed.some((line) => /address already in use/i.test(line));
    const isDiskFull = this.printed.some((line) => /no space left on device/i.test(line));
    return new TestbedUnavailableError(
      `${path} ${problem}${this.printedText()}${isDiskFull ? ` (in ${tmpdir()})` : ''}`,
      isPortTaken ? 'another program took the port just then: run it again' : isDiskFull ? SPACE_REMEDY : remedy,
    );
  }

  private printedText(): string {
    return this.printed.length === 0 ? '' : `; it printed: ${this.printed.join(' | ')}`;
  }
}
