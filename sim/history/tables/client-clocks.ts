import type { RunStarted } from '../event.ts';
import type { ClientClockChanged } from '../fault-events.ts';

/** Where a moment of true time lies, in microseconds, after a clock has changed: the clock reads the same then. */
export type MovedMoment = (timeUs: number) => number;

/** The clocks by which the libraries of the clients tell how long a lease is valid, followed through a history. */
export class ClientClocks {
  private readonly read: ReadonlyMap<string, 'monotonic' | 'wall'>;
  /** Seconds of it in a true second, by client. */
  private readonly rates: Map<string, number>;

  constructor(clocks: RunStarted['clocks']) {
    const entries = Object.entries(clocks);
    this.read = new Map(entries.map(([client, { clock }]) => [client, clock]));
    this.rates = new Map(entries.map(([client, { rate }]) => [client, rate]));
  }

  knows(client: string): boolean {
    return this.read.has(client);
  }

  /**
   * Takes note of a change. Returns where it moves the moments at which this clock was to read something, those too that it has
   * passed already; null if the client's library does not read this clock.
   */
  change({ timeUs, client, clock, byMs, rate }: ClientClockChanged): MovedMoment | null {
    const rateBefore = this.rates.get(client);
    if (rateBefore === undefined || this.read.get(client) !== clock) return null;
    this.rates.set(client, rate);
    return (momentUs) => timeUs + ((momentUs - timeUs) * rateBefore - byMs * 1000) / rate;
  }
}
