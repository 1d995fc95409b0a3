import type { AcquireGranted, ExtendGranted } from '../history/event.ts';
import type { History } from '../history/history.ts';
import { NONE, type RunTables } from '../history/tables/run-tables.ts';
import { tablesOf } from '../history/tables/table-reader.ts';
import { formatTimeUs } from '../text/duration-text.ts';
import { Findings } from './findings.ts';
import type { PropertyVerdict, Violation } from './verdict.ts';
import { leaseText, resourceText } from './wording.ts';

/**
 * Violated when, in true time, the validity windows of two leases on one resource overlap. Windows that only touch do not.
 * Each window that begins inside an earlier one counts once, against the one that lasts longest. Violated, too, by each
 * grant that came when the validity was over: whoever got it took it for a lock.
 */
export function checkMutualExclusion(history: History): PropertyVerdict {
  const tables = tablesOf(history);
  const { windows, leases } = tables;
  const findings = new Findings('mutual-exclusion', tables);
  /** By resource, of the windows so far the one that lasts longest. */
  const longest = new Int32Array(tables.resources.count).fill(NONE);
  for (let window = 0; window < windows.count; window += 1) {
    const fromUs = windows.fromUs.get(window);
    const untilUs = windows.untilUs.get(window);
    if (untilUs <= fromUs) continue;
    const resource = leases.resource.get(windows.lease.get(window));
    const earlier = longest[resource] as number;
    const earlierUntilUs = earlier === NONE ? Number.NEGATIVE_INFINITY : windows.untilUs.get(earlier);
    if (earlierUntilUs > fromUs) findings.add(() => describeOverlap(history, tables, earlier, window));
    if (untilUs > earlierUntilUs) longest[resource] = window;
  }
  for (let grant = 0; grant < tables.lateGrantIndexes.length; grant += 1) {
    findings.add(() => describeLateGrant(history, tables.lateGrantIndexes.get(grant)));
  }
  return findings.verdict(leases.count === 0 ? 'no lock was granted' : null);
}

function describeOverlap(history: History, tables: RunTables, earlier: number, later: number): Violation {
  const { windows, leases } = tables;
  const fromUs = windows.fromUs.get(later);
  const untilUs = Math.min(windows.untilUs.get(earlier), windows.untilUs.get(later));
  const [first, second] = [windows.lease.get(earlier), windows.lease.get(later)];
  // What prolonged it proves the overlap only if there would have been none without.
  const beginning = history.at(windows.fromIndex.get(earlier));
  const wasLongEnough = 'validUntilUs' in beginning && beginning.validUntilUs > fromUs;
  const isRevived = history.at(windows.fromIndex.get(later)).type === 'client-clock-changed';
  return {
    message:
      `On ${resourceText(tables, leases.resource.get(first))}, ${leaseText(history, tables, second)} was valid ` +
      `${isRevived ? 'again, by a clock that was set back, ' : ''}from ${formatTimeUs(fromUs)} on, while ${leaseText(history, tables, first)} was valid until ` +
      `${formatTimeUs(windows.untilUs.get(earlier))}: both of them for ${formatTimeUs(untilUs - fromUs)}.`,
    events: [
      tables.grantedIndex(first),
      windows.fromIndex.get(earlier),
      wasLongEnough ? NONE : windows.prolongedIndex.get(earlier),
      tables.grantedIndex(second),
      windows.fromIndex.get(later),
    ],
  };
}

function describeLateGrant(history: History, index: number): Violation {
  const event = history.at(index) as AcquireGranted | ExtendGranted;
  const { client, timeUs, validityMs } = event;
  const [lease, what] =
    event.type === 'acquire-granted' ? [event.operation, 'was granted'] : [event.lease, 'was extended'];
  const left = validityMs === 0 ? '' : `, by ${formatTimeUs(-validityMs * 1000)}`;
  return {
    message: `Lease ${lease} of ${client} ${what} after its validity was over${left}, at ${formatTimeUs(timeUs)}.`,
    events: [index],
  };
}
