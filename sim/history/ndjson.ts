import type { HistoryEvent } from './event.ts';
import { problemOfEvent } from './event-fields.ts';
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
 * any other line that is not an event is an Error which names it.
 */
export function decodeHistory(text: string): HistoryLog {
  const log = new HistoryLog();
  let number = 1;
  for (let start = 0; start < text.length; number += 1) {
    const end = text.indexOf('\n', start);
    const isCutOff = end === -1;
    const line = isCutOff ? text.slice(start) : text.slice(start, end);
    const event = parseLine(line, number, isCutOff);
    if (event === undefined) break;
    const problem = problemOfEvent(event);
    if (problem !== null) throw new Error(`Line ${number} of the history ${problem}`);
    log.record(event as HistoryEvent);
    start += line.length + 1;
  }
  return log;
}

function parseLine(line: string, number: number, isCutOff: boolean): unknown {
  if (line.trim() === '') throw new Error(`Line ${number} of the history is empty: take it out`);
  try {
    return JSON.parse(line);
  } catch (cause) {
    if (isCutOff) return undefined;
    throw new Error(`Line ${number} of the history is not JSON`, { cause });
  }
}
