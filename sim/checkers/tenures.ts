import { Column } from '../history/tables/column.ts';
import type { AcquireFailed, AcquireGranted } from '../history/event.ts';
import type { History } from '../history/history.ts';
import { NONE, PENDING, type RunTables } from '../history/tables/run-tables.ts';
import { countBefore, ResourceGroups } from './resource-groups.ts';

const INFINITY = Number.POSITIVE_INFINITY;

/** Stretches of time on one resource by their start, each with the latest end up to it. */
interface Stretches {
  readonly startsUs: Float64Array;
  readonly latestEndsUs: Float64Array;
}

/** What acquires ask for: a row for each resource of each acquire. */
interface Claims {
  readonly acquire: Column;
  readonly byResource: ResourceGroups;
}

/** Who was after the lock on one resource. */
interface Contest {
  /** Acquires from their first attempt to their outcome. */
  readonly quests: Stretches;
  /** When attempts begin, and when they end, each in order. */
  readonly attemptStartsUs: Float64Array;
  readonly attemptEndsUs: Float64Array;
  /** When attempts were made that took no time, in order. */
  readonly instantsUs: Float64Array;
}

/**
 * Who held the lock, and when: a lease from the start of the attempt that was granted until a quorum confirmed its release, or
 * its keys had expired. An attempt that was still under way when the history ends may have taken the lock, or still take it.
 * Besides, who was after it when: attempts at the same time may split the votes.
 */
export class Tenures {
  private readonly history: History;
  private readonly tables: RunTables;
  private readonly leasesByResource: ResourceGroups;
  private claims: Claims | null = null;
  /** By resource; made when they are asked for, for most runs need few of them. */
  private readonly tenures: (Stretches | undefined)[];
  private readonly contests: (Contest | undefined)[];
  /** By resource, when the first of the attempts began that are still under way. */
  private readonly pendingFromUs: Float64Array;

  constructor(history: History, tables: RunTables) {
    const { acquires, attempts, resources } = tables;
    this.history = history;
    this.tables = tables;
    this.leasesByResource = new ResourceGroups(tables.leases.resource, resources.count);
    this.tenures = new Array<Stretches | undefined>(resources.count).fill(undefined);
    this.contests = new Array<Contest | undefined>(resources.count).fill(undefined);
    this.pendingFromUs = new Float64Array(resources.count).fill(INFINITY);
    for (let acquire = 0; acquire < acquires.count; acquire += 1) {
      if (acquires.outcome.get(acquire) !== PENDING) continue;
      const attempt = acquires.lastAttempt.get(acquire);
      if (attempt === NONE || attempts.endedUs.get(attempt) !== INFINITY) continue;
      const fromUs = attempts.startedUs.get(attempt);
      for (const resource of acquires.resourcesOf(acquire)) {
        if (fromUs < (this.pendingFromUs[resource] as number)) this.pendingFromUs[resource] = fromUs;
      }
    }
  }

  /**
   * Whether this attempt of an acquire without a lease may well have failed, whoever answered: somebody else held the lock during it,
   * or may have, or got it before `nextUs`, when the acquire tried again. Or the votes may have been split with others who
   * tried at the same time, and somebody got the lock before all who were after it then had given up. An acquire of several resources is
   * excused by what happened on any of them.
   */
  excuse(acquire: number, attempt: number, nextUs: number): boolean {
    return this.tables.acquires
      .resourcesOf(acquire)
      .some((resource) => this.excuseOn(resource, acquire, attempt, nextUs));
  }

  private excuseOn(resource: number, acquire: number, attempt: number, nextUs: number): boolean {
    const { acquires, attempts } = this.tables;
    // Two that never settle do not excuse each other.
    if (acquires.outcome.get(acquire) !== PENDING && (this.pendingFromUs[resource] as number) < nextUs) return true;
    const tenures = this.tenuresOn(resource);
    const startedUs = attempts.startedUs.get(attempt);
    const endedUs = attempts.endedUs.get(attempt);
    if (reachInto(tenures, startedUs, nextUs)) return true;
    const { quests, attemptStartsUs, attemptEndsUs, instantsUs } = this.contestOn(resource);
    const underWay = countBelow(attemptStartsUs, endedUs) - countUpTo(attemptEndsUs, startedUs);
    // This attempt is one of them, unless it took no time: then those are missing that took none in the same instant, as it did.
    const rivals =
      startedUs < endedUs
        ? underWay - 1
        : underWay + countUpTo(instantsUs, startedUs) - countBelow(instantsUs, startedUs);
    return rivals > 0 && reachInto(tenures, startedUs, latestEndUs(quests, endedUs));
  }

