import { ClientClocks } from './client-clocks.ts';
import type {
  AcquireGranted,
  AcquireInvoked,
  ExtendFailed,
  ExtendGranted,
  ExtendInvoked,
  HistoryEvent,
  ReleaseDone,
  ReleaseInvoked,
  RunStarted,
  SectionEntered,
  SectionLeft,
  WriteAccepted,
} from '../event.ts';
import type { ClientClockChanged } from '../fault-events.ts';
import { keyLifeUs } from './key-life.ts';
import { HELD, NONE, RELEASED, RELEASING, type RunTables } from './run-tables.ts';

interface OpenExtension {
  readonly lease: number;
  readonly ttlMs: number;
  readonly invokedUs: number;
}

/** Reads what clients do with the leases that they were granted. What happens to a lease on several resources happens to each of its rows. */
export class LeaseReader {
  private readonly tables: RunTables;
  private readonly openExtensions = new Map<number, OpenExtension>();
  /** By the number of the client: its leases, those left out that were found to be given back. */
  private readonly leasesOfClient: number[][] = [];
  private clocks = new ClientClocks({});

  constructor(tables: RunTables) {
    this.tables = tables;
  }

  runStarted({ clocks }: RunStarted): void {
    this.clocks = new ClientClocks(clocks);
  }

  /** Adds the lease of an acquire that is granted by this event. */
  granted(index: number, event: AcquireGranted, acquire: number, invoked: AcquireInvoked): void {
    const { acquires, leases } = this.tables;
    acquires.lease.set(acquire, leases.count);
    for (const resource of acquires.resourcesOf(acquire)) this.add(index, event, acquire, invoked, resource);
    this.noteValidity(index, event);
  }

  private add(index: number, event: AcquireGranted, acquire: number, invoked: AcquireInvoked, resource: number): void {
    const { acquires, attempts, leases, windows } = this.tables;
    const attempt = acquires.lastAttempt.get(acquire);
    const lease = leases.count;
    leases.acquire.push(acquire);
    leases.resource.push(resource);
    leases.firstWindow.push(windows.count);
    leases.lastWindow.push(windows.count);
    leases.section.push(NONE);
    leases.state.push(HELD);
    leases.validUntilUs.push(event.validUntilUs);
    leases.startedUs.push(attempt === NONE ? invoked.timeUs : attempts.startedUs.get(attempt));
    leases.goneUs.push(event.timeUs + this.keyLifeUs(invoked.ttlMs));
    leases.token.push(event.token ?? Number.NaN);
    (this.leasesOfClient[acquires.client.get(acquire)] ??= []).push(lease);
    this.openWindow(lease, index, event.timeUs, event.validUntilUs);
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
    const first = this.extendSettled(index, event);
    if (first === NONE) return;
    this.noteValidity(index, event);
    const end = this.tables.endOfLease(first);
    for (let lease = first; lease < end; lease += 1) this.prolong(lease, index, event);
  }

