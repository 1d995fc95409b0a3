import type { CommandKind, HistoryEvent, RunStarted } from '../history/event.ts';
import { HistoryLog } from '../history/history-log.ts';

const NODES = ['n1', 'n2', 'n3', 'n4', 'n5'];

/** A lease to be put into a history; times in milliseconds. */
export interface LeaseOptions {
  readonly client?: string;
  readonly resource?: string;
  /** In place of `resource`: several. */
  readonly resources?: readonly string[];
  readonly ttlMs?: number;
  readonly phase?: 'workload' | 'probe';
  readonly invokedMs?: number;
  /** When the attempt that was granted started; null leaves it out. */
  readonly startedMs?: number | null;
  readonly grantedMs: number;
  readonly untilMs: number;
  readonly token?: number | null;
}

/** An attempt in vain to be put into a history: what nodes answered, and when it was over. */
export interface AttemptOptions {
  readonly client?: string;
  readonly operation: number;
  readonly startedMs: number;
  /** By node: its reply, and when it arrived. */
  readonly replies: Readonly<Record<string, readonly [reply: string, atMs: number]>>;
  /** When its clean-up was sent; never, if left out. */
  readonly endedMs?: number;
}

/** A command as a node executed it. */
export interface ExecutedOptions {
  readonly client: string;
  readonly node?: string;
  readonly kind: CommandKind;
  readonly value: string;
  readonly before: string | null;
  readonly changed: boolean;
}

/** Writes histories for tests of checkers: events in any order, in milliseconds, which `build` sorts by time. */
export class HistoryBuilder {
  private readonly events: HistoryEvent[] = [];
  private readonly started: RunStarted;
  private operations = 0;
  private commands = 0;
  private writes = 0;
  private readonly tokens = new Map<number, number | null>();
  private readonly leases = new Map<number, { readonly client: string; readonly resource: string }>();

  constructor(started: Partial<RunStarted> = {}) {
    this.started = {
      type: 'run-started',
      timeUs: 0,
      format: 1,
      scenario: 'test',
      title: 'A test',
      backend: 'test',
      seed: 1,
      clients: ['A', 'B', 'C'],
      nodes: NODES,
      quorum: 3,
      longestTtlMs: 100,
      clockDriftFactor: 0,
      fencing: false,
      clocks: {
        A: { clock: 'monotonic', rate: 1 },
        B: { clock: 'monotonic', rate: 1 },
        C: { clock: 'monotonic', rate: 1 },
      },
      ...started,
    };
  }

  /** The value of the lease, or of the nth attempt, of an operation. */
  valueOf(operation: number, attempt = 1): string {
    return `value ${operation}.${attempt}`;
  }

  /** Adds events as they are. */
  add(...events: readonly HistoryEvent[]): this {
    this.events.push(...events);
    return this;
  }

  invoke(
    client: string,
    atMs: number,
    options: Pick<LeaseOptions, 'resource' | 'resources' | 'ttlMs' | 'phase'> = {},
  ): number {
    const { resources, ttlMs = 100, phase = 'workload' } = options;
    const resource = resources?.join(', ') ?? options.resource ?? 'lock';
    this.operations += 1;
    const operation = this.operations;
    this.leases.set(operation, { client, resource });
    const several = resources === undefined ? {} : { resources };
    this.add({ type: 'acquire-invoked', timeUs: atMs * 1000, client, operation, resource, ...several, ttlMs, phase });
    return operation;
  }

  /** A lease, from invocation to grant. Returns its number. */
  grant(options: LeaseOptions): number {
    const { client = 'A', grantedMs, startedMs = grantedMs } = options;
    const operation = this.invoke(client, options.invokedMs ?? startedMs ?? grantedMs, options);
    this.settle(operation, { ...options, startedMs });
    return operation;
  }

  /** The nth attempt of an acquire that was invoked, from its start to the grant. */
  settle(operation: number, options: LeaseOptions, attempt = 1): this {
    const { startedMs = null, phase = 'workload', grantedMs, untilMs, token = null } = options;
    const { client, resource } = this.leaseOf(operation);
    const value = this.valueOf(operation, attempt);
    if (startedMs !== null) {
      this.add({ type: 'attempt-started', timeUs: startedMs * 1000, client, operation, value });
    }
    this.tokens.set(operation, token);
    return this.add({
      type: 'acquire-granted',
      timeUs: grantedMs * 1000,
      client,
      operation,
      resource,
      phase,
      value,
      token,
      attempts: attempt,
      validityMs: untilMs - grantedMs,
      validUntilUs: untilMs * 1000,
    });
  }

  fail(operation: number, atMs: number, code = 'contended', phase: 'workload' | 'probe' = 'workload'): this {
    const { client, resource } = this.leaseOf(operation);
    return this.add({ type: 'acquire-failed', timeUs: atMs * 1000, client, operation, resource, phase, code });
  }

