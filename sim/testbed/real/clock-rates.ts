/** The rates that faults give a clock, by their numbers: the newest that is not healed holds, or else the clock's own. */
export class ClockRates {
  private readonly ownRate: number;
  private readonly rates = new Map<number, number>();

  constructor(ownRate: number) {
    this.ownRate = ownRate;
  }

  begin(fault: number, rate: number): void {
    this.rates.set(fault, rate);
  }

  end(fault: number): void {
    this.rates.delete(fault);
  }

  /** Seconds of the clock in a true second. */
  get rate(): number {
    return [...this.rates.values()].at(-1) ?? this.ownRate;
  }
}
