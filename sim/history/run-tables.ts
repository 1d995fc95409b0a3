import { Column } from './column.ts';
import type { RunEnded, RunStarted } from './event.ts';
import { Names } from './names.ts';

/** In a column of rows or of event indexes: there is none. */
export const NONE = -1;

export const PENDING = 0;
export const GRANTED = 1;
/** The library gave up after the retries it was allowed: `contended`, `unreachable` or `expired`. */
export const FAILED = 2;
/** The caller gave up, or the call was senseless: says nothing about the lock. */
export const WITHDRAWN = 3;

/** Calls of acquire, in the order in which they were invoked. */
export class Acquires {
  readonly resource = new Column();
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
  readonly acquire = new Column();
  /** The attempt before, of the same acquire. */
  readonly previous = new Column();
  readonly startedIndex = new Column();
  readonly startedUs = new Column();
  /**
   * When the library was done with it: it sent the clean-up of its value, began the next attempt, or the acquire had
   * its outcome. Infinity while it is open.
   */
  readonly endedUs = new Column();
  /** A grant that arrives later leaves no validity, even to a client whose clock is as slow or fast as the drift allowance allows. */
  readonly usefulUntilUs = new Column();
  /** Nodes that answered, by `endedUs` and `usefulUntilUs`, all commands of the vote that this attempt sent them. */
  readonly answers = new Column();
  /** Those of the answers that said no: `held` to an acquire, `refused` to a commit. */
  readonly denials = new Column();

  get count(): number {
    return this.acquire.length;
  }
}

/** Leases, in the order in which they were granted. */
export class Leases {
  readonly acquire = new Column();
  readonly resource = new Column();
  /** Where the attempt that was granted started; without a record of it, where acquire was invoked. */
  readonly startedIndex = new Column();
  readonly startedUs = new Column();
  readonly grantedIndex = new Column();
  readonly grantedUs = new Column();
  /** The end of its validity, granted extensions included. */
  readonly validUntilUs = new Column();
  /** The extension that prolonged it last. */
  readonly prolongedIndex = new Column();
  readonly releaseInvokedUs = new Column();
  readonly releaseDoneUs = new Column();
  /** By then every key that a settled acquire or extension may have set, or prolonged, has expired. Infinity with an extension pending. */
  readonly keysUntilUs = new Column();
  /** NaN without fencing. */
  readonly token = new Column();

  get count(): number {
    return this.acquire.length;
  }
}

/** Stays in the critical section, in the order of entry. */
export class Sections {
  readonly lease = new Column();
  readonly resource = new Column();
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
  readonly resource = new Column();
  readonly acceptedIndex = new Column();

  get count(): number {
    return this.lease.length;
  }
}

/** Commands by which a client touches the key of a lease that it has: release and extend, as nodes executed them. */
export interface HolderCommands {
  executed: number;
  /** Indexes of those that changed a key which held another value, or none. */
  readonly strayIndexes: Column;
}

/** What checkers need of a history, read in one pass. */
export class RunTables {
  started: RunStarted | null = null;
  ended: RunEnded | null = null;
  healedUs = Number.POSITIVE_INFINITY;
  /** Calls of acquire, extend and release. */
  operations = 0;
  commandsSent = 0;
  /** The first event that contradicts those before it; a history with one proves nothing but its violations. */
  flaw: string | null = null;
  readonly resources = new Names();
  readonly acquires = new Acquires();
  readonly attempts = new Attempts();
  readonly leases = new Leases();
  readonly sections = new Sections();
  readonly acceptedWrites = new AcceptedWrites();
  readonly holderCommands: HolderCommands = { executed: 0, strayIndexes: new Column() };
}
