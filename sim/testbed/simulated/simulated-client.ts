import type { Environment } from '../../../src/environment.ts';
import type { ObservedLog } from '../../history/observed-log.ts';
import type { Exchange } from './link.ts';
import { drainMicrotasks } from './microtasks.ts';
import type { RandomStream } from './random-streams.ts';
import type { SimulatedClock } from './simulated-clock.ts';
import type { Simulation } from './simulation.ts';

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
  /** What waits for a paused process: replies in its socket buffers, and timers that are due. */
  private waitingReplies: Exchange<never, never>[] = [];
  private waitingTimers: (() => void)[] = [];

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
      timers: {
        schedule: (delayMs, run) => {
          const event = simulation.schedule((delayMs * 1000) / monotonicClock.rate, this.fire, run);
          return () => {
            simulation.cancel(event);
          };
        },
      },
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
    this.fire(run);
  }

  pause(fault: number): void {
    this.pausedBy.add(fault);
    if (this.pausedBy.size > 1) return;
    this.log.record({ type: 'client-paused', timeUs: this.simulation.nowUs, client: this.name });
  }

  /**
   * Lets the process go on: first it reads what has come in, then it runs the timers that are due. That is what a Node
   * process does which was stopped where idle processes are: waiting for its sockets.
   */
  resume(fault: number): void {
    if (!this.pausedBy.delete(fault) || this.isPaused) return;
    this.log.record({ type: 'client-resumed', timeUs: this.simulation.nowUs, client: this.name });
    const { waitingReplies, waitingTimers } = this;
    this.waitingReplies = [];
    this.waitingTimers = [];
    for (const exchange of waitingReplies) exchange.link.ends.deliver(exchange);
    for (const run of waitingTimers) this.fire(run);
  }

  jumpWallClock(byMs: number): void {
    this.wallClock.jump(byMs);
    this.recordClock('wall', byMs, this.wallClock.rate);
  }

  setClockRate(rate: number): void {
    this.monotonicClock.setRate(rate);
    this.wallClock.setRate(rate);
    this.recordClock('monotonic', 0, rate);
    this.recordClock('wall', 0, rate);
  }

  /** True microseconds at which the clock that the library reads will have passed so many milliseconds more. */
  trueUsAfter(milliseconds: number): number {
    return this.simulation.nowUs + Math.round((milliseconds * 1000) / this.elapsedClock.rate);
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

  private readonly fire = (run: () => void): void => {
    if (this.isPaused) {
      this.waitingTimers.push(run);
      return;
    }
    run();
    drainMicrotasks();
  };
}
