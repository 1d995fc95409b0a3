import {
  ABSENT,
  type AcquireCommand,
  type AdmitCommand,
  ADMITTED,
  COMMITTED,
  type CommitCommand,
  EXTENDED,
  type ExtendCommand,
  GRANTED_WITHOUT_TOKEN,
  HELD,
  type InspectCommand,
  type LockCommand,
  type LockReply,
  QUARANTINED,
  REFUSED,
  RELEASED,
  type ReleaseCommand,
} from '../../../src/lock-node.ts';
import type { RestartGuard } from '../../../src/restart-guard.ts';
import type { KeyLost } from '../../history/event.ts';
import { type Entry, NodeData } from './node-data.ts';
import { type CrashKind, Persistence, type PersistenceMode } from './persistence.ts';
import { WriteJournal } from './write-journal.ts';

export type LossCause = KeyLost['cause'];
export type EvictionPolicy =
  'noeviction' | 'allkeys-lru' | 'allkeys-random' | 'volatile-lru' | 'volatile-random' | 'volatile-ttl';

export interface ModelNodeSettings {
  readonly persistence: PersistenceMode;
  readonly maxmemoryPolicy: EvictionPolicy;
  /** How far back a replica of this node may have to be reconstructed, in microseconds of true time; 0 if never. */
  readonly replicaHorizonUs: number;
}

/**
 * What a redis-server does with the library's commands, to the reply: it stores keys with an expiry by its own wall clock, and fencing
 * counters without one. A conformance suite compares it with real servers.
 */
export class ModelNode {
  /** The value under the key of the last command, just before it; null where there was none. */
  before: string | null = null;
  /** Whether the last command created, prolonged or deleted the key. */
  changed = false;
  private data = new NodeData();
  private readonly settings: ModelNodeSettings;
  private readonly isLru: boolean;
  private persistence: Persistence;
  private recentWrites: WriteJournal | null;
  private readonly onLoss: (key: string, value: string, cause: LossCause) => void;
  /** Whether commands that need memory are refused. */
  private isFull = false;
  /** Whether the commands run that one script is; and whether one of them has written: from then on the script gets what memory it needs. */
  private isTogether = false;
  private hasWritten = false;
  /** What is on disk while the server is down. */
  private onDisk: NodeData | null = null;

  /** `nowMs` is the time by the node's own wall clock; `onLoss` hears of each key that goes without a command having deleted it. */
  constructor(
    settings: ModelNodeSettings,
    nowMs: number,
    onLoss: (key: string, value: string, cause: LossCause) => void,
  ) {
    this.settings = settings;
    this.isLru = settings.maxmemoryPolicy.endsWith('-lru');
    this.persistence = new Persistence(settings.persistence, nowMs, this.data);
    this.recentWrites = this.newJournal();
    this.onLoss = onLoss;
  }

  /**
   * Runs one command, at `nowMs` of the node's wall clock and `trueUs` of true time. `runId` is what the client sends with commands that
   * concern the restart guard: the run_id that it has read on its connection.
   */
  execute(command: LockCommand, nowMs: number, trueUs: number, runId = ''): LockReply {
    const entry = this.live(command.key, nowMs);
    this.before = entry === undefined ? null : entry.value;
    this.changed = false;
    switch (command.kind) {
      case 'acquire':
        return this.acquire(command, entry, nowMs, trueUs, runId);
      case 'commit':
        return this.commit(command, entry, nowMs, trueUs);
      case 'extend':
        return this.extend(command, entry, nowMs, trueUs);
      case 'release':
        return this.release(command, entry, nowMs, trueUs);
      case 'inspect':
        return this.inspect(command, entry, nowMs);
      case 'admit':
        return this.admit(command, nowMs, trueUs, runId);
    }
  }

  /** Within `run` execute commands that a client sends together, as one script. */
  together(run: () => void): void {
    this.isTogether = true;
    this.hasWritten = false;
    run();
    this.isTogether = false;
  }

