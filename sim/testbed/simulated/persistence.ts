import { NodeData } from './node-data.ts';
import { WriteJournal } from './write-journal.ts';

/** What a node keeps on disk, as in a scenario's `nodes.persistence`. */
export type PersistenceMode = 'none' | 'rdb' | 'aof-everysec' | 'aof-always' | 'aof-no';
export type CrashKind = 'kill' | 'terminate' | 'power-loss';

/** The save points of Redis' default settings (redis.conf, `save 3600 1 300 100 60 10000`): after so long with so many writes. */
const SAVE_POINTS = [
  { afterMs: 3_600_000, writes: 1 },
  { afterMs: 300_000, writes: 100 },
  { afterMs: 60_000, writes: 10_000 },
] as const;

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
  private snapshot = new NodeData();
  private savedAtMs: number;
  private writesSinceSave = 0;

  constructor(mode: PersistenceMode, nowMs: number) {
    this.mode = mode;
    this.savedAtMs = nowMs;
    this.syncEveryUs = SYNC_EVERY_US[mode] ?? 0;
    this.unsynced = this.syncEveryUs > 0 ? new WriteJournal(this.syncEveryUs) : null;
  }

  /** Tells that `key` is about to be written. */
  noteWrite(trueUs: number, nowMs: number, key: string, data: NodeData): void {
    this.unsynced?.note(trueUs, key, data);
    if (this.mode !== 'rdb') return;
    this.saveIfDue(nowMs, data);
    this.writesSinceSave += 1;
  }

  /** What the node finds on its disk after a crash. */
  survivors(how: CrashKind, trueUs: number, nowMs: number, data: NodeData): NodeData {
    switch (this.mode) {
      case 'none':
        return new NodeData();
      case 'rdb':
        // A server that is told to stop saves first, as it does whenever save points are set.
        if (how === 'terminate') return data.copy();
        this.saveIfDue(nowMs, data);
        this.writesSinceSave = 0;
        this.savedAtMs = nowMs;
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
    const isDue = SAVE_POINTS.some(
      ({ afterMs, writes }) => this.writesSinceSave >= writes && nowMs - this.savedAtMs >= afterMs,
    );
    if (!isDue) return;
    this.snapshot = data.copy();
    this.savedAtMs = nowMs;
    this.writesSinceSave = 0;
  }
}
