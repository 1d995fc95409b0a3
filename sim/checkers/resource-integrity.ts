import type { WriteAccepted } from '../history/event.ts';
import type { History } from '../history/history.ts';
import { NONE, type RunTables } from '../history/tables/run-tables.ts';
import { tablesOf } from '../history/tables/table-reader.ts';
import { formatTimeUs } from '../text/duration-text.ts';
import { Findings } from './findings.ts';
import type { PropertyVerdict, Violation } from './verdict.ts';
import { leaseText, resourceText } from './wording.ts';

/**
 * Violated when the resource accepted a write from a holder older than one that it had already accepted. Older is who was granted
 * the lock earlier. Fencing tokens promise a little less: who was granted it before the acquisition of the other began,
 * so that of two leases acquired at the same time neither is older if they carry tokens: then the tokens themselves say who is, and
 * no write may carry a smaller one than a write that was accepted before it.
 */
export function checkResourceIntegrity(history: History): PropertyVerdict {
  const tables = tablesOf(history);
  const { acceptedWrites, leases } = tables;
  const findings = new Findings('resource-integrity', tables);
  /** By resource, of the writes accepted so far the one whose holder is newest. */
  const newest = new Int32Array(tables.resources.count).fill(NONE);
  /** By resource, of the writes accepted so far the one with the largest token. */
  const largest = new Int32Array(tables.resources.count).fill(NONE);
  /** A lease granted before this is older. */
  const sinceUs = (lease: number): number =>
    Number.isNaN(leases.token.get(lease)) ? tables.grantedUs(lease) : leases.startedUs.get(lease);

  for (let write = 0; write < acceptedWrites.count; write += 1) {
    const lease = acceptedWrites.lease.get(write);
    const resource = leases.resource.get(lease);
    const earlier = newest[resource] as number;
    const newestUs = earlier === NONE ? Number.NEGATIVE_INFINITY : sinceUs(acceptedWrites.lease.get(earlier));
    const token = acceptedWrites.token.get(write);
    const rival = largest[resource] as number;
    const largestToken = rival === NONE ? Number.NEGATIVE_INFINITY : acceptedWrites.token.get(rival);
    if (tables.grantedUs(lease) < newestUs) findings.add(() => describeStaleWrite(history, tables, earlier, write));
    else if (token < largestToken) findings.add(() => describeStaleToken(history, tables, rival, write));
    if (sinceUs(lease) > newestUs) newest[resource] = write;
    if (token > largestToken) largest[resource] = write;
  }
  return findings.verdict(acceptedWrites.count === 0 ? 'the resource accepted no write' : null);
}

function describeStaleWrite(history: History, tables: RunTables, earlier: number, stale: number): Violation {
  const { acceptedWrites, leases } = tables;
  const [newer, older] = [acceptedWrites.lease.get(earlier), acceptedWrites.lease.get(stale)];
  const [newerIndex, olderIndex] = [acceptedWrites.acceptedIndex.get(earlier), acceptedWrites.acceptedIndex.get(stale)];
  const [newerWrite, olderWrite] = [history.at(newerIndex) as WriteAccepted, history.at(olderIndex) as WriteAccepted];
  return {
    message:
      `${resourceText(tables, leases.resource.get(older))} accepted write ${olderWrite.write} by ${leaseText(history, tables, older)} ` +
      `(granted at ${formatTimeUs(tables.grantedUs(older))}) at ${formatTimeUs(olderWrite.timeUs)}, after it had accepted ` +
      `write ${newerWrite.write} by ${leaseText(history, tables, newer)} (granted at ` +
      `${formatTimeUs(tables.grantedUs(newer))}) at ${formatTimeUs(newerWrite.timeUs)}.`,
    events: [tables.grantedIndex(older), tables.grantedIndex(newer), newerIndex, olderIndex],
  };
}

function describeStaleToken(history: History, tables: RunTables, earlier: number, stale: number): Violation {
  const { acceptedWrites, leases } = tables;
  const [newer, older] = [acceptedWrites.lease.get(earlier), acceptedWrites.lease.get(stale)];
  const [newerIndex, olderIndex] = [acceptedWrites.acceptedIndex.get(earlier), acceptedWrites.acceptedIndex.get(stale)];
  const [newerWrite, olderWrite] = [history.at(newerIndex) as WriteAccepted, history.at(olderIndex) as WriteAccepted];
  return {
    message:
      `${resourceText(tables, leases.resource.get(older))} accepted write ${olderWrite.write} by ${leaseText(history, tables, older)} ` +
      `with token ${olderWrite.token} at ${formatTimeUs(olderWrite.timeUs)}, after it had accepted ` +
      `write ${newerWrite.write} by ${leaseText(history, tables, newer)} with the larger token ${newerWrite.token} at ` +
      `${formatTimeUs(newerWrite.timeUs)}.`,
    events: [tables.grantedIndex(older), tables.grantedIndex(newer), newerIndex, olderIndex],
  };
}
