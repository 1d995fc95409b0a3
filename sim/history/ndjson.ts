import type { HistoryEvent } from './event.ts';
import { HistoryLog } from './history-log.ts';
import type { History } from './history.ts';

/** One event as one line of JSON, without the line end. Equal events give equal bytes. */
export function encodeEvent(event: HistoryEvent): string {
  return JSON.stringify(event);
}

/** A whole history as NDJSON. */
export function encodeHistory(history: History): string {
  let text = '';
  for (let index = 0; index < history.length; index += 1) text += `${encodeEvent(history.at(index))}\n`;
  return text;
}

/**
 * Reads a history back. The last line may be cut off in the middle, as a killed run leaves it, and is then left out;
 * anything else that is not an event is an Error which names its line.
 */
export function decodeHistory(text: string): HistoryLog {
  const log = new HistoryLog();
  const lines = text.split('\n');
  const lastIsWhole = lines.at(-1) === '';
  lines.forEach((line, index) => {
    if (line === '') {
      if (index !== lines.length - 1) throw new Error(`line ${index + 1} of the history is empty`);
      return;
    }
    let event: unknown;
    try {
      event = JSON.parse(line);
    } catch (cause) {
      if (index === lines.length - 1 && !lastIsWhole) return;
      throw new Error(`line ${index + 1} of the history is not JSON`, { cause });
    }
    if (!isEvent(event)) throw new Error(`line ${index + 1} of the history is not an event: it needs a type and a timeUs`);
    log.record(event);
  });
  return log;
}

function isEvent(value: unknown): value is HistoryEvent {
  if (typeof value !== 'object' || value === null) return false;
  const { type, timeUs } = value as { type?: unknown; timeUs?: unknown };
  return typeof type === 'string' && typeof timeUs === 'number';
}
