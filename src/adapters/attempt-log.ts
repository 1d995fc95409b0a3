import type { AttemptEvent, LockOperation, Redlock } from '../index.ts';

/** The attempts that one call of acquire has made. */
export class Attempts {
  /** How many. */
  count = 0;
  /** What came of them; of a call with unlimited retries the last one alone, for they may be very many. */
  events: readonly AttemptEvent[] = [];
  private readonly keepsAll: boolean;

  constructor(retryCount: number) {
    this.keepsAll = retryCount >= 0 && Number.isFinite(retryCount);
  }

  note(event: AttemptEvent): void {
    this.count += 1;
    this.events = this.keepsAll ? [...this.events, event] : [event];
  }
}

/** Knows which attempts belong to which call: the originals hand them out with the lock, and with the error. */
export class AttemptLog {
  private readonly calls = new WeakMap<LockOperation, Attempts>();
  private beginning: Attempts | null = null;

  constructor(redlock: Redlock) {
    // Told within the call that begins the operation.
    redlock.on('started', ({ operation }) => {
      if (this.beginning !== null) this.calls.set(operation, this.beginning);
      this.beginning = null;
    });
    redlock.on('attempt', (event) => this.calls.get(event.operation)?.note(event));
  }

  /** Notes the attempts of the operation that `begin` begins before it returns. */
  watch<T>(attempts: Attempts, begin: () => T): T {
    this.beginning = attempts;
    try {
      return begin();
    } finally {
      this.beginning = null;
    }
  }
}
