import type { LockCommand } from '../../../../src/lock-node.ts';
import type { SentCommand } from './lock-command.ts';

/** A lock command that a server was seen to run. */
export interface SeenCommand extends SentCommand {
  /** What MONITOR stamped it with. */
  readonly wallMs: number;
  readonly timeUs: number;
}

/** What comes of it, in the order in which it happened. */
export interface ExpiryListener {
  /** One command, or all that one script is, in order. */
  onRun(seen: readonly SeenCommand[]): void;
  onExpired(key: string, timeUs: number): void;
}

/**
 * Finds out which commands found a key expired. No clock tells that: a key ends between two commands within the same microseconds. But a
 * server says when it drops a key, and where it says that tells what made it look. A plain command is reported once it has run, so after the
 * key that it dropped. A script is reported before it runs, and then its steps, each once it has run. So what is dropped before the
 * first step on that key is reported, is dropped by that step; and since time stands still for a script, the key was over for all of it.
 */
export class ExpiryReader {
  private readonly listener: ExpiryListener;
  /** The commands of the script that was reported last, while its steps are. */
  private script: readonly SeenCommand[] = [];
  /** The keys that the script may find expired, without those that it was seen to touch. */
  private readonly untouched = new Set<string>();

  constructor(listener: ExpiryListener) {
    this.listener = listener;
  }

  /** A client's command was reported that is no script. */
  command(seen: SeenCommand): void {
    this.settle();
    this.listener.onRun([seen]);
  }

  /** A script was reported, which is these commands in this order. */
  runScript(commands: readonly SeenCommand[]): void {
    this.settle();
    this.script = commands;
    for (const { command } of commands) for (const key of expiringKeys(command)) this.untouched.add(key);
  }

  /** A step of the script was reported. */
  step(key: string): void {
    this.untouched.delete(key);
  }

  /** The server dropped a key that is over. */
  expired(key: string, timeUs: number): void {
    const [first] = this.script;
    if (first !== undefined && this.untouched.delete(key)) {
      this.listener.onExpired(key, first.timeUs);
      return;
    }
    this.settle();
    this.listener.onExpired(key, timeUs);
  }

  /** Something else was reported, or nothing more will be. */
  settle(): void {
    const { script } = this;
    this.script = [];
    this.untouched.clear();
    if (script.length > 0) this.listener.onRun(script);
  }
}

/** The keys with a time to live that a command looks at. */
export function expiringKeys(command: LockCommand): readonly string[] {
  if (command.kind === 'admit') return [command.quarantineKey];
  if (command.kind === 'acquire' && command.guard !== null) return [command.key, command.guard.quarantineKey];
  return [command.key];
}
