/** The timers of a run, in true time. */
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
    const timer = setTimeout(() => {
      this.pending.delete(timer);
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
