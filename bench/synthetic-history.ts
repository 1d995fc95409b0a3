import { HistoryLog } from '../sim/history/history-log.ts';

/** What a made-up history should look like. */
export interface SyntheticOptions {
  /** Calls of acquire, extend and release, about. */
  readonly operations: number;
  /** Whether the three events of each command are in it. */
  readonly messages: boolean;
  /** Whether, in the middle, a second client is granted a lock that is held, and does damage with it. */
  readonly violated: boolean;
}

const CLIENTS = ['c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'c8'];
const NODES = ['n1', 'n2', 'n3', 'n4', 'n5'];
const RESOURCES = ['orders', 'invoices', 'stock', 'mail'];
const TTL_MS = 1000;
const VALIDITY_MS = 980;
/** Of so many cycles one extends its lock, and one has a rival that fails. */
const CYCLES_PER_EXTENSION = 3;
const CYCLES_PER_RIVAL = 10;
const OPERATIONS_PER_CYCLE = 2 + 1 / CYCLES_PER_EXTENSION + 1 / CYCLES_PER_RIVAL;

/**
 * The history of a run in which clients take locks in turn, as a simulation would record it: five nodes, an attempt, a section
 * and a write in each cycle, now and then an extension, or a rival that is told that the lock is held.
 */
export function syntheticHistory(options: SyntheticOptions): HistoryLog {
  return new HistoryWriter(options.messages).write(
    Math.max(4, Math.round(options.operations / OPERATIONS_PER_CYCLE)),
    options.violated,
  );
}

interface Lease {
  readonly client: string;
  readonly operation: number;
  readonly resource: string;
  readonly value: string;
  readonly token: number;
}

class HistoryWriter {
  private readonly log = new HistoryLog();
  private readonly messages: boolean;
  private readonly nodePlaces: readonly number[];
  private timeUs = 0;
  private operation = 0;
  private command = 0;
  private writes = 0;
  private token = 0;

  constructor(messages: boolean) {
    this.messages = messages;
    this.nodePlaces = NODES.map((node) => this.log.intern(node));
  }

  write(cycles: number, violated: boolean): HistoryLog {
    const { log } = this;
    log.record({
      type: 'run-started',
      timeUs: 0,
      format: 1,
      scenario: 'synthetic',
      title: 'A made-up run',
      backend: 'none',
      seed: 0,
      clients: CLIENTS,
      nodes: NODES,
      quorum: 3,
      longestTtlMs: TTL_MS,
      clockDriftFactor: 0.01,
      fencing: true,
      clocks: Object.fromEntries(CLIENTS.map((client) => [client, { clock: 'monotonic', rate: 1 }])),
    });
    for (let cycle = 0; cycle < cycles; cycle += 1) this.cycle(cycle, violated && cycle === cycles >> 1);
    log.record({ type: 'workload-ended', timeUs: this.timeUs });
    log.record({ type: 'healed', timeUs: this.timeUs });
    this.timeUs += 2 * TTL_MS * 1000;
    for (const resource of RESOURCES) this.release(this.acquire('c1', resource, 'probe'));
    log.record({ type: 'run-ended', timeUs: this.timeUs, reason: 'completed' });
    return log;
  }

  private cycle(cycle: number, violated: boolean): void {
    const client = CLIENTS[cycle % CLIENTS.length] as string;
    const resource = RESOURCES[(cycle >> 2) % RESOURCES.length] as string;
    const lease = this.acquire(client, resource, 'workload');
    this.enter(lease);
    if (cycle % CYCLES_PER_RIVAL === 0) this.fail(CLIENTS[(cycle + 1) % CLIENTS.length] as string, lease);
    if (cycle % CYCLES_PER_EXTENSION === 0) this.extend(lease);
    if (violated) this.intrude(CLIENTS[(cycle + 2) % CLIENTS.length] as string, lease);
    this.writeTo(lease);
    this.leave(lease);
    this.release(lease);
  }

  /** Takes the lock beside its holder, with the holder's token, writes, and deletes the holder's keys. */
  private intrude(client: string, holder: Lease): void {
    this.token -= 1;
    const intruder = this.acquire(client, holder.resource, 'workload');
    this.enter(intruder);
    this.writeTo(intruder);
    this.leave(intruder);
    this.release(intruder, holder.value);
    this.refuseWithoutReason(client, holder.resource);
  }

  private acquire(client: string, resource: string, phase: 'workload' | 'probe'): Lease {
    const { operation, value } = this.invokeAcquire(client, resource, phase);
    this.token += 1;
    this.round(client, resource, value, 'acquire', 'granted', null, true);
    const timeUs = this.tick();
    this.log.record({
      type: 'acquire-granted',
      timeUs,
      client,
      operation,
      resource,
      phase,
      value,
      token: this.token,
      attempts: 1,
      validityMs: VALIDITY_MS,
      validUntilUs: timeUs + VALIDITY_MS * 1000,
    });
    return { client, operation, resource, value, token: this.token };
  }

  private fail(client: string, holder: Lease): void {
    const { operation, value } = this.invokeAcquire(client, holder.resource, 'workload');
    this.round(client, holder.resource, value, 'acquire', 'held', holder.value, false);
    this.failAcquire(client, holder.resource, operation, value);
  }

  /** An acquire that a quorum grants and that fails all the same, once all keys are gone. */
  private refuseWithoutReason(client: string, resource: string): void {
    this.timeUs += 2 * TTL_MS * 1000;
    const { operation, value } = this.invokeAcquire(client, resource, 'workload');
    this.round(client, resource, value, 'acquire', 'granted', null, true);
    this.failAcquire(client, resource, operation, value);
  }

  private invokeAcquire(
    client: string,
    resource: string,
    phase: 'workload' | 'probe',
  ): { operation: number; value: string } {
    const { log } = this;
    this.operation += 1;
    const { operation } = this;
    const value = `value-${operation.toString(16).padStart(34, '0')}`;
    log.record({
      type: 'acquire-invoked',
      timeUs: this.tick(),
      client,
      operation,
      resource,
      ttlMs: TTL_MS,
      phase,
    });
    log.record({ type: 'attempt-started', timeUs: this.timeUs, client, operation, value });
    return { operation, value };
  }

  private failAcquire(client: string, resource: string, operation: number, value: string): void {
    const code = 'contended';
    this.round(client, resource, value, 'release', 'absent', null, false);
    const phase = 'workload';
    this.log.record({ type: 'acquire-failed', timeUs: this.tick(), client, operation, resource, phase, code });
  }

  private extend({ client, operation: lease, resource, value }: Lease): void {
    const { log } = this;
    this.operation += 1;
    const { operation } = this;
    log.record({ type: 'extend-invoked', timeUs: this.tick(), client, operation, lease, ttlMs: TTL_MS });
    this.round(client, resource, value, 'extend', 'extended', value, true);
    const timeUs = this.tick();
    log.record({
      type: 'extend-granted',
      timeUs,
      client,
      operation,
      lease,
      validityMs: VALIDITY_MS,
      validUntilUs: timeUs + VALIDITY_MS * 1000,
    });
  }

  private release({ client, operation: lease, resource, value }: Lease, before = value): void {
    const { log } = this;
    this.operation += 1;
    const { operation } = this;
    log.record({ type: 'release-invoked', timeUs: this.tick(), client, operation, lease });
    this.round(client, resource, value, 'release', 'released', before, true);
    log.record({ type: 'release-done', timeUs: this.tick(), client, operation, lease });
  }

  private enter({ client, operation: lease, resource }: Lease): void {
    this.log.record({ type: 'section-entered', timeUs: this.tick(), client, lease, resource });
  }

  private leave({ client, operation: lease, resource }: Lease): void {
    this.log.record({ type: 'section-left', timeUs: this.tick(), client, lease, resource });
  }

  private writeTo({ client, operation: lease, resource, token }: Lease): void {
    this.writes += 1;
    const { writes: write } = this;
    this.log.record({ type: 'write-sent', timeUs: this.tick(), client, write, lease, resource, token });
    this.log.record({ type: 'write-accepted', timeUs: this.tick(), client, write, lease, resource, token });
  }

  /** One command to each node, executed and answered. */
  private round(
    client: string,
    key: string,
    value: string,
    kind: string,
    reply: string,
    before: string | null,
    changed: boolean,
  ): void {
    if (!this.messages) return;
    const { log, nodePlaces } = this;
    const clientPlace = log.intern(client);
    const keyPlace = log.intern(key);
    const valuePlace = log.intern(value);
    const kindPlace = log.intern(kind);
    const replyPlace = log.intern(reply);
    const beforePlace = before === null ? -1 : log.intern(before);
    const first = this.command + 1;
    this.command += nodePlaces.length;
    nodePlaces.forEach((node, place) =>
      log.recordSent(this.timeUs, first + place, clientPlace, node, kindPlace, keyPlace, valuePlace),
    );
    nodePlaces.forEach((node, place) =>
      log.recordExecuted(
        this.tick(),
        first + place,
        clientPlace,
        node,
        kindPlace,
        replyPlace,
        keyPlace,
        valuePlace,
        beforePlace,
        changed,
      ),
    );
    nodePlaces.forEach((node, place) => log.recordReceived(this.tick(), first + place, clientPlace, node, replyPlace));
  }

  private tick(): number {
    this.timeUs += 50;
    return this.timeUs;
  }
}