  private tenuresOn(resource: number): Stretches {
    const { startedUs, goneUs } = this.tables.leases;
    return (this.tenures[resource] ??= stretchesOf(
      rowsOf(this.leasesByResource, resource),
      (lease) => startedUs.get(lease),
      (lease) => goneUs.get(lease),
    ));
  }

  private contestOn(resource: number): Contest {
    let contest = this.contests[resource];
    if (contest === undefined) {
      const { attempts } = this.tables;
      const { acquire: acquireOf, byResource } = (this.claims ??= claimsOf(this.tables));
      const acquires = rowsOf(byResource, resource).map((claim) => acquireOf.get(claim));
      const tries = this.attemptsOf(acquires);
      contest = {
        quests: stretchesOf(
          acquires.filter((acquire) => this.tables.acquires.lastAttempt.get(acquire) !== NONE),
          (acquire) => this.beganUs(acquire),
          (acquire) => this.gaveUpUs(acquire),
        ),
        attemptStartsUs: sortedValues(tries, attempts.startedUs),
        attemptEndsUs: sortedValues(tries, attempts.endedUs),
        instantsUs: sortedValues(
          tries.filter((attempt) => attempts.startedUs.get(attempt) === attempts.endedUs.get(attempt)),
          attempts.startedUs,
        ),
      };
      this.contests[resource] = contest;
    }
    return contest;
  }

  private attemptsOf(acquires: Int32Array): number[] {
    const { attempts } = this.tables;
    const found: number[] = [];
    for (const acquire of acquires) {
      let attempt = this.tables.acquires.lastAttempt.get(acquire);
      for (; attempt !== NONE; attempt = attempts.previous.get(attempt)) found.push(attempt);
    }
    return found;
  }

  private beganUs(acquire: number): number {
    const { acquires, attempts } = this.tables;
    let first = acquires.lastAttempt.get(acquire);
    while (attempts.previous.get(first) !== NONE) first = attempts.previous.get(first);
    return attempts.startedUs.get(first);
  }

  /** When the acquire had its outcome, or made its last attempt. */
  private gaveUpUs(acquire: number): number {
    const { acquires, attempts } = this.tables;
    const outcome = acquires.outcomeIndex.get(acquire);
    if (outcome === NONE) return attempts.startedUs.get(acquires.lastAttempt.get(acquire));
    return (this.history.at(outcome) as AcquireGranted | AcquireFailed).timeUs;
  }
}

function claimsOf({ acquires, resources }: RunTables): Claims {
  const acquireColumn = Column.ofIntegers();
  const resourceColumn = Column.ofIntegers();
  for (let acquire = 0; acquire < acquires.count; acquire += 1) {
    for (const resource of acquires.resourcesOf(acquire)) {
      acquireColumn.push(acquire);
      resourceColumn.push(resource);
    }
  }
  return { acquire: acquireColumn, byResource: new ResourceGroups(resourceColumn, resources.count) };
}

function rowsOf({ rows, starts }: ResourceGroups, resource: number): Int32Array {
  return rows.subarray(starts[resource], starts[resource + 1]);
}

function sortedValues(rows: readonly number[], column: Column): Float64Array {
  return Float64Array.from(rows, (row) => column.get(row)).sort();
}

function stretchesOf(rows: Int32Array, startUs: (row: number) => number, endUs: (row: number) => number): Stretches {
  const inOrder = rows.every((row, place) => place === 0 || startUs(rows[place - 1] as number) <= startUs(row));
  const sorted = inOrder ? rows : rows.toSorted((one, other) => startUs(one) - startUs(other));
  const stretches = { startsUs: new Float64Array(sorted.length), latestEndsUs: new Float64Array(sorted.length) };
  let latestUs = Number.NEGATIVE_INFINITY;
  for (let place = 0; place < sorted.length; place += 1) {
    const row = sorted[place] as number;
    latestUs = Math.max(latestUs, endUs(row));
    stretches.startsUs[place] = startUs(row);
    stretches.latestEndsUs[place] = latestUs;
  }
  return stretches;
}

function reachInto(stretches: Stretches, fromUs: number, untilUs: number): boolean {
  return latestEndUs(stretches, untilUs) > fromUs;
}

/** The latest end of those that begin before `untilUs`. */
function latestEndUs({ startsUs, latestEndsUs }: Stretches, untilUs: number): number {
  return latestEndsUs[countBelow(startsUs, untilUs) - 1] ?? Number.NEGATIVE_INFINITY;
}

function countBelow(sorted: Float64Array, limit: number): number {
  return countBefore(sorted.length, (place) => (sorted[place] as number) < limit);
}

function countUpTo(sorted: Float64Array, limit: number): number {
  return countBefore(sorted.length, (place) => (sorted[place] as number) <= limit);
}
