/**
 * True time of a run on real servers: the host's monotonic clock, which is one and the same for all processes of a
 * Linux host, so that the stamps of different processes compare.
 */
export class TrueClock {
  /** What `process.hrtime.bigint()` read when the run began. */
  readonly startNs: bigint;
  private lastUs = 0;

  constructor(startNs: bigint = process.hrtime.bigint()) {
    this.startNs = startNs;
  }

  /** Whole microseconds since the run began. */
  nowUs(): number {
    return Number((process.hrtime.bigint() - this.startNs) / 1000n);
  }

  /** The same, but larger each time it is asked for: stamps that keep the order in which one process made them. */
  stampUs(): number {
    this.lastUs = Math.max(this.lastUs + 1, this.nowUs());
    return this.lastUs;
  }
}
