const FIRST_CAPACITY = 64;
/** How many places may stay empty for each number in use before numbers are looked up by hash. */
const MOST_PLACES_PER_NUMBER = 8;

/** Which row a number of the history (an operation, a command) stands in. Such numbers count from 1, so an array finds them. */
export class Numbering {
  /** Rows, one up, so that 0 is an empty place. */
  private places = new Int32Array(FIRST_CAPACITY);
  private used = 0;
  /** Numbers that are far larger than there are numbers: a history that somebody wrote or cut by hand. */
  private readonly outliers = new Map<number, number>();

  /** The row of `number`, or -1. */
  rowOf(number: number): number {
    if (number < this.places.length) return (this.places[number] ?? 0) - 1;
    return this.outliers.get(number) ?? -1;
  }

  set(number: number, row: number): void {
    if (number >= this.places.length && number <= MOST_PLACES_PER_NUMBER * (this.used + FIRST_CAPACITY)) {
      const larger = new Int32Array(Math.max(number + 1, this.places.length * 2));
      larger.set(this.places);
      this.places = larger;
      this.adoptOutliers();
    }
    if (number >= 0 && number < this.places.length) this.places[number] = row + 1;
    else this.outliers.set(number, row);
    this.used += 1;
  }

  private adoptOutliers(): void {
    for (const [number, row] of this.outliers) {
      if (number >= 0 && number < this.places.length) {
        this.places[number] = row + 1;
        this.outliers.delete(number);
      }
    }
  }
}
