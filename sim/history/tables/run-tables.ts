import { Column } from './column.ts';
import type { HistoryEvent, RunStarted } from '../event.ts';
import { Names } from './names.ts';
import { Numbering } from './numbering.ts';

/** In a column of rows or of event indexes: there is none. */
export const NONE = -1;

export const PENDING = 0;
export const GRANTED = 1;
/** The library did what it was allowed to, and gave up: `contended`, `unreachable` or `expired`. */
export const FAILED = 2;
/** The caller gave up, or the call was senseless: says nothing about the lock. */
export const WITHDRAWN = 3;

/** The holder relies on the lease until its validity is over. */
export const HELD = 0;
/** Release was called. */
export const RELEASING = 1;
/** A quorum confirmed that the lease is gone. */
export const RELEASED = 2;

/** Calls of acquire, in the order in which they were invoked. */
class Acquires {
  readonly rowOfOperation = new Numbering();
  /** The only one, or the first. */
  readonly resource = Column.ofIntegers();
  /** All resources of acquires that ask for several at once, which few do. */
  readonly several = new Map<number, readonly number[]>();
  readonly client = Column.ofIntegers();
  readonly invokedIndex = Column.ofIntegers();
  /** PENDING, GRANTED, FAILED or WITHDRAWN. */
  readonly outcome = Column.ofIntegers();
  readonly outcomeIndex = Column.ofIntegers();
  readonly lastAttempt = Column.ofIntegers();
  /** The lease on its first resource. */
  readonly lease = Column.ofIntegers();

  get count(): number {
    return this.resource.length;
  }

  /** What the acquire asks for, all of it or nothing. */
  resourcesOf(acquire: number): readonly number[] {
    return this.several.get(acquire) ?? [this.resource.get(acquire)];
  }
}

/** Attempts of acquires, in the order in which they started. */
export class Attempts {
  /** The attempt before, of the same acquire. */
  readonly previous = Column.ofIntegers();
  readonly startedIndex = Column.ofIntegers();
  readonly startedUs = Column.ofNumbers();
  /**
   * When the library was done with it: it sent the clean-up of its value, began the next attempt, or the acquire had
   * its outcome. Infinity while it is open.
   */
  readonly endedUs = Column.ofNumbers();
  /** A grant that arrives from here on leaves no validity, even to a client whose clock is fast by the drift factor. */
  readonly usefulUntilUs = Column.ofNumbers();
  /** Nodes that answered, while it was open and before `usefulUntilUs`, every command of the vote that this attempt sent them. */
  readonly answers = Column.ofIntegers();

  get count(): number {
    return this.previous.length;
  }
}

/** Leases, in the order in which they were granted. One on several resources has a row for each of them, one after the other. */
class Leases {
  readonly acquire = Column.ofIntegers();
  readonly resource = Column.ofIntegers();
  /** The first of its windows, which begins when the lease is granted. */
  readonly firstWindow = Column.ofIntegers();
  readonly lastWindow = Column.ofIntegers();
  /** The section that is open, if one is. */
  readonly section = Column.ofIntegers();
  /** HELD, RELEASING or RELEASED. */
  readonly state = Column.ofIntegers();
  /** When its validity is over, or was, as the holder's clock runs now. */
  readonly validUntilUs = Column.ofNumbers();
  /** When the acquisition began: with the attempt that was granted; without a record of it, when acquire was invoked. */
  readonly startedUs = Column.ofNumbers();
  /**
   * By then the lease has left nothing on the nodes that could deny the lock to others: a quorum confirmed its release, or every
   * key that acquire or an extension may have left has expired, on nodes whose clocks drift no more than
   * the drift factor. Infinity with an extension pending.
   */
  readonly goneUs = Column.ofNumbers();
  /** NaN without fencing. */
  readonly token = Column.ofNumbers();

  get count(): number {
    return this.acquire.length;
  }
}

