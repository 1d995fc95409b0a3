import type { Simulation } from './simulation.ts';

/** A clock that may be off, run at a wrong rate and jump. */
export class SimulatedClock {
  /** Seconds of this clock in a true second. */
  rate = 1;
  private readonly simulation: Simulation;
  /** What it read, in microseconds, at `sinceUs` of true time: when it was last set. */
  private readUs: number;
  private sinceUs = 0;

  constructor(simulation: Simulation, initialMs: number, rate: number) {
    this.simulation = simulation;
    this.readUs = initialMs * 1000;
    this.rate = rate;
  }

  nowMs(): number {
    return this.nowUs() / 1000;
  }

  jump(byMs: number): void {
    this.settle();
    this.readUs += byMs * 1000;
  }

  setRate(rate: number): void {
    this.settle();
    this.rate = rate;
  }

  private nowUs(): number {
    return this.readUs + (this.simulation.nowUs - this.sinceUs) * this.rate;
  }

  private settle(): void {
    this.readUs = this.nowUs();
    this.sinceUs = this.simulation.nowUs;
  }
}