  /** The value that is under the key now; null if there is none. */
  valueOf(key: string, nowMs: number): string | null {
    const entry = this.data.keys.get(key);
    return entry === undefined || isOver(entry, nowMs) ? null : entry.value;
  }

  /** Drops the keys that are over by this time. */
  expire(nowMs: number): void {
    for (const [key, entry] of this.data.keys) {
      if (isOver(entry, nowMs)) this.lose(key, entry, 'expired');
    }
    const { quarantines } = this.data;
    for (const [key, expiresAtMs] of quarantines) if (Math.floor(nowMs) > expiresAtMs) quarantines.delete(key);
  }

  /** The last millisecond, by the node's wall clock, of the key of a lock or a quarantine; null where there is none. */
  expiryOf(key: string): number | null {
    return this.data.keys.get(key)?.expiresAtMs ?? this.data.quarantines.get(key) ?? null;
  }

  /** The key was seen to go from the real server that this node follows. */
  forget(key: string, cause: LossCause): void {
    const entry = this.data.keys.get(key);
    if (entry !== undefined) this.lose(key, entry, cause);
    this.data.markers.delete(key);
    this.data.quarantines.delete(key);
  }

  /** The fencing counter of the key was seen to go from the real server that this node follows. */
  forgetCounter(key: string): void {
    this.data.counters.delete(key);
  }

  flush(nowMs: number, trueUs: number): void {
    this.expire(nowMs);
    const { keys, counters, markers, quarantines } = this.data;
    const names = [keys, counters, markers, quarantines].flatMap((map) => [...map.keys()]);
    for (const key of new Set(names)) this.noteWrite(key, nowMs, trueUs);
    for (const [key, entry] of keys) this.lose(key, entry, 'flush');
    counters.clear();
    markers.clear();
    quarantines.clear();
    this.persistence.noteFlush(nowMs, this.data);
  }

  /**
   * Memory runs short. Under `noeviction` commands that need memory are refused until `relieve`; under any other policy so many keys
   * go at once, chosen as the policy says; `draw` gives numbers in [0, 1) to those that choose at random. The counters have
   * no expiry, so only an allkeys policy may take them: each goes with its key, and all of them go when all keys do. So
   * do the restart guard's keys, of which the marker has no expiry either.
   */
  pressure(keyCount: number, nowMs: number, trueUs: number, draw: () => number): void {
    const { maxmemoryPolicy } = this.settings;
    if (maxmemoryPolicy === 'noeviction') {
      this.isFull = true;
      return;
    }
    // A server that is down needs no memory.
    if (this.onDisk !== null) return;
    this.expire(nowMs);
    const { counters, markers, quarantines } = this.data;
    const takesCounters = maxmemoryPolicy.startsWith('allkeys-');
    const candidates = [...this.data.keys];
    if (maxmemoryPolicy === 'volatile-ttl')
      candidates.sort(([, one], [, other]) => one.expiresAtMs - other.expiresAtMs);
    for (let count = 0; count < keyCount && candidates.length > 0; count += 1) {
      const place = maxmemoryPolicy.endsWith('-random') ? Math.floor(draw() * candidates.length) : 0;
      const [candidate] = candidates.splice(place, 1);
      if (candidate === undefined) break;
      const [key, entry] = candidate;
      this.noteWrite(key, nowMs, trueUs);
      this.lose(key, entry, 'evicted');
      if (takesCounters) counters.delete(key);
    }
    if (keyCount !== Number.POSITIVE_INFINITY) return;
    for (const map of takesCounters ? [counters, markers, quarantines] : [quarantines]) {
      for (const key of map.keys()) this.noteWrite(key, nowMs, trueUs);
      map.clear();
    }
  }

  relieve(): void {
    this.isFull = false;
  }

  /** The server dies. */
  crash(how: CrashKind, nowMs: number, trueUs: number): void {
    this.onDisk = this.persistence.survivors(how, trueUs, nowMs, this.data);
  }

