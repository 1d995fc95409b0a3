import type { Entry, NodeData } from './node-data.ts';

/** A write, by what it replaced. */
interface Change {
  readonly trueUs: number;
  readonly key: string;
  readonly entry: Entry | undefined;
  readonly counter: number | undefined;
  readonly marker: string | undefined;
  readonly quarantine: number | undefined;
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
    changes.push({
      trueUs,
      key,
      entry: data.keys.get(key),
      counter: data.counters.get(key),
      marker: data.markers.get(key),
      quarantine: data.quarantines.get(key),
    });
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
      putBack(data.keys, change.key, change.entry);
      putBack(data.counters, change.key, change.counter);
      putBack(data.markers, change.key, change.marker);
      putBack(data.quarantines, change.key, change.quarantine);
    }
    this.stale = Math.min(this.stale, this.changes.length);
  }
}

function putBack<Value>(map: Map<string, Value>, key: string, value: Value | undefined): void {
  if (value === undefined) map.delete(key);
  else map.set(key, value);
}
