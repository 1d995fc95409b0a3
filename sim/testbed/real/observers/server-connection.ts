import { Redis } from 'ioredis';
import { RunLostError } from '../../testbed-error.ts';
import type { Address } from '../address.ts';
import { readWallMs } from '../servers/read-wall-clock.ts';
import { type GoneCause, MonitorStream, PUBLISHED_EVENTS } from './monitor-stream.ts';

/** Sees what one server does, in the order in which it does it. `timeUs` is true time, and never earlier than the truth. */
export interface ServerWatcher {
  onCommand(args: readonly string[], wallMs: number, timeUs: number): void;
  /** The script that was seen last takes a step. */
  onScriptedCommand(args: readonly string[]): void;
  onKeyGone(key: string, cause: GoneCause, timeUs: number): void;
  /** All that is seen of the server for now was seen. */
  onEnd(): void;
}

export interface ServerConnectionOptions {
  readonly address: Address;
  readonly nowUs: () => number;
  /** Whether nobody moves the server's clock, so that its stamps can be trusted. */
  readonly hasSteadyClock: boolean;
  readonly watcher: ServerWatcher;
  /** Told when the server cannot be watched any more, and nobody wanted that. */
  readonly onLost: (error: Error) => void;
}

/** By how much a server's clock may fall behind the host's during a run: a history is in order to about a millisecond anyway. */
const CLOCK_TOLERANCE_MS = 5;

/**
 * The run's own two connections to one server, for looking and for commands: clients and faults know nothing of them. They do not connect
 * again by themselves: what happened in between would be missed.
 */
export class ServerConnection {
  private readonly options: ServerConnectionOptions;
  private admin: Redis | null = null;
  private monitor: MonitorStream | null = null;
  /** By what the server is made to say where they stand: what to do when that is seen. */
  private readonly marks = new Map<string, () => void>();
  private markCount = 0;
  /** The server's clock is at least so far ahead of the host's. */
  private leadMs = 0;

  constructor(options: ServerConnectionOptions) {
    this.options = options;
  }

  /** Connects, and resolves once everything that the server does from now on will be seen. */
  async open(): Promise<void> {
    this.close();
    const admin = await connectOnce(this.options.address);
    this.admin = admin;
    await admin.config('SET', 'notify-keyspace-events', PUBLISHED_EVENTS);
    this.leadMs = (await this.readLead()).leastMs;
    const { nowUs, watcher, onLost } = this.options;
    const monitor = await MonitorStream.open(this.options.address, {
      onLine: ({ isScripted, args, wallMs }) => {
        // What a script does follows from the script.
        if (isScripted) {
          watcher.onScriptedCommand(args);
          return;
        }
        watcher.onCommand(args, wallMs, this.trueUs(wallMs));
        this.passMark(args);
      },
      onKeyGone: (key, cause) => watcher.onKeyGone(key, cause, nowUs()),
    });
    this.monitor = monitor;
    const end = (problem: string, cause?: unknown): void => {
      watcher.onEnd();
      if (this.monitor !== monitor) return;
      const { host, port } = this.options.address;
      onLost(new Error(`the server behind ${host}:${port} cannot be watched any more: ${problem}`, { cause }));
    };
    monitor.ended.then(
      () => end('the connection broke'),
      (error: unknown) => end((error as Error).message, error),
    );
  }

  close(): void {
    const { monitor, admin } = this;
    this.monitor = null;
    this.admin = null;
    monitor?.close();
    admin?.disconnect();
    this.marks.clear();
  }

  /** Resolves once the connections are gone with the server, which must be about to end, and everything that it did before is seen. */
  async outlive(stop: () => Promise<void>): Promise<void> {
    const { monitor } = this;
    this.monitor = null;
    try {
      await stop();
      await monitor?.ended;
    } finally {
      // Of a server that could not be stopped it would go on for ever, and this process with it.
      monitor?.close();
      this.close();
    }
  }

  /** Resolves once everything that the server has done by now is seen, or rejects with a RunLostError if it is not known when it was done. */
  async catchUp(): Promise<void> {
    await this.mark((mark) => this.client.echo(mark));
    if (this.options.hasSteadyClock && this.admin !== null) await this.compareClocks();
  }

  /** Has the server run a command, and calls `onRun` just where that stands among the commands that are seen. Resolves to the answer. */
  async call(command: readonly [name: string, ...args: string[]], onRun: () => void): Promise<unknown> {
    let answer: unknown;
    await this.mark(async (mark) => {
      // In one piece, which a server works off without a look at others; a server without memory takes no MULTI.
      const results = await this.client
        .pipeline()
        .echo(mark)
        .call(...command)
        .exec();
      for (const [error, result] of results ?? []) {
        if (error !== null) throw error;
        answer = result;
      }
    }, onRun);
    return answer;
  }

  get client(): Redis {
    if (this.admin === null) throw new Error('the run is not connected to this server');
    return this.admin;
  }

  /** What the server's wall clock reads, in milliseconds since the epoch. */
  wallMs(): Promise<number> {
    return readWallMs(this.client);
  }

  /** Asks the server for its clock. Resolves to how far it was ahead of the host's, at the least and at the most. */
  async readLead(): Promise<{ readonly leastMs: number; readonly mostMs: number }> {
    const beforeMs = Date.now();
    const wallMs = await this.wallMs();
    // The host's clock counts whole milliseconds.
    return { leastMs: wallMs - Date.now() - 1, mostMs: wallMs - beforeMs };
  }

  /** A server whose clock fell behind would have done everything earlier than the truth, by what its stamps say. */
  private async compareClocks(): Promise<void> {
    const { mostMs } = await this.readLead();
    if (mostMs >= this.leadMs - CLOCK_TOLERANCE_MS) return;
    const { host, port } = this.options.address;
    throw new RunLostError(
      `the clock of the server behind ${host}:${port} fell behind this machine's by ${(this.leadMs - mostMs).toFixed(1)} ms or more ` +
        'while it was watched, so that nobody knows when it did what; run again when nobody sets the clocks',
    );
  }

  private async mark(send: (mark: string) => Promise<unknown>, onSeen: () => void = () => undefined): Promise<void> {
    this.markCount += 1;
    const mark = `distrilock-mark-${this.markCount}`;
    const seen = new Promise<void>((resolve) => {
      this.marks.set(mark, () => {
        onSeen();
        resolve();
      });
    });
    // A server that ends meanwhile is not waited for: its answer fails.
    await send(mark);
    if (this.monitor !== null) await Promise.race([seen, this.monitor.ended]);
  }

  private passMark([name = '', mark = '']: readonly string[]): void {
    if (name.toLowerCase() !== 'echo') return;
    const onSeen = this.marks.get(mark);
    this.marks.delete(mark);
    onSeen?.();
  }

  /** News may come late when the machine is busy: the server's own stamp tells by how much, to a millisecond or two. */
  private trueUs(wallMs: number): number {
    // In this order: who is held up in between must find it later than it was, not earlier.
    const lateMs = this.options.hasSteadyClock ? Math.max(0, Date.now() + this.leadMs - wallMs) : 0;
    return this.options.nowUs() - Math.round(lateMs * 1000);
  }
}

/** Connects to a server, and not again once that connection is lost. */
export async function connectOnce(address: Address): Promise<Redis> {
  const client = new Redis({
    ...address,
    lazyConnect: true,
    retryStrategy: () => null,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
  });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}
