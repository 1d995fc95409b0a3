import type { Stretch } from './story.ts';

/** Stretches of time by a key under which one can be open at a time. Those that were over before the window are forgotten. */
export class OpenStretches<Key, Kind extends Stretch> {
  private readonly windowFromUs: number;
  private readonly openOnes = new Map<Key, Kind>();
  private readonly closedOnes: Kind[] = [];

  constructor(windowFromUs: number) {
    this.windowFromUs = windowFromUs;
  }

  get(key: Key): Kind | undefined {
    return this.openOnes.get(key);
  }

  /** Those that are open now. */
  current(): Kind[] {
    return [...this.openOnes.values()];
  }

  /** Opens a stretch; one that is open under the same key ends where it begins. */
  open(key: Key, stretch: Kind): void {
    this.close(key, stretch.fromUs);
    this.openOnes.set(key, stretch);
  }

  /** Ends the open stretch, and returns it if there is one. */
  close(key: Key, timeUs: number): Kind | undefined {
    const stretch = this.openOnes.get(key);
    if (stretch === undefined) return undefined;
    this.openOnes.delete(key);
    stretch.untilUs = timeUs;
    if (timeUs >= this.windowFromUs) this.closedOnes.push(stretch);
    return stretch;
  }

  /** Those that reach into the window, by their beginning. */
  all(): Kind[] {
    return [...this.closedOnes, ...this.openOnes.values()].sort((left, right) => left.fromUs - right.fromUs);
  }
}
