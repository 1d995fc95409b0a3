import type { Testbed } from '../../testbed/testbed.ts';

/** Where text goes: the part of a process' stdout or stderr that commands use. */
export interface Output {
  write(text: string): void;
  readonly isTTY: boolean;
  /** Characters of a line of the terminal; undefined where there is none. */
  readonly columns: number | undefined;
}

/** The process that a command runs in. */
export interface Host {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborted by Ctrl-C and its like; the reason is the name of the signal. */
  readonly signal: AbortSignal;
  /** Told how to find out, if a second signal ends the process at once, where what happened so far is kept: a part of a sentence, null for nowhere. */
  readonly setLastWords: (words: () => string | null) => void;
  /** The testbeds that there are, by the name of the backend. */
  readonly testbeds: Readonly<Record<string, (settings: TestbedSettings) => Promise<Testbed>>>;
}

export interface TestbedSettings {
  /** The path of the redis-server that it shall run; null for the one that it finds. */
  readonly redisServer: string | null;
}

/** What the user asked for cannot be done. The message says why, and what can. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
