import type { HistoryEvent } from './event.ts';

/** What events match: the event's name, and the fields that must be as given. Scenarios are written with it: see `sim/scenario/moment.ts`. */
export interface EventPattern {
  readonly event: HistoryEvent['type'];
  readonly client?: string | undefined;
  readonly node?: string | undefined;
  readonly kind?: string | undefined;
  readonly reply?: string | undefined;
  readonly code?: string | undefined;
  readonly cause?: string | undefined;
  readonly direction?: 'request' | 'reply' | undefined;
  readonly phase?: 'workload' | 'probe' | undefined;
}
