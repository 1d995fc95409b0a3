/** The world has more of something than a search can tell apart. The message says of what, and what to do. */
export class WorldTooLargeError extends Error {
  override readonly name = 'WorldTooLargeError';
}

/** Gives each text a number, in the order in which they come, and keeps something for each. */
export class Interner<Kept> {
  private readonly numbers = new Map<string, number>();
  private readonly kept: Kept[] = [];
  private readonly what: string;

  /** `what` names the texts, for the error when there are too many. */
  constructor(what: string) {
    this.what = what;
  }

  /**
   * The number of `text`; `make` makes what to keep where it is new.
   *
   * @throws WorldTooLargeError when there are more than the 16 bits of a state can tell apart
   */
  intern(text: string, make: () => Kept): number {
    let number = this.numbers.get(text);
    if (number === undefined) {
      number = this.kept.length;
      if (number > 0xffff) {
        throw new WorldTooLargeError(
          `There are more than 65,536 ${this.what}: make the world smaller, with fewer nodes, faults, retries or ticks`,
        );
      }
      this.numbers.set(text, number);
      this.kept.push(make());
    }
    return number;
  }

  at(number: number): Kept {
    const kept = this.kept[number];
    if (kept === undefined) throw new RangeError(`There are only ${this.kept.length} ${this.what}, not ${number}`);
    return kept;
  }

  get count(): number {
    return this.kept.length;
  }
}
