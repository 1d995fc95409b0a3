import type { AcquireGranted } from '../history/event.ts';
import type { History } from '../history/history.ts';
import type { RunTables } from '../history/tables/run-tables.ts';
import { formatTimeUs } from '../text/duration-text.ts';

/** A lease in a sentence: `lease 7 of A`. */
export function leaseText(history: History, tables: RunTables, lease: number): string {
  const { operation, client } = history.at(tables.grantedIndex(lease)) as AcquireGranted;
  return `lease ${operation} of ${client}`;
}

/** The resource with this number, in quotes. */
export function resourceText(tables: RunTables, resource: number): string {
  return JSON.stringify(tables.resources.textOf(resource));
}

/** `until 12.5 ms`, or what stands for a moment that never came. */
export function untilText(timeUs: number): string {
  return timeUs === Number.POSITIVE_INFINITY ? 'until the end of the run' : `until ${formatTimeUs(timeUs)}`;
}
