import { FENCING_COUNTER_SUFFIX } from '../../../../src/fencing-counter-key.ts';
import type { LockCommand } from '../../../../src/lock-node.ts';
import { RESTART_MARKER_SUFFIX, RESTART_QUARANTINE_SUFFIX, type RestartGuard } from '../../../../src/restart-guard.ts';
import type { KeyLost } from '../../../history/event.ts';
import { admissionBy } from '../../../workload/facts.ts';
import { valueOfCommand } from '../../command-value.ts';
import { ModelNode } from '../../model-node/model-node.ts';
import { type Entry, NodeData } from '../../model-node/node-data.ts';
import type { Address } from '../address.ts';
import type { Execution } from '../merge/command-matcher.ts';
import { type ExpiryListener, ExpiryReader, expiringKeys, type SeenCommand } from './expiry-reader.ts';
import { lockCommandsOf } from './lock-command.ts';
import type { GoneCause } from './monitor-stream.ts';
import { ServerConnection, type ServerWatcher } from './server-connection.ts';

/** How exactly a server's clock is known, and how often to make it look at keys that are over by it. */
const CLOCK_TOLERANCE_MS = 5;
const EXPIRY_LOOKS = 10_000;

export interface NodeObserverOptions {
  readonly node: string;
  readonly address: Address;
  /** The keys of locks begin so; nothing else is looked at. */
  readonly keyPrefix: string;
  readonly nowUs: () => number;
  /** Whether no fault moves the node's clock. */
  readonly hasSteadyClock: boolean;
  readonly onExecuted: (execution: Execution) => void;
  readonly onKeyLost: (event: KeyLost) => void;
  /** Told when the node cannot be watched any more, and nobody wanted that. */
  readonly onLost: (error: Error) => void;
}

/**
 * Sees what a real node does. MONITOR tells each command, but not the answer: that comes from a model node which follows the server
 * command by command, and which the conformance suite holds to the same answers. Which keys have expired or were evicted the
 * server says itself, in between: near its end, a clock does not tell whether a key was still there. After a restart the model
 * takes on what the server holds.
 */
export class NodeObserver implements ServerWatcher, ExpiryListener {
  readonly node: string;
  readonly connection: ServerConnection;
  private readonly options: NodeObserverOptions;
  private readonly model: ModelNode;
  private readonly reader = new ExpiryReader(this);
  /** What the script that was seen last has called, and on which key: `del lock:a`. */
  private readonly scriptedCalls = new Set<string>();
  /** The id of the server's replication history, by which with its run_id it is marked; a script that marks it tells of a new one. */
  private historyId = '';
  /** True time of what is seen just now. */
  private seenUs = 0;
  /** How far the server's wall clock is ahead of the host's, about. */
  private skewMs = 0;

  constructor(options: NodeObserverOptions) {
    this.node = options.node;
    this.options = options;
    const { node, address, nowUs, hasSteadyClock, onKeyLost, onLost } = options;
    this.model = new ModelNode(
      { persistence: 'none', maxmemoryPolicy: 'noeviction', replicaHorizonUs: 0 },
      Date.now(),
      (key, value, cause) => onKeyLost({ type: 'key-lost', timeUs: this.seenUs, node, key, value, cause }),
    );
    this.connection = new ServerConnection({ address, nowUs, hasSteadyClock, watcher: this, onLost });
  }

  /** Whether the node holds the value under the key now, as far as was seen. */
  holds(key: string, value: string): boolean {
    return this.model.valueOf(key, Date.now() + this.skewMs) === value;
  }

  /** Asks the server for its clock. Resolves to how far it was ahead of the host's, at the least and at the most. */
  async readClock(): Promise<{ readonly leastMs: number; readonly mostMs: number }> {
    const beforeMs = Date.now();
    const wallMs = await this.connection.wallMs();
    // The host's clock counts whole milliseconds.
    const bounds = { leastMs: wallMs - Date.now() - 1, mostMs: wallMs - beforeMs };
    this.skewMs = (bounds.leastMs + bounds.mostMs) / 2;
    return bounds;
  }