/**
 * Validity windows, in the order in which they begin: stretches of true time in which the client believes that it holds a lease.
 * A lease has one, and one more for each time that it became valid again: by an extension that was granted after the window before
 * had ended, or by a clock that was set back.
 */
class Windows {
  readonly lease = Column.ofIntegers();
  /** What it begins with: the grant, of the lease or of an extension, or the change of the holder's clock. */
  readonly fromIndex = Column.ofIntegers();
  readonly fromUs = Column.ofNumbers();
  /** Where it ended: extended, cut off by a release, or moved by a change of the holder's clock. */
  readonly untilUs = Column.ofNumbers();
  /** The extension, or the change of the holder's clock, that last prolonged it. */
  readonly prolongedIndex = Column.ofIntegers();

  get count(): number {
    return this.lease.length;
  }
}

/** Stays in the critical section, in the order of entry. */
class Sections {
  readonly lease = Column.ofIntegers();
  readonly enteredIndex = Column.ofIntegers();
  readonly enteredUs = Column.ofNumbers();
  /** Infinity for one that was never left. */
  readonly leftUs = Column.ofNumbers();

  get count(): number {
    return this.lease.length;
  }
}

/** Writes that the protected resource accepted, in that order. */
class AcceptedWrites {
  readonly lease = Column.ofIntegers();
  readonly acceptedIndex = Column.ofIntegers();
  /** That of the write; NaN without one. */
  readonly token = Column.ofNumbers();

  get count(): number {
    return this.lease.length;
  }
}

/** Releases and extensions, as nodes executed them. */
class HolderCommands {
  executed = 0;
  /** Indexes of those that changed a key which held another value, or none, or a value that another client drew. */
  readonly strayIndexes = Column.ofIntegers();
}

/** What checkers need of a history, read in one pass. */
export class RunTables {
  started: RunStarted | null = null;
  /** The reason of the run's end; null for a history that was cut off. */
  endReason: string | null = null;
  endedIndex = NONE;
  healedUs = Number.POSITIVE_INFINITY;
  healedIndex = NONE;
  /** The time of the last event. */
  lastUs = 0;
  /** Calls of acquire, extend and release. */
  operations = 0;
  commandsSent = 0;
  /** The first contradiction in the history, as a sentence; null in a sound one. */
  flaw: string | null = null;
  readonly resources = new Names();
  readonly clients = new Names();
  readonly acquires = new Acquires();
  readonly attempts = new Attempts();
  readonly leases = new Leases();
  readonly windows = new Windows();
  /** Indexes of grants, of leases and of extensions, that promised no validity. */
  readonly lateGrantIndexes = Column.ofIntegers();
  readonly sections = new Sections();
  readonly acceptedWrites = new AcceptedWrites();
  readonly holderCommands = new HolderCommands();

  get clockDriftFactor(): number {
    return this.started?.clockDriftFactor ?? 0;
  }

  grantedUs(lease: number): number {
    return this.windows.fromUs.get(this.leases.firstWindow.get(lease));
  }

  grantedIndex(lease: number): number {
    return this.windows.fromIndex.get(this.leases.firstWindow.get(lease));
  }

  /** The event by which the acquisition of the lease began. */
  startedIndex(lease: number): number {
    const acquire = this.leases.acquire.get(lease);
    const attempt = this.acquires.lastAttempt.get(acquire);
    return attempt === NONE ? this.acquires.invokedIndex.get(acquire) : this.attempts.startedIndex.get(attempt);
  }

  /** One more than the last row of the lease that begins with this row: it has one for each resource. */
  endOfLease(lease: number): number {
    return lease + (this.acquires.several.get(this.leases.acquire.get(lease))?.length ?? 1);
  }

  /** Notes that an event cannot be true if those before it are. */
  contradict(index: number, event: HistoryEvent, problem: string): void {
    this.flaw ??= `event ${index} (${event.type}) ${problem}`;
  }
}
