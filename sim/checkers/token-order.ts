import type { History } from '../history/history.ts';
import { NONE, type RunTables } from '../history/tables/run-tables.ts';
import { tablesOf } from '../history/tables/table-reader.ts';
import { formatTimeUs } from '../text/duration-text.ts';
import { Findings } from './findings.ts';
import { countBefore, ResourceGroups } from './resource-groups.ts';
import type { PropertyVerdict, Violation } from './verdict.ts';
import { leaseText, resourceText } from './wording.ts';

/**
 * Violated when two leases on one resource carry the same token, or a lease whose acquisition began after another was granted
 * carries one that is not larger. The acquisition began with the attempt that was granted. Each lease counts once: against
 * the largest token granted before it began, or else against the first lease with its token. Violated, too, by each lease that
 * carries no token although the run is with fencing.
 */
export function checkTokenOrder(history: History): PropertyVerdict {
  const tables = tablesOf(history);
  const findings = new Findings('token-order', tables);
  const { rows, starts } = new ResourceGroups(tables.leases.resource, tables.resources.count);
  let judged = 0;
  for (let resource = 0; resource < tables.resources.count; resource += 1) {
    judged += new TokenSequence(
      history,
      tables,
      rows.subarray(starts[resource], starts[resource + 1]),
      findings,
    ).check();
  }
  if (tables.started?.fencing === true) {
    for (let lease = 0; lease < tables.leases.count; lease += 1) {
      if (Number.isNaN(tables.leases.token.get(lease))) findings.add(() => describeMissing(history, tables, lease));
    }
  }
  return findings.verdict(judged === 0 ? whyNotJudged(tables) : null);
}

function whyNotJudged(tables: RunTables): string {
  return tables.started?.fencing === true
    ? 'no two leases on one resource carry tokens'
    : 'the run was without fencing tokens';
}

function describeMissing(history: History, tables: RunTables, lease: number): Violation {
  return {
    message:
      `On ${resourceText(tables, tables.leases.resource.get(lease))}, ${leaseText(history, tables, lease)} carries no token ` +
      `(granted at ${formatTimeUs(tables.grantedUs(lease))}), in a run with fencing.`,
    events: [tables.grantedIndex(lease)],
  };
}

/** The leases on one resource that carry tokens, in the order in which they were granted. */
class TokenSequence {
  private readonly history: History;
  private readonly tables: RunTables;
  private readonly findings: Findings;
  private readonly leases: Int32Array;
  /** Of each place, the lease with the largest token up to there. */
  private readonly largest: Int32Array;
  private firstWithToken: Map<number, number> | null = null;

  constructor(history: History, tables: RunTables, rows: Int32Array, findings: Findings) {
    this.history = history;
    this.tables = tables;
    this.findings = findings;
    const { token } = tables.leases;
    this.leases = rows.filter((lease) => !Number.isNaN(token.get(lease)));
    this.largest = new Int32Array(this.leases.length);
  }

  /** Returns how many leases could be held against another. */
  check(): number {
    const { leases, largest } = this;
    const { token } = this.tables.leases;
    let before = NONE;
    for (let place = 0; place < leases.length; place += 1) {
      const lease = leases[place] as number;
      if (before === NONE || token.get(lease) > token.get(before)) before = lease;
      // Only a token that is not the largest so far can be wrong.
      else this.checkLate(place, lease);
      largest[place] = before;
    }
    return Math.max(0, leases.length - 1);
  }

  private checkLate(place: number, lease: number): void {
    const { token, startedUs } = this.tables.leases;
    const beganUs = startedUs.get(lease);
    const granted = countBefore(place, (earlier) => this.tables.grantedUs(this.leases[earlier] as number) < beganUs);
    const rival = granted === 0 ? NONE : (this.largest[granted - 1] as number);
    if (rival !== NONE && token.get(rival) >= token.get(lease)) {
      this.findings.add(() => this.describe(rival, lease, 'it was acquired after that was granted'));
      return;
    }
    const twin = this.firstLeaseWith(token.get(lease));
    if (twin < lease) this.findings.add(() => this.describe(twin, lease, 'tokens must differ'));
  }

  private firstLeaseWith(wanted: number): number {
    if (this.firstWithToken === null) {
      const first = new Map<number, number>();
      const { token } = this.tables.leases;
      for (const lease of this.leases) if (!first.has(token.get(lease))) first.set(token.get(lease), lease);
      this.firstWithToken = first;
    }
    return this.firstWithToken.get(wanted) as number;
  }

  private describe(earlier: number, later: number, rule: string): Violation {
    const { history, tables } = this;
    const { leases } = tables;
    return {
      message:
        `On ${resourceText(tables, leases.resource.get(later))}, ${leaseText(history, tables, later)} carries token ${leases.token.get(later)} ` +
        `(acquired from ${formatTimeUs(leases.startedUs.get(later))} to ${formatTimeUs(tables.grantedUs(later))}), and ` +
        `${leaseText(history, tables, earlier)} carries token ${leases.token.get(earlier)} (granted at ` +
        `${formatTimeUs(tables.grantedUs(earlier))}): ${rule}.`,
      events: [tables.grantedIndex(earlier), tables.startedIndex(later), tables.grantedIndex(later)],
    };
  }
}