  /**
   * Makes the server look at the lock keys: those that are over by its clock, which was read since it was set, go now. Resolves once that is seen. Valkey
   * looks at the clock itself only ten times a second, and counts the processor's cycles in between: until then keys are still there.
   */
  async touchKeys(): Promise<void> {
    const { client } = this.connection;
    const keys = this.model.keys();
    if (keys.length > 0) await client.exists(...keys);
    const nowMs = Date.now() + this.skewMs - CLOCK_TOLERANCE_MS;
    const over = keys.filter((key) => (this.model.expiryOf(key) ?? Number.POSITIVE_INFINITY) < nowMs);
    for (let looks = 0; over.length > 0 && (await client.exists(...over)) > 0; looks += 1) {
      if (looks === EXPIRY_LOOKS) throw new Error(`${this.node} does not let keys go that are over by its clock`);
    }
    await this.connection.catchUp();
  }

  /** Lets the server vote from the beginning: it is new, and has nothing to forget. Nobody else may use it meanwhile. */
  async admit(guard: RestartGuard): Promise<void> {
    const { client } = this.connection;
    const runId = /^run_id:(\w+)/m.exec(await client.info('server'))?.[1];
    if (runId === undefined) throw new Error(`${this.node} does not tell its run_id`);
    await this.readHistoryId();
    const run = this.nameOf(runId);
    await client.set(guard.markerKey, run);
    this.model.execute(admissionBy(guard), Date.now(), 0, run);
  }

  /**
   * Takes on what the server holds, which nobody else may use meanwhile: keys that it should hold and does not are lost by `cause`.
   * Resolves to how many it holds.
   */
  async readKeys(cause: KeyLost['cause']): Promise<number> {
    const { client } = this.connection;
    const names = (await client.keys('*')).filter((name) => name.startsWith(this.options.keyPrefix));
    const found = new Map<string, Entry>();
    const counters = new Map<string, number>();
    const markers = new Map<string, string>();
    const quarantines = new Map<string, number>();
    for (const name of names) {
      const lockKey = lockKeyOfCounter(name);
      if (lockKey !== null) {
        counters.set(lockKey, Number(await client.get(name)));
        continue;
      }
      const [value, remainingMs] = await Promise.all([client.get(name), client.pttl(name)]);
      const wallMs = await this.connection.wallMs();
      if (value === null) continue;
      const expiresAtMs = Math.floor(wallMs) + remainingMs;
      if (name.endsWith(RESTART_MARKER_SUFFIX)) markers.set(name, value);
      else if (name.endsWith(RESTART_QUARANTINE_SUFFIX)) quarantines.set(name, expiresAtMs);
      else if (remainingMs >= 0) found.set(name, { value, expiresAtMs });
    }
    await this.readHistoryId();
    const wallMs = await this.connection.wallMs();
    this.seenUs = this.options.nowUs();
    return this.model.adopt(new NodeData(found, counters, markers, quarantines), cause, wallMs);
  }

  /** Gives the server so many bytes of memory for all it holds; 0 is no limit. With one byte it refuses what needs memory, once it has evicted what it may. */
  async limitMemory(bytes: 0 | 1): Promise<void> {
    await this.connection.call(['CONFIG', 'SET', 'maxmemory', String(bytes)], () => {
      if (bytes === 0) this.model.relieve();
      else this.model.pressure(0, 0, 0, () => 0);
    });
  }

  /** The lock keys that the node should hold. */
  keys(): readonly string[] {
    return this.model.keys();
  }

  onCommand(args: readonly string[], wallMs: number, timeUs: number): void {
    this.noteCommand(args, wallMs, timeUs);
    // What the script before did is settled.
    this.scriptedCalls.clear();
  }

