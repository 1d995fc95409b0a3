import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Script } from '../../../scenario/schema.ts';
import type { ClientConfiguration, FromClient, ToClient } from './client-messages.ts';
import { signalAndSee } from '../process-signal.ts';
import { RunLostError } from '../../testbed-error.ts';
import { forgetRemains, watchRemains } from '../reaper.ts';

/** What a client process tells without being asked. */
export type ClientNews = Extract<
  FromClient,
  { type: 'event' | 'lease' | 'write-answered' | 'write-failed' | 'output-failed' }
>;

type Task = ToClient extends infer Message ? (Message extends { task: number } ? Omit<Message, 'task'> : never) : never;

/** A client process, as the run sees it. */
export class ClientHandle {
  readonly name: string;
  private readonly process: ChildProcess;
  private readonly tasks = new Map<number, { resolve: (granted: boolean) => void; reject: (error: Error) => void }>();
  private readonly onNews: (news: ClientNews) => void;
  private taskCount = 0;
  private readonly pausedBy = new Set<number>();
  private becomeReady: () => void = () => undefined;
  private death: Error | null = null;
  private isClosing = false;

  /** `onDeath` is told when the process ends although nobody closed it. */
  constructor(
    name: string,
    program: string,
    { onNews, onDeath }: { readonly onNews: (news: ClientNews) => void; readonly onDeath: (error: Error) => void },
  ) {
    this.name = name;
    this.onNews = onNews;
    // The name is for people who look at the processes.
    this.process = fork(program, [name], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], execArgv: [] });
    const { pid } = this.process;
    if (pid !== undefined) watchRemains({ pid });
    let printed = '';
    this.process.stderr?.setEncoding('utf8').on('data', (text: string) => (printed = (printed + text).slice(-4000)));
    this.process.on('message', (message: FromClient) => this.receive(message));
    const die = (death: Error): void => {
      if (pid !== undefined) forgetRemains({ pid });
      this.death ??= death;
      for (const { reject } of this.tasks.values()) reject(this.death);
      this.tasks.clear();
      this.becomeReady();
      if (!this.isClosing) onDeath(this.death);
    };
    // Not `exit`: only now is heard what it told and printed last.
    this.process.on('close', (code, signal) =>
      die(
        signal === null
          ? new Error(`the process of client ${name} ended (exit code ${code})\n${printed}`.trim())
          : new RunLostError(`client ${name} was killed by ${signal}`),
      ),
    );
    this.process.on('error', (error) =>
      die(new Error(`the process of client ${name} cannot be run: ${error.message}`)),
    );
  }

  /** Resolves once the client has all its connections. */
  async configure(configuration: ClientConfiguration): Promise<void> {
    const ready = new Promise<void>((resolve) => (this.becomeReady = resolve));
    this.send({ type: 'configure', configuration });
    await ready;
    if (this.death !== null) throw this.death;
  }

  /** The run begins. */
  begin(startNs: bigint): void {
    this.send({ type: 'begin', startNs: String(startNs) });
  }

  /** Resolves when the script has come to its end. Rejects with a defect of the library or the testbed. */
  runScript(script: Script): Promise<unknown> {
    return this.perform({ type: 'run', script });
  }

  /** Resolves to whether the resource could be locked. */
  probe(resource: string): Promise<boolean> {
    return this.perform({ type: 'probe', resource });
  }

  cutOff(): void {
    this.send({ type: 'cut-off' });
  }

  jumpWallClock(byMs: number): Promise<unknown> {
    return this.perform({ type: 'jump-wall-clock', byMs });
  }

  setClockRate(rate: number): Promise<unknown> {
    return this.perform({ type: 'set-clock-rate', rate });
  }

  /** Resolves once everything that was sent before is answered. */
  awaitAnswers(): Promise<unknown> {
    return this.perform({ type: 'await-answers' });
  }

  get isPaused(): boolean {
    return this.pausedBy.size > 0;
  }

  /** Stops the process where it is; returns whether it ran. It is stopped when this returns: that was seen. */
  async pause(fault: number): Promise<boolean> {
    this.pausedBy.add(fault);
    if (this.pausedBy.size > 1) return false;
    await signalAndSee(this.pid, 'SIGSTOP', true);
    return true;
  }

  async resume(fault: number): Promise<boolean> {
    if (!this.pausedBy.delete(fault) || this.pausedBy.size > 0) return false;
    await signalAndSee(this.pid, 'SIGCONT', false);
    return true;
  }

  async close(): Promise<void> {
    this.isClosing = true;
    if (this.death !== null) return;
    const gone = once(this.process, 'close');
    // A stopped process cannot be asked.
    this.process.kill('SIGKILL');
    await gone;
  }

  private get pid(): number {
    if (this.death !== null) throw this.death;
    if (this.process.pid === undefined) throw new Error(`client ${this.name} does not run`);
    return this.process.pid;
  }

  private perform(task: Task): Promise<boolean> {
    if (this.death !== null) return Promise.reject(this.death);
    this.taskCount += 1;
    const number = this.taskCount;
    return new Promise((resolve, reject) => {
      this.tasks.set(number, { resolve, reject });
      this.send({ ...task, task: number });
    });
  }

  private send(message: ToClient): void {
    // A process that is gone says so by its exit.
    this.process.send(message, () => undefined);
  }

  private receive(message: FromClient): void {
    switch (message.type) {
      case 'ready':
        this.becomeReady();
        break;
      case 'done': {
        const task = this.tasks.get(message.task);
        this.tasks.delete(message.task);
        if (message.error === undefined) task?.resolve(message.granted ?? false);
        else task?.reject(new Error(message.error));
        break;
      }
      default:
        this.onNews(message);
    }
  }
}
