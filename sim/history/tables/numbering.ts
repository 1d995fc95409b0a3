const FIRST_CAPACITY = 64;
/** How many places may stay empty for each number that was set before numbers are looked up by hash. */
const MOST_PLACES_PER_NUMBER = 8;
const NO_ROW = -1;

/** Which row a number of the history (an operation, a command) stands in. Such numbers count from 1, so that an array finds them. */
export class Numbering {
  /** Rows, one up, so that 0 is an empty place. */
  private places = new Int32Array(FIRST_CAPACITY);
  private used = 0;
  /** Numbers that are far larger than there are numbers, or none to count with: a history that somebody wrote or cut by hand. */
  private readonly outliers = new Map<number, number>();

  /** The row of `number`, or -1. */
  rowOf(number: number): number {
    if (this.hasPlace(number)) return (this.places[number] as number) - 1;
    return this.outliers.size === 0 ? NO_ROW : (this.outliers.get(number) ?? NO_ROW);
  }

  set(number: number, row: number): void {
    if (number >= this.places.length && number <= MOST_PLACES_PER_NUMBER * (this.used + FIRST_CAPACITY)) {
      this.grow(number);
    }
    if (this.hasPlace(number)) this.places[number] = row + 1;
    else this.outliers.set(number, row);
    this.used += 1;
  }

  private hasPlace(number: number): boolean {
    return number >= 0 && number < this.places.length && Number.isInteger(number);
  }

  private grow(number: number): void {
    const larger = new Int32Array(Math.max(Math.ceil(number) + 1, this.places.length * 2));
    larger.set(this.places);
    this.places = larger;
    for (const [outlier, row] of this.outliers) {
      if (!this.hasPlace(outlier)) continue;
      this.places[outlier] = row + 1;
      this.outliers.delete(outlier);
    }
  }
}
