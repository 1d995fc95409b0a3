import type { AdmitCommand, LockCommand } from '../../../../src/lock-node.ts';
import { RESTART_MARKER_SUFFIX } from '../../../../src/restart-guard.ts';
import type { KeyLost } from '../../../history/event.ts';
import { valueOfCommand } from '../../command-value.ts';
import { ModelNode } from '../../model-node/model-node.ts';
import type { NodeData } from '../../model-node/node-data.ts';
import type { Execution } from '../merge/command-matcher.ts';
import { type ExpiryListener, ExpiryReader, expiringKeys, type SeenCommand } from './expiry-reader.ts';
import { lockKeyOfCounter } from './fencing-counter.ts';
import { lockCommandsOf } from './lock-command.ts';
import type { GoneCause } from './monitor-stream.ts';
import type { ServerWatcher } from './server-connection.ts';

export interface ServerModelOptions {
  readonly node: string;
  /** The keys of locks begin so; nothing else is looked at. */
  readonly keyPrefix: string;
  readonly onExecuted: (execution: Execution) => void;
  readonly onKeyLost: (event: KeyLost) => void;
}

/**
 * What a server does, by what MONITOR tells of it: each command, but not the answer. That comes from a model node which follows the server
 * command by command, and which the conformance suite holds to the same answers. Which keys have expired or were evicted the
 * server says itself, in between: near its end, a clock does not tell whether a key was still there.
 */
export class ServerModel implements ServerWatcher, ExpiryListener {
  private readonly options: ServerModelOptions;
  private readonly model: ModelNode;
  private readonly reader = new ExpiryReader(this);
  /** What the script that was seen last has called, and on which key: `del lock:a`. */
  private readonly scriptedCalls = new Set<string>();
  /** The id of the server's replication history, by which with its run_id it is marked; a script that marks it tells of a new one. */
  private historyId = '';
  /** True time of what is seen just now. */
  private seenUs = 0;

  constructor(options: ServerModelOptions) {
    this.options = options;
    const { node, onKeyLost } = options;
    this.model = new ModelNode(
      { persistence: 'none', maxmemoryPolicy: 'noeviction', replicaHorizonUs: 0 },
      Date.now(),
      (key, value, cause) => onKeyLost({ type: 'key-lost', timeUs: this.seenUs, node, key, value, cause }),
    );
  }

  /** The lock keys that the server should hold. */
  keys(): readonly string[] {
    return this.model.keys();
  }

  /** What it should hold under the key at that moment of its clock; null if nothing. */
  valueOf(key: string, wallMs: number): string | null {
    return this.model.valueOf(key, wallMs);
  }

  /** When the key is over, by the server's clock; null if it should not hold it. */
  expiryOf(key: string): number | null {
    return this.model.expiryOf(key);
  }

  /** The server says which replication history it has. */
  noteHistoryId(historyId: string): void {
    this.historyId = historyId;
  }

  /** What the server is marked with by the restart guard, in this run of it. */
  markOf(runId: string): string {
    return `${runId} ${this.historyId}`;
  }

  /** The server was let vote. */
  admit(command: AdmitCommand, runId: string): void {
    this.model.execute(command, Date.now(), 0, this.markOf(runId));
  }

  /** From now on the server holds this: keys that it should hold and does not were lost by `cause`. Returns how many it holds. */
  adopt(data: NodeData, cause: KeyLost['cause'], wallMs: number, timeUs: number): number {
    this.seenUs = timeUs;
    return this.model.adopt(data, cause, wallMs);
  }

  /** Whether the server refuses what needs memory. */
  noteMemory(isShort: boolean): void {
    if (isShort) this.model.pressure(0, 0, 0, () => 0);
    else this.model.relieve();
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
    let reply = this.model.execute(command, nowMs, 0, this.markOf(runId));
    const done = isAlone ? this.strayDeed(command) : null;
    if (done !== null) reply = this.model.execute(done, nowMs, 0);
    this.options.onExecuted({
      timeUs,
      node: this.options.node,
      kind: command.kind,
      key: command.key,
      value: valueOfCommand(command),
      reply: reply.kind,
      before: this.model.before,
      changed: this.model.changed,
    });
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