  private prolong(lease: number, index: number, event: ExtendGranted): void {
    const { leases, windows } = this.tables;
    // Who has called release does not believe in the lease any more, whatever is granted.
    if (leases.state.get(lease) !== HELD) return;
    leases.validUntilUs.raise(lease, event.validUntilUs);
    const window = leases.lastWindow.get(lease);
    const untilUs = windows.untilUs.get(window);
    if (untilUs < event.timeUs) {
      leases.lastWindow.set(lease, windows.count);
      this.openWindow(lease, index, event.timeUs, event.validUntilUs);
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
    const { lease: first, ttlMs, invokedUs } = extension;
    const end = this.tables.endOfLease(first);
    for (let lease = first; lease < end; lease += 1) {
      // Keys that were gone when it was invoked, or are by now, are gone for good: an extension creates none.
      if (leases.state.get(lease) !== RELEASED && invokedUs < leases.goneUs.get(lease)) {
        leases.goneUs.raise(lease, event.timeUs + this.keyLifeUs(ttlMs));
      }
    }
    return first;
  }

  /** The holder's clock moves the end of its belief in every lease that it has not given back; those that were over may come to life again. */
  clientClockChanged(index: number, event: ClientClockChanged): void {
    const { leases, clients } = this.tables;
    if (!this.clocks.knows(event.client)) {
      this.tables.contradict(index, event, `names client ${event.client}, whose clock run-started does not tell`);
      return;
    }
    if (!(event.rate > 0)) {
      this.tables.contradict(index, event, `has the rate ${event.rate}: it must be more than 0`);
      return;
    }
    const moved = this.clocks.change(event);
    if (moved === null) return;
    const client = clients.numberOf(event.client);
    const held = (this.leasesOfClient[client] ?? []).filter((lease) => leases.state.get(lease) === HELD);
    this.leasesOfClient[client] = held;
    for (const lease of held) {
      const validUntilUs = moved(leases.validUntilUs.get(lease));
      leases.validUntilUs.set(lease, validUntilUs);
      this.moveWindow(lease, index, event.timeUs, Math.max(event.timeUs, Math.round(validUntilUs)));
    }
  }

  releaseInvoked(index: number, event: ReleaseInvoked): void {
    const { leases, windows } = this.tables;
    this.tables.operations += 1;
    const first = this.leaseOf(index, event);
    if (first === NONE) return;
    const end = this.tables.endOfLease(first);
    for (let lease = first; lease < end; lease += 1) {
      if (leases.state.get(lease) !== HELD) continue;
      leases.state.set(lease, RELEASING);
      windows.untilUs.lower(leases.lastWindow.get(lease), event.timeUs);
    }
  }

  releaseDone(index: number, event: ReleaseDone): void {
    const { leases } = this.tables;
    const first = this.leaseOf(index, event);
    if (first === NONE) return;
    if (leases.state.get(first) === HELD) {
      this.tables.contradict(index, event, `settles the release of lease ${event.lease}, which was not invoked`);
      return;
    }
    const end = this.tables.endOfLease(first);
    for (let lease = first; lease < end; lease += 1) {
      leases.state.set(lease, RELEASED);
      leases.goneUs.lower(lease, event.timeUs);
    }
  }

  sectionEntered(index: number, event: SectionEntered): void {
    const { leases, sections } = this.tables;
    const first = this.leaseOf(index, event);
    if (first === NONE) return;
    if (leases.section.get(first) !== NONE) {
      this.tables.contradict(index, event, `enters the section of lease ${event.lease} a second time`);
      return;
    }
    const end = this.tables.endOfLease(first);
    for (let lease = first; lease < end; lease += 1) {
      leases.section.set(lease, sections.count);
      sections.lease.push(lease);
      sections.enteredIndex.push(index);
      sections.enteredUs.push(event.timeUs);
      sections.leftUs.push(Number.POSITIVE_INFINITY);
    }
  }

  sectionLeft(index: number, event: SectionLeft): void {
    const { leases, sections } = this.tables;
    const first = this.leaseOf(index, event);
    if (first === NONE) return;
    if (leases.section.get(first) === NONE) {
      this.tables.contradict(index, event, `leaves the section of lease ${event.lease}, which is not entered`);
      return;
    }
    const end = this.tables.endOfLease(first);
    for (let lease = first; lease < end; lease += 1) {
      sections.leftUs.set(leases.section.get(lease), event.timeUs);
      leases.section.set(lease, NONE);
    }
  }

  writeAccepted(index: number, event: WriteAccepted): void {
    const { acceptedWrites } = this.tables;
    const first = this.leaseOf(index, event);
    if (first === NONE) return;
    const lease = this.rowOf(first, event.resource);
    if (lease === NONE) {
      this.tables.contradict(index, event, `names ${event.resource}, which lease ${event.lease} is not on`);
      return;
    }
    acceptedWrites.lease.push(lease);
    acceptedWrites.acceptedIndex.push(index);
    acceptedWrites.token.push(event.token ?? Number.NaN);
  }

  /** What is pending when the history ends may still happen, at any time. */
  finish(): void {
    const { leases } = this.tables;
    for (const { lease: first } of this.openExtensions.values()) {
      const end = this.tables.endOfLease(first);
      for (let lease = first; lease < end; lease += 1) {
        if (leases.state.get(lease) !== RELEASED) leases.goneUs.set(lease, Number.POSITIVE_INFINITY);
      }
    }
  }

  private noteValidity(index: number, { validityMs }: AcquireGranted | ExtendGranted): void {
    if (validityMs <= 0) this.tables.lateGrantIndexes.push(index);
  }

  /** From `timeUs` on, the lease is valid until `untilUs`, which is not before it. */
  private moveWindow(lease: number, index: number, timeUs: number, untilUs: number): void {
    const { leases, windows } = this.tables;
    const window = leases.lastWindow.get(lease);
    const untilUsBefore = windows.untilUs.get(window);
    if (untilUsBefore >= timeUs) {
      windows.untilUs.set(window, untilUs);
      if (untilUs > untilUsBefore) windows.prolongedIndex.set(window, index);
    } else if (untilUs > timeUs) {
      leases.lastWindow.set(lease, windows.count);
      this.openWindow(lease, index, timeUs, untilUs);
    }
  }

  private openWindow(lease: number, index: number, fromUs: number, untilUs: number): void {
    const { windows } = this.tables;
    windows.lease.push(lease);
    windows.fromIndex.push(index);
    windows.fromUs.push(fromUs);
    windows.untilUs.push(untilUs);
    windows.prolongedIndex.push(NONE);
  }

  /** The row of a lease on several resources that is about this one. A lease on one resource has one row, whatever a write calls it. */
  private rowOf(first: number, resource: string): number {
    const { leases, resources } = this.tables;
    const end = this.tables.endOfLease(first);
    if (end === first + 1) return first;
    for (let lease = first; lease < end; lease += 1) {
      if (resources.textOf(leases.resource.get(lease)) === resource) return lease;
    }
    return NONE;
  }

  /** The first row of the lease that an event names. */
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
