import type { Column } from './columns.ts';

/** What the process that measures is told: by its parent, as JSON on its command line. */
export interface MeasurementRequest {
  readonly what: 'speed' | 'cost';
  /** Of the nodes, in order. The first is the one with whom something is wrong, if any is. */
  readonly ports: readonly number[];
  /** Of as many nodes that are all healthy, where one of the others is not: each contender runs on them too, in the same rounds. Null in a column of healthy nodes. */
  readonly healthyPorts: readonly number[] | null;
  readonly column: Column;
  readonly contenders: readonly string[];
  readonly rounds: number;
  readonly roundMs: number;
  /** Of the order within rounds. */
  readonly seed: number;
}

/** One contender in one round. */
export interface SpeedRound {
  readonly cyclesPerSecond: number;
  /** Of the client's process, with all its threads: user and system. */
  readonly cpuUsPerCycle: number;
  /** Of all servers together. */
  readonly serverCpuUsPerCycle: number;
}

/** What became of one contender in one column: no rounds when not one cycle was finished within the warm-up and a second. */
export interface SpeedOutcome {
  readonly contender: string;
  readonly rounds: readonly SpeedRound[];
  /** Of the same contender on healthy nodes, each from the same round; null in a column of healthy nodes. */
  readonly healthyRounds: readonly SpeedRound[] | null;
  /** Cycles that were rejected, in all rounds, and why the first was. */
  readonly failures: number;
  readonly firstFailure: string | null;
}

/** What one contender costs a cycle. */
export interface CostOutcome {
  readonly contender: string;
  /** Bytes allocated on the heap, of each batch of cycles. */
  readonly heapBytesPerCycle: readonly number[];
  /** Calls that each node gets: one round trip each. */
  readonly callsPerCycleAndNode: number;
}

/** What the process that measures says to its parent. */
export type MeasurementMessage =
  | { readonly kind: 'speed'; readonly outcomes: readonly SpeedOutcome[] }
  | { readonly kind: 'cost'; readonly outcomes: readonly CostOutcome[] };
