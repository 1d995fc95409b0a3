import { NONE, PENDING, type RunTables } from '../history/run-tables.ts';
import { countBefore, ResourceGroups } from './resource-groups.ts';

const INFINITY = Number.POSITIVE_INFINITY;

/** Stretches of time on one resource by their start, each with the latest end up to it. */
interface Stretches {
  readonly startsUs: Float64Array;
  readonly latestEndUs: Float64Array;
}

/** What of one resource excuses attempts in vain. */
interface Excuses {
  readonly tenures: Stretches;
  readonly winners: Stretches;
}

/**
 * Who held the lock, and when: a lease from the start of the attempt that was granted until a quorum confirmed its release, or
 * its keys had expired. An attempt that was still under way when the history ends may have taken the lock, or still take it.
 * Who was granted the lock in the end had a hand in the votes of the attempts before that, too.
 */
export class Tenures {
  private readonly tables: RunTables;
  private readonly leasesByResource: ResourceGroups;
  private readonly excuses: (Excuses | undefined)[];
  /** By resource, when the first of the attempts began that are still under way. */
  private readonly pendingFromUs: Float64Array;

  constructor(tables: RunTables) {
    const { acquires, attempts, resources } = tables;
    this.tables = tables;
    this.leasesByResource = new ResourceGroups(tables.leases.resource, resources.count);
    this.excuses = new Array<Excuses | undefined>(resources.count).fill(undefined);
    this.pendingFromUs = new Float64Array(resources.count).fill(INFINITY);
    for (let acquire = 0; acquire < acquires.count; acquire += 1) {
      if (acquires.outcome.get(acquire) !== PENDING) continue;
      const attempt = acquires.lastAttempt.get(acquire);
      if (attempt === NONE || attempts.endedUs.get(attempt) !== INFINITY) continue;
      const resource = acquires.resource.get(acquire);
      const fromUs = attempts.startedUs.get(attempt);
      if (fromUs < (this.pendingFromUs[resource] as number)) this.pendingFromUs[resource] = fromUs;
    }
  }

  /**
   * Whether this attempt of an acquire without a lease had to fail, whoever answered: somebody else held the lock during it, or
   * may have, or got it before `nextUs`, when the acquire tried again; or an attempt at the same time was of
   * somebody who got the lock later.
   */
  excuse(acquire: number, attempt: number, nextUs: number): boolean {
    const { acquires, attempts } = this.tables;
    const resource = acquires.resource.get(acquire);
    // Two that never settle do not excuse each other.
    if (acquires.outcome.get(acquire) !== PENDING && (this.pendingFromUs[resource] as number) < nextUs) return true;
    const { tenures, winners } = this.excusesOn(resource);
    const startedUs = attempts.startedUs.get(attempt);
    return reachInto(tenures, startedUs, nextUs) || reachInto(winners, startedUs, attempts.endedUs.get(attempt));
  }

  private excusesOn(resource: number): Excuses {
    let excuses = this.excuses[resource];
    if (excuses === undefined) {
      excuses = { tenures: this.tenuresOn(resource), winners: this.winnersOn(resource) };
      this.excuses[resource] = excuses;
    }
    return excuses;
  }

  private tenuresOn(resource: number): Stretches {
    const { startedUs, goneUs } = this.tables.leases;
    const { rows, starts } = this.leasesByResource;
    const leases = rows.subarray(starts[resource], starts[resource + 1]);
    return stretchesOf(
      leases,
      (lease) => startedUs.get(lease),
      (lease) => goneUs.get(lease),
    );
  }

  /** The attempts in vain of acquires that were granted later. */
  private winnersOn(resource: number): Stretches {
    const { acquires, attempts, leases } = this.tables;
    const { rows, starts } = this.leasesByResource;
    const inVain: number[] = [];
    for (const lease of rows.subarray(starts[resource], starts[resource + 1])) {
      const acquire = leases.acquire.get(lease);
      const last = acquires.lastAttempt.get(acquire);
      if (last === NONE) continue;
      for (let attempt = attempts.previous.get(last); attempt !== NONE; attempt = attempts.previous.get(attempt)) {
        inVain.push(attempt);
      }
    }
    return stretchesOf(
      Int32Array.from(inVain),
      (attempt) => attempts.startedUs.get(attempt),
      (attempt) => attempts.endedUs.get(attempt),
    );
  }
}

/** Sorts `rows`, unless they are in order. */
function stretchesOf(rows: Int32Array, startUs: (row: number) => number, endUs: (row: number) => number): Stretches {
  if (!rows.every((row, place) => place === 0 || startUs(rows[place - 1] as number) <= startUs(row))) {
    rows.sort((one, other) => startUs(one) - startUs(other));
  }
  const stretches = { startsUs: new Float64Array(rows.length), latestEndUs: new Float64Array(rows.length) };
  let latestEndUs = Number.NEGATIVE_INFINITY;
  for (let place = 0; place < rows.length; place += 1) {
    const row = rows[place] as number;
    latestEndUs = Math.max(latestEndUs, endUs(row));
    stretches.startsUs[place] = startUs(row);
    stretches.latestEndUs[place] = latestEndUs;
  }
  return stretches;
}

function reachInto({ startsUs, latestEndUs }: Stretches, fromUs: number, untilUs: number): boolean {
  const begun = countBefore(startsUs.length, (place) => (startsUs[place] as number) < untilUs);
  return begun > 0 && (latestEndUs[begun - 1] as number) > fromUs;
}
