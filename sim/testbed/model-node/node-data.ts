/** A lock key of a model node. Entries are never changed in place, so that copies of the data can share them. */
export interface Entry {
  readonly value: string;
  /** The last millisecond, by the node's wall clock, in which the key is there. */
  readonly expiresAtMs: number;
}

/** What a model node stores: lock keys, the fencing counter of each key, and what the restart guard keeps there. */
export class NodeData {
  readonly keys: Map<string, Entry>;
  readonly counters: Map<string, number>;
  /** The run_id under each marker's key. */
  readonly markers: Map<string, string>;
  /** The last millisecond, by the node's wall clock, of each quarantine, by its key. */
  readonly quarantines: Map<string, number>;

  constructor(
    keys: ReadonlyMap<string, Entry> = new Map(),
    counters: ReadonlyMap<string, number> = new Map(),
    markers: ReadonlyMap<string, string> = new Map(),
    quarantines: ReadonlyMap<string, number> = new Map(),
  ) {
    this.keys = new Map(keys);
    this.counters = new Map(counters);
    this.markers = new Map(markers);
    this.quarantines = new Map(quarantines);
  }

  copy(): NodeData {
    return new NodeData(this.keys, this.counters, this.markers, this.quarantines);
  }
}
