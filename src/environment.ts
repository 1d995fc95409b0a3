/** Stops what it was returned for; calling it again, or too late, does nothing. */
export type Cancel = () => void;

/** Where programs learn of events that ask for them by the name of the channel, as `node:diagnostics_channel` has it. */
export interface DiagnosticsChannel {
  /** Whether anybody would learn of a message. */
  readonly hasSubscribers: boolean;
  /** Hands a message to all who subscribed. */
  publish(message: unknown): void;
}

/**
 * Everything that the library takes from the world outside: time, timers and chance.
 * Production uses the system's; the simulator gives each client one of its own.
 */
export interface Environment {
  readonly clock: {
    /** Milliseconds, fractions allowed, of a clock that never steps back. Only differences mean anything. */
    now(): number;
    /** Milliseconds since the Unix epoch. A hint for fencing tokens and nothing else: it may step. */
    wall(): number;
  };
  readonly timers: {
    /** Runs `run` once, no earlier than `delayMs` milliseconds from now, never within this call. */
    schedule(delayMs: number, run: () => void): Cancel;
  };
  readonly random: {
    /** A fresh value of 160 random bits, as 40 hexadecimal digits. */
    token(): string;
    /** A number in [0, 1). */
    fraction(): number;
  };
  /** Who is told of what concerns no single call; absent where nobody is. */
  readonly diagnostics?: {
    /** The channel of a name; the same one for the same name. */
    channel(name: string): DiagnosticsChannel;
    /** Tells of a fault that is not the library's and that harms no lock, such as a listener that throws. */
    warn(warning: Error): void;
  };
}
