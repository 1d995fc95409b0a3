import type { HistoryEvent } from './event.ts';

/** What events match: the event's name, and the fields that must be as given. Scenarios are written with it: see `sim/scenario/moment.ts`. */
export interface EventPattern {
  readonly event: HistoryEvent['type'];
  readonly client?: string | undefined;
  /** A node, or `resource`. */
  readonly node?: string | undefined;
  /** Of the command or the fault. */
  readonly kind?: string | undefined;
  /** What a node answers: `granted`, `held`, `released`, `absent` … */
  readonly reply?: string | undefined;
  /** Of the library's error: `contended`, `unreachable`, `expired` … */
  readonly code?: string | undefined;
  /** Why a key was lost: `expired`, `evicted`, `restart`, `flush`, `promotion`. */
  readonly cause?: string | undefined;
  readonly direction?: 'request' | 'reply' | undefined;
  readonly phase?: 'workload' | 'probe' | undefined;
}
