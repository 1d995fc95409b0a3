/** A lock key of a model node. Entries are never changed in place, so that copies of the data can share them. */
export interface Entry {
  readonly value: string;
  /** The last millisecond, by the node's wall clock, in which the key is there. */
  readonly expiresAtMs: number;
}

/** What a model node stores: lock keys, and the fencing counter of each key. */
export class NodeData {
  readonly keys: Map<string, Entry>;
  readonly counters: Map<string, number>;

  constructor(keys: ReadonlyMap<string, Entry> = new Map(), counters: ReadonlyMap<string, number> = new Map()) {
    this.keys = new Map(keys);
    this.counters = new Map(counters);
  }

  copy(): NodeData {
    return new NodeData(this.keys, this.counters);
  }
}
