import type { Cancel, Environment } from '../../../src/environment.ts';
import type { ObservedLog } from '../../history/observed-log.ts';
import type { ScheduledEvent } from './event-queue.ts';
import type { Exchange } from './link.ts';
import { drainMicrotasks } from './microtasks.ts';
import type { RandomStream } from '../random-streams.ts';
import type { SimulatedClock } from './simulated-clock.ts';
import type { Simulation } from './simulation.ts';

/** A timer that is neither cancelled nor done. */
interface Timer {
  readonly run: () => void;
  /** What the monotonic clock reads when it is due. */
  readonly dueMs: number;
  /** What will wake the process for it; null once it is due. */
  event: ScheduledEvent | null;
}

/** The process of one client: its clocks, its timers, its chance, and whether it runs at all. */
export class SimulatedClient {
  readonly name: string;
  /** The place of its name in the history's table of texts. */
  readonly namePlace: number;
  readonly monotonicClock: SimulatedClock;
  readonly wallClock: SimulatedClock;
  /** The clock by which the library measures elapsed time: the monotonic one, unless the scenario makes the classic mistake. */
  readonly elapsedClock: SimulatedClock;
  readonly environment: Environment;
  /** Faults that pause the process: they may overlap. */
  private readonly pausedBy = new Set<number>();
  private readonly simulation: Simulation;
  private readonly log: ObservedLog;
  private readonly timers = new Set<Timer>();
  /** What waits for a paused process: replies in its socket buffers, timers that are due, and programs that are to start. */
  private waitingReplies: Exchange<never, never>[] = [];
  private waitingTimers: Timer[] = [];
  private waitingPrograms: (() => void)[] = [];

  constructor(
    name: string,
    simulation: Simulation,
    log: ObservedLog,
    random: RandomStream,
    monotonicClock: SimulatedClock,
    wallClock: SimulatedClock,
    readsWallClock: boolean,
  ) {
    this.name = name;
    this.simulation = simulation;
    this.log = log;
    this.namePlace = log.intern(name);
    this.monotonicClock = monotonicClock;
    this.wallClock = wallClock;
    this.elapsedClock = readsWallClock ? wallClock : monotonicClock;
    const { elapsedClock } = this;
    this.environment = {
      clock: { now: () => elapsedClock.nowMs(), wall: () => wallClock.nowMs() },
      timers: { schedule: (delayMs, run) => this.setTimer(delayMs, run) },
      random: { token: () => random.token(), fraction: () => random.fraction() },
    };
  }

  get isPaused(): boolean {
    return this.pausedBy.size > 0;
  }

  /** Whether the process is paused: the reply then waits in its socket buffer, and is delivered when it goes on. */
  holdsBack<Request, Reply>(exchange: Exchange<Request, Reply>): boolean {
    if (!this.isPaused) return false;
    this.waitingReplies.push(exchange as unknown as Exchange<never, never>);
    return true;
  }

  /** Hands the reply to the program, and lets it run until it waits again. */
  settle<Request, Reply>(exchange: Exchange<Request, Reply>): void {
    exchange.settle(exchange.reply as Reply);
    drainMicrotasks();
  }

  /** Runs a piece of the program, unless it is paused: then as soon as it goes on. */
  enter(run: () => void): void {
    if (this.isPaused) this.waitingPrograms.push(run);
    else runProgram(run);
  }

  pause(fault: number): void {
    this.pausedBy.add(fault);
    if (this.pausedBy.size > 1) return;
    this.log.record({ type: 'client-paused', timeUs: this.simulation.nowUs, client: this.name });
  }

  /**
   * Lets the process go on: first it reads what has come in, then it runs the timers that are due. That is the order in which stale
   * votes do harm: a process that was stopped while it worked on what its sockets had told it goes on so. (One that SIGSTOP met while
   * it was idle looks at its timers first, and takes the votes for too late.)
   */
  resume(fault: number): void {
    if (!this.pausedBy.delete(fault) || this.isPaused) return;
    this.log.record({ type: 'client-resumed', timeUs: this.simulation.nowUs, client: this.name });
    const { waitingReplies, waitingTimers, waitingPrograms } = this;
    this.waitingReplies = [];
    this.waitingTimers = [];
    this.waitingPrograms = [];
    for (const exchange of waitingReplies) exchange.link.ends.deliver(exchange);
    for (const timer of waitingTimers) this.fire(timer);
    for (const run of waitingPrograms) runProgram(run);
  }

  jumpWallClock(byMs: number): void {
    this.wallClock.jump(byMs);
    this.recordClock('wall', byMs, this.wallClock.rate);
  }

  /** Both clocks run at this rate until the fault ends, or another one begins. */
  drift(fault: number, rate: number): void {
    this.monotonicClock.drift(fault, rate);
    this.wallClock.drift(fault, rate);
    this.noteRate();
  }

  endDrift(fault: number): void {
    this.monotonicClock.endDrift(fault);
    this.wallClock.endDrift(fault);
    this.noteRate();
  }

  /** True microseconds at which the clock that the library reads will have passed so many milliseconds more. */
  trueUsAfter(milliseconds: number): number {
    return this.simulation.nowUs + Math.round((milliseconds * 1000) / this.elapsedClock.rate);
  }

  private setTimer(delayMs: number, run: () => void): Cancel {
    const { simulation, timers, monotonicClock } = this;
    const timer: Timer = { run, dueMs: monotonicClock.nowMs() + delayMs, event: null };
    timer.event = simulation.schedule((delayMs * 1000) / monotonicClock.rate, this.wake, timer);
    timers.add(timer);
    return () => {
      if (timers.delete(timer) && timer.event !== null) simulation.cancel(timer.event);
    };
  }

  private noteRate(): void {
    const { rate } = this.monotonicClock;
    this.recordClock('monotonic', 0, rate);
    this.recordClock('wall', 0, rate);
    // Timers count by the monotonic clock, those that are set already too.
    const nowMs = this.monotonicClock.nowMs();
    for (const timer of this.timers) {
      if (timer.event === null) continue;
      this.simulation.cancel(timer.event);
      timer.event = this.simulation.schedule(((timer.dueMs - nowMs) * 1000) / rate, this.wake, timer);
    }
  }

  private recordClock(clock: 'wall' | 'monotonic', byMs: number, rate: number): void {
    this.log.record({
      type: 'client-clock-changed',
      timeUs: this.simulation.nowUs,
      client: this.name,
      clock,
      byMs,
      rate,
    });
  }

  private readonly wake = (timer: Timer): void => {
    timer.event = null;
    if (this.isPaused) this.waitingTimers.push(timer);
    else this.fire(timer);
  };

  /** Runs a timer that is due, unless something that ran just before has cancelled it. */
  private fire(timer: Timer): void {
    if (this.timers.delete(timer)) runProgram(timer.run);
  }
}

function runProgram(run: () => void): void {
  run();
  drainMicrotasks();
}
