const FIRST_CAPACITY = 32;

/** A growing list of numbers. Tables of millions of rows are made of columns, so that the garbage collector need not visit them. */
export class Column {
  length = 0;
  private values = new Float64Array(FIRST_CAPACITY);

  push(value: number): void {
    if (this.length === this.values.length) {
      const larger = new Float64Array(this.values.length * 2);
      larger.set(this.values);
      this.values = larger;
    }
    this.values[this.length] = value;
    this.length += 1;
  }

  /** The number in `row`, which must be there. */
  get(row: number): number {
    return this.values[row] as number;
  }

  /** Replaces the number in `row`, which must be there. */
  set(row: number, value: number): void {
    this.values[row] = value;
  }

  /** Lets the number in `row` be at most `value`. */
  lower(row: number, value: number): void {
    if (value < (this.values[row] as number)) this.values[row] = value;
  }

  /** Lets the number in `row` be at least `value`. */
  raise(row: number, value: number): void {
    if (value > (this.values[row] as number)) this.values[row] = value;
  }
}
