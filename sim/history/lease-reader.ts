import type {
  AcquireGranted,
  ExtendFailed,
  ExtendGranted,
  ExtendInvoked,
  HistoryEvent,
  ReleaseDone,
  ReleaseInvoked,
  SectionEntered,
  SectionLeft,
  WriteAccepted,
} from './event.ts';
import { keyLifeUs } from './key-life.ts';
import { NONE, type RunTables } from './run-tables.ts';

const INFINITY = Number.POSITIVE_INFINITY;
interface OpenExtension {
  readonly lease: number;
  readonly ttlMs: number;
  readonly invokedUs: number;
}

/** Reads what clients do with the leases that they were granted. */
export class LeaseReader {
  private readonly tables: RunTables;
  private readonly openExtensions = new Map<number, OpenExtension>();

  constructor(tables: RunTables) {
    this.tables = tables;
  }

  /** Adds the lease of an acquire that is granted by this event. */
  granted(index: number, event: AcquireGranted, acquire: number): void {
    const { acquires, attempts, leases, windows } = this.tables;
    const attempt = acquires.lastAttempt.get(acquire);
    const lease = leases.count;
    acquires.lease.set(acquire, lease);
    leases.acquire.push(acquire);
    leases.resource.push(acquires.resource.get(acquire));
    leases.startedUs.push(attempt === NONE ? acquires.invokedUs.get(acquire) : attempts.startedUs.get(attempt));
    leases.startedIndex.push(
      attempt === NONE ? acquires.invokedIndex.get(acquire) : attempts.startedIndex.get(attempt),
    );
    leases.grantedUs.push(event.timeUs);
    leases.grantedIndex.push(index);
    leases.window.push(windows.count);
    leases.section.push(NONE);
    leases.releaseInvokedUs.push(INFINITY);
    leases.releaseDoneUs.push(INFINITY);
    leases.keysUntilUs.push(event.timeUs + this.keyLifeUs(acquires.ttlMs.get(acquire)));
    leases.token.push(event.token ?? Number.NaN);
    this.openWindow(lease, index, event);
  }

  extendInvoked(index: number, event: ExtendInvoked): void {
    this.tables.operations += 1;
    const lease = this.leaseOf(index, event);
    if (lease === NONE) return;
    if (this.openExtensions.has(event.operation)) {
      this.tables.contradict(index, event, `uses operation ${event.operation} again`);
      return;
    }
    this.openExtensions.set(event.operation, { lease, ttlMs: event.ttlMs, invokedUs: event.timeUs });
  }

  extendGranted(index: number, event: ExtendGranted): void {
    const { leases, windows } = this.tables;
    const lease = this.extendSettled(index, event);
    // Who has called release does not believe in the lease any more, whatever is granted.
    if (lease === NONE || leases.releaseInvokedUs.get(lease) <= event.timeUs) return;
    const window = leases.window.get(lease);
    const untilUs = windows.untilUs.get(window);
    if (untilUs < event.timeUs) {
      leases.window.set(lease, windows.count);
      this.openWindow(lease, index, event);
    } else if (event.validUntilUs > untilUs) {
      windows.untilUs.set(window, event.validUntilUs);
      windows.prolongedIndex.set(window, index);
    }
  }

  /** A refused extension may have prolonged the key on some nodes, so that it counts like one that was granted. Returns the lease. */
  extendSettled(index: number, event: ExtendGranted | ExtendFailed): number {
    const { leases } = this.tables;
    const extension = this.openExtensions.get(event.operation);
    if (extension === undefined) {
      this.tables.contradict(index, event, `settles extension ${event.operation}, which is not under way`);
      return NONE;
    }
    this.openExtensions.delete(event.operation);
    const { lease, ttlMs, invokedUs } = extension;
    // Keys that were gone when it was invoked are gone for good: an extension creates none.
    if (invokedUs < leases.keysUntilUs.get(lease)) {
      leases.keysUntilUs.raise(lease, event.timeUs + this.keyLifeUs(ttlMs));
    }
    return lease;
  }

  releaseInvoked(index: number, event: ReleaseInvoked): void {
    const { leases, windows } = this.tables;
    this.tables.operations += 1;
    const lease = this.leaseOf(index, event);
    if (lease === NONE) return;
    leases.releaseInvokedUs.lower(lease, event.timeUs);
    windows.untilUs.lower(leases.window.get(lease), event.timeUs);
  }

  releaseDone(index: number, event: ReleaseDone): void {
    const { leases } = this.tables;
    const lease = this.leaseOf(index, event);
    if (lease === NONE) return;
    if (leases.releaseInvokedUs.get(lease) === INFINITY) {
      this.tables.contradict(index, event, `settles the release of lease ${event.lease}, which was not invoked`);
      return;
    }
    leases.releaseDoneUs.lower(lease, event.timeUs);
  }

  sectionEntered(index: number, event: SectionEntered): void {
    const { leases, sections } = this.tables;
    const lease = this.leaseOf(index, event);
    if (lease === NONE) return;
    if (leases.section.get(lease) !== NONE) {
      this.tables.contradict(index, event, `enters the section of lease ${event.lease} a second time`);
      return;
    }
    leases.section.set(lease, sections.count);
    sections.lease.push(lease);
    sections.enteredIndex.push(index);
    sections.enteredUs.push(event.timeUs);
    sections.leftUs.push(INFINITY);
  }

  sectionLeft(index: number, event: SectionLeft): void {
    const { leases, sections } = this.tables;
    const lease = this.leaseOf(index, event);
    if (lease === NONE) return;
    const section = leases.section.get(lease);
    if (section === NONE) {
      this.tables.contradict(index, event, `leaves the section of lease ${event.lease}, which is not entered`);
      return;
    }
    sections.leftUs.set(section, event.timeUs);
    leases.section.set(lease, NONE);
  }

  writeAccepted(index: number, event: WriteAccepted): void {
    const { acceptedWrites } = this.tables;
    const lease = this.leaseOf(index, event);
    if (lease === NONE) return;
    acceptedWrites.lease.push(lease);
    acceptedWrites.acceptedIndex.push(index);
  }

  /** What is pending when the history ends may still happen, at any time. */
  finish(): void {
    for (const { lease } of this.openExtensions.values()) this.tables.leases.keysUntilUs.set(lease, INFINITY);
  }

  private openWindow(lease: number, index: number, event: AcquireGranted | ExtendGranted): void {
    const { windows } = this.tables;
    windows.lease.push(lease);
    windows.fromIndex.push(index);
    windows.fromUs.push(event.timeUs);
    windows.firstUntilUs.push(event.validUntilUs);
    windows.untilUs.push(event.validUntilUs);
    windows.prolongedIndex.push(NONE);
  }

  private leaseOf(index: number, event: HistoryEvent & { readonly lease: number }): number {
    const { acquires } = this.tables;
    const acquire = acquires.rowOfOperation.rowOf(event.lease);
    const lease = acquire === NONE ? NONE : acquires.lease.get(acquire);
    if (lease === NONE) this.tables.contradict(index, event, `names lease ${event.lease}, which was not granted`);
    return lease;
  }

  private keyLifeUs(ttlMs: number): number {
    return keyLifeUs(ttlMs, this.tables.clockDriftFactor);
  }
}
