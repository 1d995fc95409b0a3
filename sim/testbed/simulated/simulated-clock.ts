import type { Simulation } from './simulation.ts';

/** A clock that may be off, run at a wrong rate and jump. */
export class SimulatedClock {
  private readonly simulation: Simulation;
  private readonly ownRate: number;
  private readonly initialUs: number;
  /** The rates that faults give it, by their numbers: the newest that is not healed holds. */
  private readonly drifts = new Map<number, number>();
  private currentRate: number;
  /** What it read, in microseconds, at `sinceUs` of true time: when it was last set. */
  private readUs: number;
  private sinceUs = 0;

  constructor(simulation: Simulation, initialMs: number, rate: number) {
    this.simulation = simulation;
    this.initialUs = initialMs * 1000;
    this.readUs = this.initialUs;
    this.ownRate = rate;
    this.currentRate = rate;
  }

  /** Seconds of this clock in a true second. */
  get rate(): number {
    return this.currentRate;
  }

  nowMs(): number {
    return this.nowUs() / 1000;
  }

  /** How far it is ahead of a clock that began as it did and is always right, to a microsecond. */
  get offsetMs(): number {
    return Math.round(this.nowUs() - this.simulation.nowUs - this.initialUs) / 1000;
  }

  jump(byMs: number): void {
    this.settle();
    this.readUs += byMs * 1000;
  }

  /** Runs at this rate until the fault ends, or another one begins. */
  drift(fault: number, rate: number): void {
    this.drifts.set(fault, rate);
    this.adoptRate();
  }

  endDrift(fault: number): void {
    this.drifts.delete(fault);
    this.adoptRate();
  }

  private nowUs(): number {
    return this.readUs + (this.simulation.nowUs - this.sinceUs) * this.currentRate;
  }

  private adoptRate(): void {
    this.settle();
    this.currentRate = [...this.drifts.values()].at(-1) ?? this.ownRate;
  }

  private settle(): void {
    this.readUs = this.nowUs();
    this.sinceUs = this.simulation.nowUs;
  }
}
