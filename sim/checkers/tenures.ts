import { NONE, PENDING, type RunTables } from '../history/run-tables.ts';
import { countBefore, ResourceGroups } from './resource-groups.ts';

const INFINITY = Number.POSITIVE_INFINITY;

/** The leases of one resource by the start of their acquisition, each with the end of the longest tenure up to it. */
interface Tenancy {
  readonly startsUs: Float64Array;
  readonly longestUntilUs: Float64Array;
}

/**
 * Who held the lock, and when: a lease from the start of the attempt that was granted until a quorum confirmed its release, or
 * its keys had expired. An attempt that was still under way when the history ends may have taken the lock, or still take it.
 */
export class Tenures {
  private readonly tables: RunTables;
  private readonly groups: ResourceGroups;
  private readonly tenancies: (Tenancy | undefined)[];
  /** By resource, when the first of the attempts began that are still under way. */
  private readonly pendingFromUs: Float64Array;

  constructor(tables: RunTables) {
    const { acquires, attempts, resources } = tables;
    this.tables = tables;
    this.groups = new ResourceGroups(tables.leases.resource, resources.count);
    this.tenancies = new Array<Tenancy | undefined>(resources.count).fill(undefined);
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

  /** Whether somebody else held the lock, or may have, during an attempt of this acquire, which has no lease. */
  overlapAttemptsOf(acquire: number): boolean {
    const { acquires, attempts } = this.tables;
    const resource = acquires.resource.get(acquire);
    // Two that never settle do not excuse each other.
    const pendingFromUs =
      acquires.outcome.get(acquire) === PENDING ? INFINITY : (this.pendingFromUs[resource] as number);
    const tenancy = this.tenancyOf(resource);
    for (let attempt = acquires.lastAttempt.get(acquire); attempt !== NONE; attempt = attempts.previous.get(attempt)) {
      const endedUs = attempts.endedUs.get(attempt);
      if (pendingFromUs < endedUs || wasHeld(tenancy, attempts.startedUs.get(attempt), endedUs)) return true;
    }
    return false;
  }

  private tenancyOf(resource: number): Tenancy {
    const known = this.tenancies[resource];
    if (known !== undefined) return known;
    const { startedUs, goneUs } = this.tables.leases;
    const { rows, starts } = this.groups;
    const leases = rows.subarray(starts[resource], starts[resource + 1]);
    if (
      !leases.every((lease, place) => place === 0 || startedUs.get(leases[place - 1] as number) <= startedUs.get(lease))
    ) {
      leases.sort((one, other) => startedUs.get(one) - startedUs.get(other));
    }
    const tenancy = { startsUs: new Float64Array(leases.length), longestUntilUs: new Float64Array(leases.length) };
    let longestUntilUs = Number.NEGATIVE_INFINITY;
    for (let place = 0; place < leases.length; place += 1) {
      const lease = leases[place] as number;
      longestUntilUs = Math.max(longestUntilUs, goneUs.get(lease));
      tenancy.startsUs[place] = startedUs.get(lease);
      tenancy.longestUntilUs[place] = longestUntilUs;
    }
    this.tenancies[resource] = tenancy;
    return tenancy;
  }
}

function wasHeld({ startsUs, longestUntilUs }: Tenancy, fromUs: number, untilUs: number): boolean {
  const begun = countBefore(startsUs.length, (place) => (startsUs[place] as number) < untilUs);
  return begun > 0 && (longestUntilUs[begun - 1] as number) > fromUs;
}
