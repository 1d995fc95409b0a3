const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
export type SignalName = (typeof SIGNALS)[number];

/**
 * How long after a signal another one is taken for the same key press: npm passes Ctrl-C on to a process
 * which has got it from the terminal already.
 */
const ECHO_MS = 250;

export interface InterruptionOptions {
  /** The process, or what stands for it. */
  readonly source: { on(name: SignalName, listener: () => void): unknown };
  /** A monotonic clock. */
  readonly nowMs: () => number;
  /** Ends the process at once. */
  readonly kill: (name: SignalName) => void;
}

/** The name of the signal that has fired. */
export function interruptedBy({ reason }: AbortSignal): SignalName {
  return reason === 'SIGTERM' ? 'SIGTERM' : 'SIGINT';
}

/** What a process says that a second signal ends. `kept` tells where what happened so far is; null for nowhere. */
export function killedText(name: SignalName, kept: string | null): string {
  return `Interrupted by another ${name}, and ended at once${kept === null ? '' : `: ${kept}`}`;
}

/** The command that does not wait for what it began any more: the signal's name is the message. */
class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

/** What `work` resolves to, unless the signal fires before: then it rejects with an InterruptedError, and what goes on is left to itself. */
export function orInterruption<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const interrupt = (): void => {
      reject(new InterruptedError(String(signal.reason)));
    };
    if (signal.aborted) interrupt();
    else signal.addEventListener('abort', interrupt, { once: true });
    work.then(resolve, reject).finally(() => {
      signal.removeEventListener('abort', interrupt);
    });
  });
}

/** What the first Ctrl-C (or SIGTERM) aborts, with the name of the signal as its reason; the second one kills. */
export function interruption({ source, nowMs, kill }: InterruptionOptions): AbortSignal {
  const controller = new AbortController();
  let firstMs = 0;
  for (const name of SIGNALS) {
    source.on(name, () => {
      if (!controller.signal.aborted) {
        firstMs = nowMs();
        controller.abort(name);
      } else if (nowMs() - firstMs > ECHO_MS) {
        kill(name);
      }
    });
  }
  return controller.signal;
}
