import type { Entry, NodeData } from './node-data.ts';

/** A write, by what it replaced. */
interface Change {
  readonly trueUs: number;
  readonly key: string;
  readonly entry: Entry | undefined;
  readonly counter: number | undefined;
}

/** Remembers the writes of the last stretch of time, so that a disk or a replica that is behind can be told what it lacks. */
export class WriteJournal {
  private readonly horizonUs: number;
  private changes: Change[] = [];
  /** How many of the changes at the front are older than the horizon. */
  private stale = 0;

  constructor(horizonUs: number) {
    this.horizonUs = horizonUs;
  }

  /** Notes that `key` is about to be written. */
  note(trueUs: number, key: string, data: NodeData): void {
    const { changes } = this;
    changes.push({ trueUs, key, entry: data.keys.get(key), counter: data.counters.get(key) });
    while ((changes[this.stale] as Change).trueUs < trueUs - this.horizonUs) this.stale += 1;
    if (this.stale > 1024 && this.stale * 2 > changes.length) {
      this.changes = changes.slice(this.stale);
      this.stale = 0;
    }
  }

  /** Undoes all writes after `trueUs` in `data`. */
  undoAfter(trueUs: number, data: NodeData): void {
    for (
      let change = this.changes.at(-1);
      change !== undefined && change.trueUs > trueUs;
      change = this.changes.at(-1)
    ) {
      this.changes.pop();
      if (change.entry === undefined) data.keys.delete(change.key);
      else data.keys.set(change.key, change.entry);
      if (change.counter === undefined) data.counters.delete(change.key);
      else data.counters.set(change.key, change.counter);
    }
    this.stale = Math.min(this.stale, this.changes.length);
  }
}
