import type { LockCommand } from '../../../../src/lock-node.ts';

/** A lock command that a server was seen to run. */
export interface SeenCommand {
  readonly command: LockCommand;
  /** Whether it is a script, whose steps are seen too. */
  readonly isScript: boolean;
  /** What MONITOR stamped it with. */
  readonly wallMs: number;
  readonly timeUs: number;
}

/** What comes of it, in the order in which it happened. */
export interface ExpiryListener {
  /** The command ran; `isExpired` tells whether it found that its key had expired. */
  onRun(seen: SeenCommand, isExpired: boolean): void;
  onExpired(key: string, timeUs: number): void;
}

/**
 * Finds out which commands found their key expired. No clock tells that: a key ends between two commands within the same microseconds. But a
 * server says when it drops a key, and where it says that tells what made it look. A plain command is reported once it has run, so after the
 * key that it dropped. A script is reported before it runs, and then its steps: all lock scripts begin with a look at their
 * key, so what is dropped before the first step is reported, is dropped by that.
 */
export class ExpiryReader {
  private readonly listener: ExpiryListener;
  /** A script whose first step was not reported yet. */
  private script: SeenCommand | null = null;

  constructor(listener: ExpiryListener) {
    this.listener = listener;
  }

  /** A client's command was reported. */
  command(seen: SeenCommand): void {
    this.settle();
    if (seen.isScript) this.script = seen;
    else this.listener.onRun(seen, false);
  }

  /** The server dropped a key that is over. */
  expired(key: string, timeUs: number): void {
    const { script } = this;
    if (script?.command.key !== key) {
      this.settle();
      this.listener.onExpired(key, timeUs);
      return;
    }
    this.script = null;
    this.listener.onExpired(key, script.timeUs);
    this.listener.onRun(script, true);
  }

  /** Something else was reported, a step of the script say, or nothing more will be. */
  settle(): void {
    const { script } = this;
    this.script = null;
    if (script !== null) this.listener.onRun(script, false);
  }
}
