import type { Cancel, Environment } from './environment.ts';
import type { EventHub } from './event-hub.ts';
import { ExpiredError, LockError } from './errors.ts';
import type { AcquiredLock } from './lock.ts';
import { provesLoss } from './loss.ts';
import { quotedResources } from './resource-names.ts';

/** How much sooner than the end of the validity the signal fires: timers count whole milliseconds and come late rather than early. */
const SIGNAL_LEAD_MS = 2;
/** From one extension to the next at least: many more would keep nodes and event loop busy, and save no lock. */
const LEAST_PAUSE_MS = 10;
/** Of what is left of the validity, so much passes until the next extension, which leaves time for more if that one fails. */
const FRACTION_BETWEEN_EXTENSIONS = 0.5;

/**
 * Keeps a lock while somebody works under it: extends it when half of what is left of its validity is gone, and fires a
 * signal when it is lost. The timer of that signal follows the local clock alone, so no node, slow or silent, can hold it up.
 */
export class LeaseKeeper {
  private readonly lock: AcquiredLock;
  private readonly ttlMs: number;
  private readonly environment: Environment;
  private readonly events: EventHub;
  private readonly controller = new AbortController();
  /** How many more extensions may be granted; negative without limit. */
  private extensionsLeft: number;
  private lastFailure: unknown = undefined;
  private lossError: Error | undefined = undefined;
  private cancelEnd: Cancel | null = null;
  private cancelExtension: Cancel | null = null;
  private stopped = false;

  /**
   * @param ttlMs what each extension asks for
   * @param extensionLimit how many extensions may be granted; negative without limit
   */
  constructor(lock: AcquiredLock, ttlMs: number, extensionLimit: number, environment: Environment, events: EventHub) {
    this.lock = lock;
    this.ttlMs = ttlMs;
    this.extensionsLeft = extensionLimit;
    this.environment = environment;
    this.events = events;
  }

  /** Fires when the lock is lost, at the latest when its validity ends. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Why the lock was lost; undefined while it was not. */
  get loss(): Error | undefined {
    return this.lossError;
  }

  /** Whatever the Environment throws here is thrown. */
  start(): void {
    this.watchEnd();
    this.planExtension();
  }

  /** Fires the signal for a reason of somebody else's; the lock is still kept, for the work is still under way. */
  abort(reason: unknown): void {
    this.controller.abort(reason);
  }

  /** Looks at the lock once more, for a busy event loop may have kept the timer from running, and leaves it alone from now on. */
  stop(): void {
    if (this.stopped) return;
    this.loseIfThrows(() => {
      if (this.lock.remaining() <= 0) this.noteEnd();
    });
    this.halt();
  }

  private watchEnd(): void {
    const leftMs = this.lock.remaining() - SIGNAL_LEAD_MS;
    if (leftMs <= 0) {
      this.noteEnd();
      return;
    }
    this.cancelEnd = this.environment.timers.schedule(leftMs, () => {
      // An extension may have moved the end meanwhile.
      this.loseIfThrows(() => {
        this.watchEnd();
      });
    });
  }

  private planExtension(): void {
    if (this.stopped || this.extensionsLeft === 0) return;
    const leftMs = this.lock.remaining();
    const pauseMs = Math.max(leftMs * FRACTION_BETWEEN_EXTENSIONS, LEAST_PAUSE_MS);
    this.cancelExtension = this.environment.timers.schedule(pauseMs, () => {
      this.extend();
    });
  }

  private extend(): void {
    this.lock.extend(this.ttlMs).then(
      () => {
        this.extensionsLeft -= 1;
        this.lastFailure = undefined;
        this.loseIfThrows(() => {
          this.planExtension();
        });
      },
      (error: unknown) => {
        this.judgeFailure(error);
      },
    );
  }

  private judgeFailure(error: unknown): void {
    if (this.stopped) return;
    this.lastFailure = error;
    // What fails before any node is asked fails for good: the Redlock is closed, the lock given back, its limit reached.
    if (!(error instanceof LockError) || error.outcomes.length === 0) return;
    if (provesLoss(error)) {
      this.lose(error);
      return;
    }
    this.loseIfThrows(() => {
      this.planExtension();
    });
  }

  /** The validity is over, or as good as over. That of a lock which its holder gave back is no loss. */
  private noteEnd(): void {
    if (this.lock.released) {
      this.halt();
      return;
    }
    const { resources } = this.lock;
    const failure = this.lastFailure instanceof Error ? `: ${this.lastFailure.message}` : '';
    this.lose(
      new ExpiredError(
        `The lock on ${quotedResources(resources)} ended before the work under it${failure}`,
        resources,
        [],
        {
          cause: this.lastFailure,
        },
      ),
    );
  }

  private lose(error: Error): void {
    if (this.stopped) return;
    this.lossError = error;
    this.halt();
    this.controller.abort(error);
    this.events.lose(this.lock, error);
  }

  private halt(): void {
    this.stopped = true;
    this.cancelEnd?.();
    this.cancelExtension?.();
  }

  /** In a timer nobody would learn of what the Environment throws, and without timers nobody watches the lock. */
  private loseIfThrows(run: () => void): void {
    try {
      run();
    } catch (error) {
      this.lose(error instanceof Error ? error : new Error('The environment threw', { cause: error }));
    }
  }
}
