import type { Environment } from '../../../src/environment.ts';
import type { RandomStream } from '../random-streams.ts';

/** The system's clocks, as a scenario wants a client to read them. */
export interface ClockSettings {
  /** Which clock the library takes for elapsed time. */
  readonly clock: 'monotonic' | 'wall';
  /** How far the wall clock is off, in milliseconds. */
  readonly wallOffset: number;
  /** Seconds of its clocks in a true second. */
  readonly rate: number;
}

/** The real world of one client process, with clocks that are off, run at a wrong rate and jump, and chance that follows from the seed. */
export class SkewedEnvironment implements Environment {
  readonly clock: Environment['clock'];
  readonly timers: Environment['timers'];
  readonly random: Environment['random'];
  private rate: number;
  /** What both clocks read when the rate was last set, and when that was. */
  private sinceMs = performance.now();
  private monotonicMs = performance.now();
  private wallMs: number;

  constructor(settings: ClockSettings, random: RandomStream) {
    this.rate = settings.rate;
    this.wallMs = Date.now() + settings.wallOffset;
    const readsWall = settings.clock === 'wall';
    this.clock = {
      now: () => (readsWall ? this.wallNow() : this.monotonicNow()),
      wall: () => this.wallNow(),
    };
    this.timers = {
      schedule: (delayMs, run) => {
        const timer = setTimeout(run, delayMs / this.rate);
        return () => {
          clearTimeout(timer);
        };
      },
    };
    this.random = { token: () => random.token(), fraction: () => random.fraction() };
  }

  jumpWallClock(byMs: number): void {
    this.wallMs += byMs;
  }

  setRate(rate: number): void {
    this.monotonicMs = this.monotonicNow();
    this.wallMs = this.wallNow();
    this.sinceMs = performance.now();
    this.rate = rate;
  }

  /** True milliseconds that pass while the clocks of this client pass so many. */
  trueMs(milliseconds: number): number {
    return milliseconds / this.rate;
  }

  private monotonicNow(): number {
    return this.monotonicMs + this.elapsed();
  }

  private wallNow(): number {
    return this.wallMs + this.elapsed();
  }

  private elapsed(): number {
    return (performance.now() - this.sinceMs) * this.rate;
  }
}
