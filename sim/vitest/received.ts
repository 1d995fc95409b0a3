import { problemOfEvent } from '../history/event-fields.ts';
import type { HistoryEvent } from '../history/event.ts';
import { HistoryLog } from '../history/history-log.ts';
import type { History } from '../history/history.ts';
import type { RecordedRun } from './recorded-run.ts';

/**
 * The histories in what was handed to `expect`: a run, a list of runs, or a history from elsewhere, which may be a list of events. Throws a TypeError that says what
 * to do about anything else.
 */
export function historiesOf(received: unknown, matcher: string): readonly History[] {
  if (isHistory(received) && !isList(received)) return [received];
  if (isList(received) && received.length > 0) {
    if (received.every(isHistory)) return received;
    if (received.every(isEvent)) return [logOf(received)];
  }
  throw new TypeError(`${matcher} judges the runs that scenario() resolves to, and got ${describe(received)}`);
}

export function isRecordedRun(history: History): history is RecordedRun {
  return 'verdict' in history;
}

/** The seed of the run that a history tells of; null if it does not say. */
export function seedOf(history: History): number | null {
  if (isRecordedRun(history)) return history.seed;
  const first = history.length === 0 ? null : history.at(0);
  return first?.type === 'run-started' ? first.seed : null;
}

function describe(received: unknown): string {
  if (received instanceof Promise) return 'a promise: await it first';
  if (Array.isArray(received)) return received.length === 0 ? 'an empty list' : 'a list of something else';
  return received === null ? 'null' : typeof received;
}

function isList(value: unknown): value is readonly unknown[] {
  return Array.isArray(value);
}

function isHistory(value: unknown): value is History {
  return (
    typeof value === 'object' &&
    value !== null &&
    'length' in value &&
    typeof value.length === 'number' &&
    'at' in value &&
    typeof value.at === 'function'
  );
}

function isEvent(value: unknown): value is HistoryEvent {
  return problemOfEvent(value) === null;
}

function logOf(events: readonly HistoryEvent[]): HistoryLog {
  const log = new HistoryLog();
  for (const event of events) log.record(event);
  return log;
}
