import { RunLostError } from '../testbed-error.ts';

/** A busy machine makes timers late by some hundred milliseconds. */
const LATE_MS = 1000;

/** The timers of a run, in true time. A run that stood still itself, for longer than a busy machine explains, is lost: its faults did not last as long as they should. */
export class RunTimers {
  private readonly pending = new Set<NodeJS.Timeout>();
  private readonly fail: (error: Error) => void;
  private isClosed = false;

  /** `fail` is told what those throw that are called. */
  constructor(fail: (error: Error) => void) {
    this.fail = fail;
  }

  /** Calls `run` after so long. Once closed it does nothing: what is still under way then must not begin anything new. */
  schedule(delayMs: number, run: () => void): void {
    if (this.isClosed) return;
    const dueMs = performance.now() + delayMs;
    const timer = setTimeout(() => {
      this.pending.delete(timer);
      const lateMs = performance.now() - dueMs;
      if (lateMs > LATE_MS) {
        this.fail(
          new RunLostError(
            `the process of the run itself stood still, and did what was due ${Math.round(lateMs)} ms late; run again on a machine that nobody stops`,
          ),
        );
      }
      try {
        run();
      } catch (error) {
        this.fail(error as Error);
      }
    }, delayMs);
    this.pending.add(timer);
  }

  /** Resolves after so long; never once closed. */
  pass(milliseconds: number): Promise<void> {
    return new Promise((resolve) => this.schedule(milliseconds, resolve));
  }

  close(): void {
    this.isClosed = true;
    for (const timer of this.pending) clearTimeout(timer);
    this.pending.clear();
  }
}
