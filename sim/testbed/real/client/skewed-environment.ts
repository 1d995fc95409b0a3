import type { Cancel, Environment } from '../../../../src/environment.ts';
import type { RandomStream } from '../../random-streams.ts';

/** The system's clocks, as a scenario wants a client to read them. */
export interface ClockSettings {
  /** Which clock the library takes for elapsed time. */
  readonly clock: 'monotonic' | 'wall';
  /** How far the wall clock is off, in milliseconds. */
  readonly wallOffset: number;
  /** Seconds of its clocks in a true second. */
  readonly rate: number;
}

/** A timer that is armed: when it is due by the monotonic clock of this environment. */
interface Timer {
  readonly dueMs: number;
  readonly run: () => void;
  armed: NodeJS.Timeout | null;
}

/** The longest delay that setTimeout takes; a longer one would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** The real world of one client process, with clocks that are off, run at a wrong rate and jump, and chance that follows from the seed. */
export class SkewedEnvironment implements Environment {
  readonly clock: Environment['clock'];
  readonly timers: Environment['timers'];
  readonly random: Environment['random'];
  private currentRate: number;
  /** What both clocks read when the rate was last set, and when that was. */
  private sinceMs = performance.now();
  private monotonicMs = this.sinceMs;
  private wallMs: number;
  private readonly pending = new Set<Timer>();

  constructor(settings: ClockSettings, random: RandomStream) {
    this.currentRate = settings.rate;
    this.wallMs = Date.now() + settings.wallOffset;
    const readsWall = settings.clock === 'wall';
    this.clock = {
      now: () => (readsWall ? this.wallNow() : this.monotonicNow()),
      wall: () => this.wallNow(),
    };
    this.timers = { schedule: (delayMs, run) => this.schedule(delayMs, run) };
    this.random = { token: () => random.token(), fraction: () => random.fraction() };
  }

  /** Seconds of its clocks in a true second. */
  get rate(): number {
    return this.currentRate;
  }

  jumpWallClock(byMs: number): void {
    this.wallMs += byMs;
  }

  /** From now on the clocks run at this rate, and the timers with them, those that run already too. */
  setRate(rate: number): void {
    this.monotonicMs = this.monotonicNow();
    this.wallMs = this.wallNow();
    this.sinceMs = performance.now();
    this.currentRate = rate;
    for (const timer of this.pending) this.arm(timer);
  }

  /** True milliseconds that pass while the clocks of this client pass so many. */
  trueMs(milliseconds: number): number {
    return milliseconds / this.currentRate;
  }

  private schedule(delayMs: number, run: () => void): Cancel {
    const timer: Timer = { dueMs: this.monotonicNow() + delayMs, run, armed: null };
    this.pending.add(timer);
    this.arm(timer);
    return () => {
      this.pending.delete(timer);
      clearTimeout(timer.armed ?? undefined);
    };
  }

  private arm(timer: Timer): void {
    clearTimeout(timer.armed ?? undefined);
    const remainingMs = this.trueMs(timer.dueMs - this.monotonicNow());
    timer.armed = setTimeout(() => this.fire(timer), Math.min(Math.ceil(Math.max(0, remainingMs)), LONGEST_TIMER_MS));
  }

  private fire(timer: Timer): void {
    // Timers of the event loop may come a fraction of a millisecond early.
    if (this.monotonicNow() < timer.dueMs) {
      this.arm(timer);
      return;
    }
    this.pending.delete(timer);
    timer.run();
  }

  private monotonicNow(): number {
    return this.monotonicMs + this.elapsed();
  }

  private wallNow(): number {
    return this.wallMs + this.elapsed();
  }

  private elapsed(): number {
    return (performance.now() - this.sinceMs) * this.currentRate;
  }
}
