import type { EventPattern } from './event-pattern.ts';
import type { HistoryEvent } from './event.ts';

const FIELDS = ['client', 'node', 'kind', 'reply', 'code', 'cause', 'direction', 'phase'] as const;

/** Whether an event is of the pattern's name and has every field that the pattern gives. */
export function matches(event: HistoryEvent, pattern: EventPattern): boolean {
  if (event.type !== pattern.event) return false;
  const fields = event as unknown as Readonly<Record<string, unknown>>;
  return FIELDS.every((field) => pattern[field] === undefined || fields[field] === pattern[field]);
}