  /** The server serves again what it finds on disk; returns how many lock keys that are. */
  restart(nowMs: number): number {
    this.become(this.onDisk ?? new NodeData(), 'restart', nowMs);
    this.onDisk = null;
    this.persistence.noteStart(nowMs);
    return this.data.keys.size;
  }

  /** A replica that lacks the writes after `sinceUs` of true time (all writes, if that is negative infinity) takes the place of the server. */
  promote(sinceUs: number, nowMs: number): number {
    let replica = new NodeData();
    if (sinceUs !== Number.NEGATIVE_INFINITY) {
      replica = this.data.copy();
      this.recentWrites?.undoAfter(sinceUs, replica);
    }
    this.become(replica, 'promotion', nowMs);
    // The replica's disk holds what the replica does; and what it never got is no write of its past.
    this.persistence = new Persistence(this.settings.persistence, nowMs, replica);
    this.recentWrites = this.newJournal();
    return this.data.keys.size;
  }

  /** Takes on what a real server was seen to hold; keys that it lacks are lost. */
  adopt(data: NodeData, cause: LossCause, nowMs: number): number {
    this.become(data, cause, nowMs);
    return this.data.keys.size;
  }

  /** The lock keys that it holds. */
  keys(): readonly string[] {
    return [...this.data.keys.keys()];
  }

  private acquire(
    command: AcquireCommand,
    entry: Entry | undefined,
    nowMs: number,
    trueUs: number,
    runId: string,
  ): LockReply {
    const { key, value, ttlMs, fresh, tokenHint, guard } = command;
    // Alone and without a token or guard it is a plain SET; all scripts look at the key first.
    const isPlain = tokenHint === null && guard === null && !this.isTogether;
    // A full server refuses it unseen.
    if (this.isFull && isPlain) return outOfMemory();
    const objection = guard === null ? null : this.objectionOf(guard, nowMs, trueUs, runId);
    if (objection !== null) return objection;
    if (entry !== undefined && (entry.value !== value || (fresh && isPlain))) return HELD;
    // What only prolongs a key needs no memory.
    if (this.refusesWrites && (entry === undefined || tokenHint !== null)) return outOfMemory();
    const { counters } = this.data;
    const counter = counters.get(key) ?? 0;
    const expiresAtMs = Math.floor(nowMs) + ttlMs;
    if (entry === undefined || expiresAtMs > entry.expiresAtMs) this.put(key, value, expiresAtMs, nowMs, trueUs);
    else if (tokenHint !== null) this.noteWrite(key, nowMs, trueUs);
    const token = tokenHint === null ? null : Math.max(counter + 1, tokenHint);
    if (token !== null) counters.set(key, token);
    // A fresh value that is there came by another way to the same server, which has one vote.
    if (fresh && entry !== undefined) return HELD;
    return token === null ? GRANTED_WITHOUT_TOKEN : { kind: 'granted', token };
  }

  /** Why the node must not vote: it may have forgotten locks. Null if it may. */
  private objectionOf(guard: RestartGuard, nowMs: number, trueUs: number, runId: string): LockReply | null {
    const { markerKey, quarantineKey, quarantineMs } = guard;
    const { markers, quarantines } = this.data;
    if (markers.get(markerKey) === runId) {
      return Math.floor(nowMs) > (quarantines.get(quarantineKey) ?? Number.NEGATIVE_INFINITY) ? null : QUARANTINED;
    }
    if (this.refusesWrites) return outOfMemory();
    this.noteWrite(quarantineKey, nowMs, trueUs);
    quarantines.set(quarantineKey, Math.floor(nowMs) + quarantineMs);
    this.noteWrite(markerKey, nowMs, trueUs);
    markers.set(markerKey, runId);
    return QUARANTINED;
  }

  private admit({ key, quarantineKey }: AdmitCommand, nowMs: number, trueUs: number, runId: string): LockReply {
    if (this.refusesWrites) return outOfMemory();
    this.noteWrite(key, nowMs, trueUs);
    this.data.markers.set(key, runId);
    this.noteWrite(quarantineKey, nowMs, trueUs);
    this.data.quarantines.delete(quarantineKey);
    return ADMITTED;
  }

