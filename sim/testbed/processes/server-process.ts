import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { signalAndSee } from '../real/process-signal.ts';
import { forgetRemains, watchRemains } from '../real/reaper.ts';

const PRINTED_LINES = 20;

/** A server program that was started for one run. */
export class ServerProcess {
  private readonly process: ChildProcess;
  private readonly printed: string[] = [];

  private constructor(child: ChildProcess) {
    this.process = child;
  }

  /** Starts the program, and resolves once it prints a line that contains `readyText`. Rejects with what it printed if it ends before, or is late. */
  static async start(
    program: string,
    args: readonly string[],
    options: { readonly env?: Readonly<Record<string, string>>; readonly readyText: string; readonly withinMs: number },
  ): Promise<ServerProcess> {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...options.env } });
    const server = new ServerProcess(child);
    if (child.pid !== undefined) watchRemains({ pid: child.pid });
    child.once('exit', () => {
      if (child.pid !== undefined) forgetRemains({ pid: child.pid });
    });
    let timer: NodeJS.Timeout | undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        const fail = (problem: string): void => {
          reject(new Error([`${program} ${problem}`, ...server.printed].join('\n  ')));
        };
        for (const stream of [child.stdout, child.stderr]) {
          // It is read to its end, or the program would block on a full pipe.
          createInterface(stream).on('line', (line) => {
            server.printed.push(line);
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

  /** Resolves once the process is gone. */
  async stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (!this.isRunning) return;
    const gone = once(this.process, 'exit');
    this.process.kill(signal);
    await gone;
  }

  async pause(): Promise<void> {
    await signalAndSee(this.pid, 'SIGSTOP', true);
  }

  async resume(): Promise<void> {
    await signalAndSee(this.pid, 'SIGCONT', false);
  }

  private get pid(): number {
    if (!this.isRunning || this.process.pid === undefined) throw new Error('the server does not run');
    return this.process.pid;
  }
}
