import { DEFAULT_SAVE_POINTS } from '../save-points.ts';
import { NodeData } from './node-data.ts';
import { WriteJournal } from './write-journal.ts';

/** What a node keeps on disk, as in a scenario's `nodes.persistence`. */
export type PersistenceMode = 'none' | 'rdb' | 'aof-everysec' | 'aof-always' | 'aof-no';
export type CrashKind = 'kill' | 'terminate' | 'power-loss';

/** Redis syncs the append-only file once a second under `everysec`; under `no` Linux writes dirty pages back after some 30 s. */
const SYNC_EVERY_US: Readonly<Partial<Record<PersistenceMode, number>>> = {
  'aof-everysec': 1_000_000,
  'aof-no': 30_000_000,
};

/** The disk of a model node: decides what a crash leaves. */
export class Persistence {
  private readonly mode: PersistenceMode;
  private readonly syncEveryUs: number;
  private readonly unsynced: WriteJournal | null;
  private snapshot: NodeData;
  private savedAtMs: number;
  private writesSinceSave = 0;
  private lastWriteMs: number;

  /** `onDisk` is what the disk holds to begin with. */
  constructor(mode: PersistenceMode, nowMs: number, onDisk: NodeData) {
    this.mode = mode;
    this.snapshot = onDisk.copy();
    this.savedAtMs = nowMs;
    this.lastWriteMs = nowMs;
    this.syncEveryUs = SYNC_EVERY_US[mode] ?? 0;
    this.unsynced = this.syncEveryUs > 0 ? new WriteJournal(this.syncEveryUs) : null;
  }

  /** Tells that `key` is about to be written. */
  noteWrite(trueUs: number, nowMs: number, key: string, data: NodeData): void {
    this.unsynced?.note(trueUs, key, data);
    if (this.mode !== 'rdb') return;
    this.saveIfDue(nowMs, data);
    this.writesSinceSave += 1;
    this.lastWriteMs = nowMs;
  }

  /** Tells that FLUSHALL has emptied the data: where save points are set, Redis saves that at once. */
  noteFlush(nowMs: number, data: NodeData): void {
    this.save(nowMs, data);
  }

  /** Tells that the server has started, with what was on disk. */
  noteStart(nowMs: number): void {
    this.savedAtMs = nowMs;
    this.writesSinceSave = 0;
  }

  /** What the node finds on its disk after a crash. */
  survivors(how: CrashKind, trueUs: number, nowMs: number, data: NodeData): NodeData {
    switch (this.mode) {
      case 'none':
        return new NodeData();
      case 'rdb':
        // A server that is told to stop saves first, as it does whenever save points are set.
        if (how === 'terminate') this.save(nowMs, data);
        else this.saveIfDue(nowMs, data);
        return this.snapshot.copy();
      case 'aof-always':
        return data.copy();
      case 'aof-everysec':
      case 'aof-no': {
        const survivors = data.copy();
        // What the server wrote is with the kernel: only a crash of the machine loses it.
        if (how === 'power-loss') {
          const lastSyncUs = Math.floor(trueUs / this.syncEveryUs) * this.syncEveryUs;
          this.unsynced?.undoAfter(lastSyncUs, survivors);
        }
        return survivors;
      }
    }
  }

  /** Nothing was written since the save point came due, so the data is what the snapshot would have held. */
  private saveIfDue(nowMs: number, data: NodeData): void {
    const { savedAtMs, lastWriteMs, writesSinceSave } = this;
    // A save point comes due by the write that fills its number, or by the time that passes after it.
    let dueMs = Number.POSITIVE_INFINITY;
    for (const { afterSeconds, writes } of DEFAULT_SAVE_POINTS) {
      if (writesSinceSave < writes) continue;
      dueMs = Math.min(dueMs, Math.max(savedAtMs + afterSeconds * 1000, lastWriteMs));
    }
    if (dueMs <= nowMs) this.save(dueMs, data);
  }

  private save(nowMs: number, data: NodeData): void {
    this.snapshot = data.copy();
    this.savedAtMs = nowMs;
    this.writesSinceSave = 0;
  }
}
