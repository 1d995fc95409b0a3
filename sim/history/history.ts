import type { HistoryEvent } from './event.ts';

/** A finished or growing record of one run, in the order in which things happened. */
export interface History {
  readonly length: number;
  /** The event at `index`; a RangeError beyond the end. Two calls may return two equal objects. */
  at(index: number): HistoryEvent;
}

/** Where a testbed writes what happens, as it happens. */
export interface Recorder {
  record(event: HistoryEvent): void;
}
