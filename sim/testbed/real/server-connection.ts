import { Redis } from 'ioredis';
import type { Address } from './client-messages.ts';
import { unescapeArgument } from './monitor-line.ts';

/** A line of MONITOR: what a server runs, and what its own clock reads. */
export type MonitorListener = (args: readonly string[], wallMs: number) => void;

/**
 * The run's own two connections to one server, for looking and for commands: clients and faults know nothing of them. They do not connect
 * again by themselves: what happened in between would be missed.
 */
export class ServerConnection {
  private readonly address: Address;
  private readonly onCommand: MonitorListener;
  private admin: Redis | null = null;
  private monitor: Redis | null = null;

  constructor(address: Address, onCommand: MonitorListener) {
    this.address = address;
    this.onCommand = onCommand;
  }

  /**
   * Connects, and resolves once every command that the server runs from now on will be seen. Nobody else may use the server meanwhile:
   * ioredis is confused by a command that is reported with the answer to MONITOR.
   */
  async open(): Promise<void> {
    this.close();
    const admin = await connectOnce(this.address);
    this.admin = admin;
    const monitor = await admin.monitor();
    monitor.on('error', () => undefined);
    monitor.on('monitor', (time: string, args: readonly string[], source: string) => {
      // What a script does follows from the script.
      if (source !== 'lua') this.onCommand(args.map(unescapeArgument), Number(time) * 1000);
    });
    this.monitor = monitor;
  }

  close(): void {
    this.monitor?.disconnect();
    this.admin?.disconnect();
    this.monitor = null;
    this.admin = null;
  }

  get client(): Redis {
    if (this.admin === null) throw new Error('the run is not connected to this server');
    return this.admin;
  }

  /** What the server's wall clock reads, in milliseconds since the epoch. */
  async wallMs(): Promise<number> {
    const [seconds, microseconds] = await this.client.time();
    return Number(seconds) * 1000 + Number(microseconds) / 1000;
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
