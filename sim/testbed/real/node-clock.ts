import { RunLostError } from '../testbed-error.ts';
import { ClockRates } from './clock-rates.ts';
import type { ClockSkew } from './servers/server-fleet.ts';

/** What a clock may differ from what it should read: in any case, and for each second that its rate gains or loses in one. */
const OFFSET_TOLERANCE_MS = 10;
const RATE_TOLERANCE_MS = 10;
/** How often to put it right; and how often to ask, for an answer that takes long says little. */
const CORRECTIONS = 10;
const LOOKS = 500;

export interface NodeClockOptions {
  readonly node: string;
  /** Sets the clock of the server, which may be down. */
  readonly set: (skew: ClockSkew) => Promise<void>;
  /** Asks the server for its clock: how far it is ahead of the host's, at the least and at the most. */
  readonly read: () => Promise<{ readonly leastMs: number; readonly mostMs: number }>;
}

/** So far a clock of this rate has to be moved before it can be told from one that is not. */
export function visibleMoveMs(rate: number): number {
  return 2 * toleranceMs(rate) + 1;
}

/** How long a clock has to run at this rate before that can be told from the true rate. */
export function visibleAfterMs(rate: number): number {
  return visibleMoveMs(rate) / Math.abs(rate - 1);
}

function toleranceMs(rate: number): number {
  return OFFSET_TOLERANCE_MS + RATE_TOLERANCE_MS * Math.abs(rate - 1);
}

/** The wall clock of a real node: what it should read, and whether the server, which is asked by TIME, reads it so. */
export class NodeClock {
  private readonly options: NodeClockOptions;
  private readonly rates = new ClockRates(1);
  private skew: ClockSkew = { offsetMs: 0, rate: 1 };
  private skewedSinceMs = Date.now();
  /** Since when the server's clock has run by itself. */
  private adoptedMs = Date.now();
  private isRateSeen = false;

  constructor(options: NodeClockOptions) {
    this.options = options;
  }

  /** Seconds of the clock in a true second. */
  get rate(): number {
    return this.skew.rate;
  }

  get isSkewed(): boolean {
    return this.skew.offsetMs !== 0 || this.skew.rate !== 1;
  }

  /** By how much the clock should be off now. */
  skewNow(): ClockSkew {
    const sinceMs = Date.now() - this.skewedSinceMs;
    return { offsetMs: this.skew.offsetMs + sinceMs * (this.skew.rate - 1), rate: this.skew.rate };
  }

  /** Steps what the clock should read. The server follows by `adopt`. */
  jump(byMs: number): void {
    const { offsetMs } = this.skewNow();
    this.skew = { offsetMs: offsetMs + byMs, rate: this.rates.rate };
    this.skewedSinceMs = Date.now();
  }

  /** What the clock should read goes at this rate until the fault ends, or another one begins. */
  drift(fault: number, rate: number): void {
    this.rates.begin(fault, rate);
    this.jump(0);
    this.isRateSeen = false;
  }

  endDrift(fault: number): void {
    this.rates.end(fault);
    this.jump(0);
    this.isRateSeen = false;
  }

  /**
   * Sets the clock of the server, which runs. A rate counts from a moment that is not known exactly, when the process started: what that makes of the clock
   * is put right. Resolves to how far the clock is ahead of the host's, as the server says, in milliseconds. Rejects with a RunLostError if it is not so.
   */
  async adopt(): Promise<number> {
    const { node, set } = this.options;
    await set(this.skewNow());
    let correctionMs = 0;
    for (let corrections = 0; ; corrections += 1) {
      const { errorMs, readMs } = await this.look();
      if (errorMs === 0) {
        this.adoptedMs = Date.now();
        return Math.round(readMs);
      }
      const { offsetMs, rate } = this.skewNow();
      if (corrections === CORRECTIONS) {
        throw new RunLostError(
          `the clock of ${node} does not move as it is told: it should be off by ${offsetMs.toFixed(0)} ms, and TIME says ${readMs.toFixed(0)} ms`,
        );
      }
      correctionMs -= errorMs;
      await set({ offsetMs: offsetMs + correctionMs, rate });
    }
  }

  /** Sees whether the server, which runs, has kept to the rate since its clock was set. Rejects with a RunLostError if not. */
  async confirmRate(): Promise<void> {
    const { rate } = this.skew;
    if (rate === 1) return;
    const ranMs = Date.now() - this.adoptedMs;
    const { errorMs, readMs } = await this.look();
    if (errorMs !== 0) {
      throw new RunLostError(
        `the clock of ${this.options.node} does not run at ${rate} times the true rate: after ${ranMs} ms it should be off by ${this.skewNow().offsetMs.toFixed(0)} ms, and TIME says ${readMs.toFixed(0)} ms`,
      );
    }
    if (ranMs >= visibleAfterMs(rate)) this.isRateSeen = true;
  }

  /** To be asked before the rate is changed. Throws a RunLostError if nobody has seen that the clock ran at it. */
  requireSeenRate(): void {
    const { rate } = this.skew;
    if (rate === 1 || this.isRateSeen) return;
    throw new RunLostError(
      `the clock of ${this.options.node} ran at ${rate} times the true rate for so short a time that nobody can see whether it did: let it run so for ${Math.ceil(visibleAfterMs(rate))} ms or more without a crash or another change`,
    );
  }

  /**
   * Asks until the answer came quickly enough to tell: `errorMs` is 0 if the clock is right within its tolerance, or else how far, at the least,
   * it is ahead of what it should read. `readMs` is how far it is ahead of the host's clock.
   */
  private async look(): Promise<{ readonly errorMs: number; readonly readMs: number }> {
    for (let looks = 0; looks < LOOKS; looks += 1) {
      const before = this.skewNow().offsetMs;
      const { leastMs, mostMs } = await this.options.read();
      const after = this.skewNow().offsetMs;
      const least = leastMs - Math.max(before, after);
      const most = mostMs - Math.min(before, after);
      const tolerance = toleranceMs(this.skew.rate);
      const readMs = (leastMs + mostMs) / 2;
      if (least >= -tolerance && most <= tolerance) return { errorMs: 0, readMs };
      if (least > tolerance || most < -tolerance) return { errorMs: least > 0 ? least : most, readMs };
    }
    throw new RunLostError(
      `${this.options.node} answers too slowly for its clock to be read to ${OFFSET_TOLERANCE_MS} ms`,
    );
  }
}
