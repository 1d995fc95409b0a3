const CHUNK_SHIFT = 12;
const CHUNK_LENGTH = 1 << CHUNK_SHIFT;
const CHUNK_MASK = CHUNK_LENGTH - 1;
const FIRST_CAPACITY = 32;

type Chunk = Float64Array | Int32Array;

/**
 * A growing list of numbers. Tables of millions of rows are made of columns, which the garbage collector need not visit,
 * and columns of chunks, which need not be copied to grow.
 */
export class Column {
  length = 0;
  private readonly chunks: Chunk[] = [];
  private readonly makeChunk: (length: number) => Chunk;
  /** Rows that there is room for. */
  private capacity = 0;

  private constructor(makeChunk: (length: number) => Chunk) {
    this.makeChunk = makeChunk;
  }

  static ofNumbers(): Column {
    return new Column((length) => new Float64Array(length));
  }

  /** A column of integers of 32 bits, which takes half the room. */
  static ofIntegers(): Column {
    return new Column((length) => new Int32Array(length));
  }

  push(value: number): void {
    const row = this.length;
    if (row === this.capacity) this.grow();
    (this.chunks[row >> CHUNK_SHIFT] as Chunk)[row & CHUNK_MASK] = value;
    this.length = row + 1;
  }

  /** The number in `row`, which must be there. */
  get(row: number): number {
    return (this.chunks[row >> CHUNK_SHIFT] as Chunk)[row & CHUNK_MASK] as number;
  }

  /** Replaces the number in `row`, which must be there. */
  set(row: number, value: number): void {
    (this.chunks[row >> CHUNK_SHIFT] as Chunk)[row & CHUNK_MASK] = value;
  }

  /** Lets the number in `row` be at most `value`. */
  lower(row: number, value: number): void {
    if (value < this.get(row)) this.set(row, value);
  }

  /** Lets the number in `row` be at least `value`. */
  raise(row: number, value: number): void {
    if (value > this.get(row)) this.set(row, value);
  }

  private grow(): void {
    if (this.capacity >= CHUNK_LENGTH) {
      this.chunks.push(this.makeChunk(CHUNK_LENGTH));
      this.capacity += CHUNK_LENGTH;
      return;
    }
    // Most histories are short: their only chunk grows by doubling.
    this.capacity = Math.max(FIRST_CAPACITY, this.capacity * 2);
    const chunk = this.makeChunk(this.capacity);
    if (this.chunks[0] !== undefined) chunk.set(this.chunks[0]);
    this.chunks[0] = chunk;
  }
}