  /** An extension; without `untilMs` it fails, without `settledMs` it stays pending. */
  extend(lease: number, invokedMs: number, settledMs?: number, untilMs?: number, ttlMs = 100): this {
    const { client } = this.leaseOf(lease);
    this.operations += 1;
    const operation = this.operations;
    this.add({ type: 'extend-invoked', timeUs: invokedMs * 1000, client, operation, lease, ttlMs });
    if (settledMs === undefined) return this;
    const timeUs = settledMs * 1000;
    if (untilMs === undefined) {
      return this.add({ type: 'extend-failed', timeUs, client, operation, lease, code: 'extension-refused' });
    }
    const validityMs = untilMs - settledMs;
    return this.add({
      type: 'extend-granted',
      timeUs,
      client,
      operation,
      lease,
      validityMs,
      validUntilUs: untilMs * 1000,
    });
  }

  /** A release; without `doneMs` it stays pending. */
  release(lease: number, invokedMs: number, doneMs?: number): this {
    const { client } = this.leaseOf(lease);
    this.operations += 1;
    const operation = this.operations;
    this.add({ type: 'release-invoked', timeUs: invokedMs * 1000, client, operation, lease });
    if (doneMs === undefined) return this;
    return this.add({ type: 'release-done', timeUs: doneMs * 1000, client, operation, lease });
  }

  /** A stay in the section; without `leftMs` it lasts. */
  section(lease: number, enteredMs: number, leftMs?: number): this {
    const { client, resource } = this.leaseOf(lease);
    this.add({ type: 'section-entered', timeUs: enteredMs * 1000, client, lease, resource });
    if (leftMs === undefined) return this;
    return this.add({ type: 'section-left', timeUs: leftMs * 1000, client, lease, resource });
  }

  /** A write that the resource accepts, by default that of the lease. */
  write(lease: number, atMs: number, resource: string = this.leaseOf(lease).resource): this {
    const { client } = this.leaseOf(lease);
    this.writes += 1;
    const token = this.tokens.get(lease) ?? null;
    return this.add({
      type: 'write-accepted',
      timeUs: atMs * 1000,
      client,
      write: this.writes,
      lease,
      resource,
      token,
    });
  }

  /** An attempt in vain, with its commands to all nodes. */
  attempt(options: AttemptOptions, attempt = 1): this {
    const { operation, startedMs, replies, endedMs } = options;
    const { client, resource: key } = this.leaseOf(operation);
    const value = this.valueOf(operation, attempt);
    const timeUs = startedMs * 1000;
    this.add({ type: 'attempt-started', timeUs, client, operation, value });
    for (const node of NODES) {
      this.commands += 1;
      const command = this.commands;
      this.add({ type: 'command-sent', timeUs, command, client, node, kind: 'acquire', key, value });
      const reply = replies[node];
      if (reply === undefined) continue;
      this.add({ type: 'reply-received', timeUs: reply[1] * 1000, command, client, node, reply: reply[0] });
    }
    if (endedMs === undefined) return this;
    for (const node of NODES) {
      this.commands += 1;
      const command = this.commands;
      this.add({ type: 'command-sent', timeUs: endedMs * 1000, command, client, node, kind: 'release', key, value });
    }
    return this;
  }

  executed(atMs: number, options: ExecutedOptions): this {
    const { node = 'n1', kind, before, value } = options;
    this.commands += 1;
    const reply = before === value ? (kind === 'release' ? 'released' : 'extended') : 'absent';
    const rest = { ...options, node, key: 'lock', reply };
    return this.add({ type: 'command-executed', timeUs: atMs * 1000, command: this.commands, ...rest });
  }

  /** A step of a client's clock, or a change of its rate. */
  clock(client: string, atMs: number, change: { readonly byMs?: number; readonly rate?: number }): this {
    const { byMs = 0, rate = 1 } = change;
    return this.add({
      type: 'client-clock-changed',
      timeUs: atMs * 1000,
      client,
      clock: this.started.clocks[client]?.clock ?? 'monotonic',
      byMs,
      rate,
    });
  }

  healed(atMs: number): this {
    return this.add({ type: 'healed', timeUs: atMs * 1000 });
  }

  /** The history so far, with the end of the run (null for one that breaks off). */
  build(endReason: string | null = 'completed'): HistoryLog {
    const log = new HistoryLog();
    log.record(this.started);
    const sorted = [...this.events].sort((one, other) => one.timeUs - other.timeUs);
    for (const event of sorted) log.record(event);
    if (endReason !== null) {
      log.record({ type: 'run-ended', timeUs: sorted.at(-1)?.timeUs ?? 0, reason: endReason });
    }
    return log;
  }

  private leaseOf(operation: number): { readonly client: string; readonly resource: string } {
    const lease = this.leases.get(operation);
    if (lease === undefined)
      throw new Error(`Operation ${operation} is not an acquire of this builder: invoke it first`);
    return lease;
  }
}

/** The indexes of the events of a type that have these fields, in the order in which they are asked for. */
export function indexesOf(
  history: HistoryLog,
  ...wanted: readonly (readonly [type: HistoryEvent['type'], fields?: Readonly<Record<string, unknown>>])[]
): number[] {
  return wanted.flatMap(([type, fields = {}]) => {
    const found: number[] = [];
    for (let index = 0; index < history.length; index += 1) {
      const event: Readonly<Record<string, unknown>> = { ...history.at(index) };
      const hasFields = Object.entries(fields).every(([field, value]) => event[field] === value);
      if (event['type'] === type && hasFields) found.push(index);
    }
    return found;
  });
}