  private commit(command: CommitCommand, entry: Entry | undefined, nowMs: number, trueUs: number): LockReply {
    const { key, value, token } = command;
    if (entry?.value !== value || (this.data.counters.get(key) ?? 0) > token) return REFUSED;
    if (this.refusesWrites) return outOfMemory();
    this.noteWrite(key, nowMs, trueUs);
    this.data.counters.set(key, token);
    return COMMITTED;
  }

  private extend(command: ExtendCommand, entry: Entry | undefined, nowMs: number, trueUs: number): LockReply {
    if (entry?.value !== command.value) return ABSENT;
    const expiresAtMs = Math.floor(nowMs) + command.ttlMs;
    if (expiresAtMs > entry.expiresAtMs) this.put(command.key, entry.value, expiresAtMs, nowMs, trueUs);
    return EXTENDED;
  }

  private release(command: ReleaseCommand, entry: Entry | undefined, nowMs: number, trueUs: number): LockReply {
    if (entry?.value !== command.value) return ABSENT;
    this.noteWrite(command.key, nowMs, trueUs);
    this.data.keys.delete(command.key);
    this.changed = true;
    return RELEASED;
  }

  private inspect(_command: InspectCommand, entry: Entry | undefined, nowMs: number): LockReply {
    if (entry === undefined) return { kind: 'inspected', value: null, remainingMs: null };
    return { kind: 'inspected', value: entry.value, remainingMs: Math.max(0, entry.expiresAtMs - Math.floor(nowMs)) };
  }

  private put(key: string, value: string, expiresAtMs: number, nowMs: number, trueUs: number): void {
    this.noteWrite(key, nowMs, trueUs);
    this.data.keys.set(key, { value, expiresAtMs });
    this.changed = true;
  }

  private get refusesWrites(): boolean {
    return this.isFull && !(this.isTogether && this.hasWritten);
  }

  private noteWrite(key: string, nowMs: number, trueUs: number): void {
    this.hasWritten = true;
    this.persistence.noteWrite(trueUs, nowMs, key, this.data);
    this.recentWrites?.note(trueUs, key, this.data);
  }

  private live(key: string, nowMs: number): Entry | undefined {
    const entry = this.data.keys.get(key);
    if (entry === undefined) return undefined;
    if (!isOver(entry, nowMs)) {
      // Keys are kept in the order in which they were last used, where that will matter.
      if (this.isLru) {
        this.data.keys.delete(key);
        this.data.keys.set(key, entry);
      }
      return entry;
    }
    this.lose(key, entry, 'expired');
    return undefined;
  }

  private newJournal(): WriteJournal | null {
    const { replicaHorizonUs } = this.settings;
    return replicaHorizonUs > 0 ? new WriteJournal(replicaHorizonUs) : null;
  }

  private lose(key: string, entry: Entry, cause: LossCause): void {
    this.data.keys.delete(key);
    this.onLoss(key, entry.value, cause);
  }

  /** Takes on other data; keys that it lacks are lost. */
  private become(data: NodeData, cause: LossCause, nowMs: number): void {
    this.expire(nowMs);
    const { keys } = this.data;
    this.data = data;
    for (const [key, entry] of keys) {
      if (data.keys.get(key)?.value !== entry.value) this.onLoss(key, entry.value, cause);
    }
    // What is over is not even loaded; that it expired was told before.
    for (const [key, entry] of data.keys) if (isOver(entry, nowMs)) data.keys.delete(key);
  }
}

/** Redis: a key is there up to and including the millisecond of its expiry. */
function isOver(entry: Entry, nowMs: number): boolean {
  return Math.floor(nowMs) > entry.expiresAtMs;
}

function outOfMemory(): LockReply {
  return { kind: 'failed', error: new Error("OOM command not allowed when used memory > 'maxmemory'."), sent: true };
}
