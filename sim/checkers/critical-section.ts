import type { History } from '../history/history.ts';
import { NONE, type RunTables } from '../history/tables/run-tables.ts';
import { tablesOf } from '../history/tables/table-reader.ts';
import { formatTimeUs } from '../text/duration-text.ts';
import { Findings } from './findings.ts';
import type { PropertyVerdict, Violation } from './verdict.ts';
import { leaseText, resourceText, untilText } from './wording.ts';

/**
 * Violated when two clients are inside the work that one lock protects at once, whatever they believe. A section that is never
 * left lasts to the end of the run. Each entry while another client is inside counts once, against who stays longest.
 */
export function checkCriticalSection(history: History): PropertyVerdict {
  const tables = tablesOf(history);
  const { sections, leases, acquires } = tables;
  const findings = new Findings('critical-section', tables);
  const { count } = tables.resources;
  /** By resource: the section so far that lasts longest, and the one that does among those of other clients. */
  const longest = new Int32Array(count).fill(NONE);
  const longestOfOthers = new Int32Array(count).fill(NONE);
  const clientOf = (section: number): number => acquires.client.get(leases.acquire.get(sections.lease.get(section)));
  const leftUsOf = (section: number): number =>
    section === NONE ? Number.NEGATIVE_INFINITY : sections.leftUs.get(section);

  for (let section = 0; section < sections.count; section += 1) {
    const resource = leases.resource.get(sections.lease.get(section));
    const leftUs = leftUsOf(section);
    const first = longest[resource] as number;
    const isOfSameClient = first !== NONE && clientOf(first) === clientOf(section);
    const rival = isOfSameClient ? (longestOfOthers[resource] as number) : first;
    if (leftUsOf(rival) > sections.enteredUs.get(section)) {
      findings.add(() => describeMeeting(history, tables, rival, section));
    }
    if (leftUs > leftUsOf(first)) {
      longest[resource] = section;
      if (!isOfSameClient) longestOfOthers[resource] = first;
    } else if (!isOfSameClient && leftUs > leftUsOf(longestOfOthers[resource] as number)) {
      longestOfOthers[resource] = section;
    }
  }
  return findings.verdict(sections.count === 0 ? 'nobody entered a critical section' : null);
}

function describeMeeting(history: History, tables: RunTables, earlier: number, later: number): Violation {
  const { sections, leases } = tables;
  const [first, second] = [sections.lease.get(earlier), sections.lease.get(later)];
  return {
    message:
      `On ${resourceText(tables, leases.resource.get(second))}, ${leaseText(history, tables, second)} entered the section at ` +
      `${formatTimeUs(sections.enteredUs.get(later))}, while ${leaseText(history, tables, first)} was inside, from ` +
      `${formatTimeUs(sections.enteredUs.get(earlier))} ${untilText(sections.leftUs.get(earlier))}.`,
    events: [sections.enteredIndex.get(earlier), sections.enteredIndex.get(later)],
  };
}
