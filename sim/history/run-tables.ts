import { Column } from './column.ts';
import type { HistoryEvent, RunStarted } from './event.ts';
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

/** Calls of acquire, in the order in which they were invoked. */
export class Acquires {
  readonly rowOfOperation = new Numbering();
  readonly resource = new Column();
  readonly client = new Column();
  readonly ttlMs = new Column();
  /** 1 for an acquire of the phase `probe`, else 0. */
  readonly isProbe = new Column();
  readonly invokedIndex = new Column();
  readonly invokedUs = new Column();
  /** PENDING, GRANTED, FAILED or WITHDRAWN. */
  readonly outcome = new Column();
  readonly outcomeIndex = new Column();
  readonly lastAttempt = new Column();
  readonly lease = new Column();

  get count(): number {
    return this.resource.length;
  }
}

/** Attempts of acquires, in the order in which they started. */
export class Attempts {
  /** The attempt before, of the same acquire. */
  readonly previous = new Column();
  readonly startedIndex = new Column();
  readonly startedUs = new Column();
  /**
   * When the library was done with it: it sent the clean-up of its value, began the next attempt, or the acquire had
   * its outcome. Infinity while it is open.
   */
  readonly endedUs = new Column();
  /** A grant that arrives from here on leaves no validity, even to a client whose clock is as slow as the drift factor allows. */
  readonly usefulUntilUs = new Column();
  /** Nodes that answered, by `endedUs` and before `usefulUntilUs`, every command of the vote that this attempt sent them. */
  readonly answers = new Column();

  get count(): number {
    return this.previous.length;
  }
}

/** Leases, in the order in which they were granted. */
export class Leases {
  readonly acquire = new Column();
  readonly resource = new Column();
  /** When the attempt that was granted started; without a record of it, when acquire was invoked. */
  readonly startedUs = new Column();
  /** The event of that moment. */
  readonly startedIndex = new Column();
  readonly grantedUs = new Column();
  readonly grantedIndex = new Column();
  /** The newest of its windows. */
  readonly window = new Column();
  /** The section that is open, if one is. */
  readonly section = new Column();
  readonly releaseInvokedUs = new Column();
  readonly releaseDoneUs = new Column();
  /**
   * By then every key has expired that acquire or an extension may have left, on nodes whose clocks drift no more than
   * the drift factor. Infinity with an extension pending.
   */
  readonly keysUntilUs = new Column();
  /** NaN without fencing. */
  readonly token = new Column();

  get count(): number {
    return this.acquire.length;
  }
}

/**
 * Validity windows, in the order in which they begin: stretches of true time in which the client believes that it holds a lease.
 * A lease has one, and one more for each extension that was granted after the window before had ended.
 */
export class Windows {
  readonly lease = new Column();
  /** The grant, of the lease or of the extension, that it begins with. */
  readonly fromIndex = new Column();
  readonly fromUs = new Column();
  /** Where it would have ended without extensions. */
  readonly firstUntilUs = new Column();
  /** Where it ended: extended, or cut off by a release. */
  readonly untilUs = new Column();
  /** The extension that prolonged it furthest. */
  readonly prolongedIndex = new Column();

  get count(): number {
    return this.lease.length;
  }
}

/** Stays in the critical section, in the order of entry. */
export class Sections {
  readonly lease = new Column();
  readonly enteredIndex = new Column();
  readonly enteredUs = new Column();
  /** Infinity for one that was never left. */
  readonly leftUs = new Column();

  get count(): number {
    return this.lease.length;
  }
}

/** Writes that the protected resource accepted, in that order. */
export class AcceptedWrites {
  readonly lease = new Column();
  readonly acceptedIndex = new Column();

  get count(): number {
    return this.lease.length;
  }
}

/** Releases and extensions, as nodes executed them. */
export class HolderCommands {
  executed = 0;
  /** Indexes of those that changed a key which held another value, or none. */
  readonly strayIndexes = new Column();
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
  readonly sections = new Sections();
  readonly acceptedWrites = new AcceptedWrites();
  readonly holderCommands = new HolderCommands();

  get clockDriftFactor(): number {
    return this.started?.clockDriftFactor ?? 0;
  }

  /** Notes that an event cannot be true if those before it are. */
  contradict(index: number, event: HistoryEvent, problem: string): void {
    this.flaw ??= `event ${index} (${event.type}) ${problem}`;
  }
}
