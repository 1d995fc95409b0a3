// Part of `event.ts`: faults, and what they do to nodes and clients.

/** A fault begins. `fault` numbers it from 1, `kind` is that of the scenario file, `targets` the lanes that it touches: a node that it could not act on is none of them. */
export interface FaultStarted {
  readonly type: 'fault-started';
  readonly timeUs: number;
  readonly fault: number;
  readonly kind: string;
  readonly targets: readonly string[];
  /** One line for people. */
  readonly description: string;
}

/** A fault came due and could not begin, so it has no effect and no end: `nodes` are those that it was aimed at, none of which ran; empty if it was aimed at nobody. */
export interface FaultMissed {
  readonly type: 'fault-missed';
  readonly timeUs: number;
  readonly fault: number;
  readonly kind: string;
  readonly nodes: readonly string[];
}

/** The fault is healed. */
export interface FaultEnded {
  readonly type: 'fault-ended';
  readonly timeUs: number;
  readonly fault: number;
}

export interface NodeCrashed {
  readonly type: 'node-crashed';
  readonly timeUs: number;
  readonly node: string;
}

/** The node serves again, with `keys` of its lock keys left. */
export interface NodeRestarted {
  readonly type: 'node-restarted';
  readonly timeUs: number;
  readonly node: string;
  readonly keys: number;
}

export interface NodePaused {
  readonly type: 'node-paused';
  readonly timeUs: number;
  readonly node: string;
}

export interface NodeResumed {
  readonly type: 'node-resumed';
  readonly timeUs: number;
  readonly node: string;
}

/**
 * A node's wall clock stepped (`byMs`), or changed its rate (`rate`, 1 is true). `offsetMs` is how far it is ahead of the true time now, as the node itself says; null of a
 * real one that is down, which finds its clock so when it starts again.
 */
export interface NodeClockChanged {
  readonly type: 'node-clock-changed';
  readonly timeUs: number;
  readonly node: string;
  readonly byMs: number;
  readonly rate: number;
  readonly offsetMs: number | null;
}

export interface ClientPaused {
  readonly type: 'client-paused';
  readonly timeUs: number;
  readonly client: string;
}

export interface ClientResumed {
  readonly type: 'client-resumed';
  readonly timeUs: number;
  readonly client: string;
}

/** A client's clock stepped or changed its rate. `clock` says which of the two. */
export interface ClientClockChanged {
  readonly type: 'client-clock-changed';
  readonly timeUs: number;
  readonly client: string;
  readonly clock: 'wall' | 'monotonic';
  readonly byMs: number;
  readonly rate: number;
}