  private noteCommand(args: readonly string[], wallMs: number, timeUs: number): void {
    const name = args[0]?.toLowerCase();
    const seen: SeenCommand[] = lockCommandsOf(args).map((sent) => ({ ...sent, wallMs, timeUs }));
    const [first] = seen;
    if (first?.command.key.startsWith(this.options.keyPrefix) === true) {
      if (name === 'set') this.reader.command(first);
      else this.reader.runScript(seen);
      return;
    }
    this.reader.settle();
    this.seenUs = timeUs;
    if (name === 'flushall') this.model.flush(wallMs, 0);
  }

  onScriptedCommand([name = '', key = '', value = '']: readonly string[]): void {
    this.scriptedCalls.add(`${name.toLowerCase()} ${key}`);
    // It changes when a first replica comes, of which MONITOR says nothing.
    if (name.toLowerCase() === 'set' && key.endsWith(RESTART_MARKER_SUFFIX)) this.historyId = value.split(' ')[1] ?? '';
    this.reader.step(key);
  }

  onKeyGone(key: string, cause: GoneCause, timeUs: number): void {
    if (cause === 'expired') {
      this.reader.expired(key, timeUs);
      return;
    }
    this.reader.settle();
    this.seenUs = timeUs;
    const lockKey = lockKeyOfCounter(key);
    if (lockKey === null) this.model.forget(key, cause);
    else this.model.forgetCounter(lockKey);
  }

  onEnd(): void {
    this.reader.settle();
  }

  onExpired(key: string, timeUs: number): void {
    this.seenUs = timeUs;
    this.model.forget(key, 'expired');
  }

  onRun(seen: readonly SeenCommand[]): void {
    const runAll = (): void => {
      for (const one of seen) this.run(one, seen.filter(({ command }) => command.key === one.command.key).length === 1);
    };
    // Only several are ever gathered.
    if (seen.length > 1) this.model.together(runAll);
    else runAll();
  }

  /** `isAlone` says whether no other command of its script has the same key. */
  private run({ command, runId, wallMs, timeUs }: SeenCommand, isAlone: boolean): void {
    this.seenUs = timeUs;
    // MONITOR stamps a command when it tells of it: the clock by which the server ran it may have read a little less. What is over
    // by then was dropped, and is not there any more.
    const expiries = expiringKeys(command).map((key) => this.model.expiryOf(key) ?? Number.POSITIVE_INFINITY);
    const nowMs = Math.min(wallMs, ...expiries);
    let reply = this.model.execute(command, nowMs, 0, this.nameOf(runId));
    const done = isAlone ? this.strayDeed(command) : null;
    if (done !== null) reply = this.model.execute(done, nowMs, 0);
    this.options.onExecuted({
      timeUs,
      node: this.node,
      kind: command.kind,
      key: command.key,
      value: valueOfCommand(command),
      reply: reply.kind,
      before: this.model.before,
      changed: this.model.changed,
    });
  }

  private async readHistoryId(): Promise<void> {
    const info = await this.connection.client.info('replication');
    this.historyId = /^master_replid:(\w+)/m.exec(info)?.[1] ?? '';
  }

  /** What the server is marked with, in this run of it. */
  private nameOf(runId: string): string {
    return `${runId} ${this.historyId}`;
  }

  /**
   * A server that deletes or prolongs a key which holds the value of another lease runs a script that does not compare: what it did is
   * what the other lease's owner may do. Null if it was not seen to.
   */
  private strayDeed(command: LockCommand): LockCommand | null {
    const { before, changed } = this.model;
    if (before === null || changed) return null;
    const { kind, key } = command;
    if (kind === 'release' && this.scriptedCalls.has(`del ${key}`)) return { ...command, value: before };
    if (kind === 'extend' && this.scriptedCalls.has(`pexpire ${key}`)) return { ...command, value: before };
    return null;
  }
}

/** Whose fencing counter a key is; null if it is none. */
function lockKeyOfCounter(name: string): string | null {
  if (!name.endsWith(FENCING_COUNTER_SUFFIX)) return null;
  const rest = name.slice(0, -FENCING_COUNTER_SUFFIX.length);
  return /^(.*)\{\1\}$/s.exec(rest)?.[1] ?? rest;
}
