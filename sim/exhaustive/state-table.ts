import type { Row } from './layout.ts';

const PAGE_SHIFT = 14;
const PAGE_ROWS = 1 << PAGE_SHIFT;
const PAGE_MASK = PAGE_ROWS - 1;
const FIRST_SLOTS = 1 << 16;
const EMPTY = -1;

/**
 * The states that were visited, each once, in the order in which they came, with the step that led there first. States are kept whole, not by
 * a hash of theirs: no two are ever taken for one.
 */
export class StateTable {
  count = 0;
  private readonly rowLength: number;
  private readonly pages: Uint16Array[] = [];
  private readonly parents: Int32Array[] = [];
  private readonly steps: Uint16Array[] = [];
  private readonly hashes: Int32Array[] = [];
  /** An open hash table of numbers of states; its length is a power of two. */
  private slots = new Int32Array(FIRST_SLOTS).fill(EMPTY);

  constructor(rowLength: number) {
    this.rowLength = rowLength;
  }

  /** Adds the state unless it is there; returns whether it is new. */
  add(row: Row, parent: number, step: number): boolean {
    const hash = hashOf(row);
    const mask = this.slots.length - 1;
    let slot = hash & mask;
    for (; this.slots[slot] !== EMPTY; slot = (slot + 1) & mask) {
      if (this.holds(this.slots[slot] as number, hash, row)) return false;
    }
    this.slots[slot] = this.append(row, hash, parent, step);
    if (this.count * 2 > this.slots.length) this.grow();
    return true;
  }

  /** Copies a state into `row`. */
  read(state: number, row: Row): void {
    const page = this.pages[state >> PAGE_SHIFT] as Uint16Array;
    const from = (state & PAGE_MASK) * this.rowLength;
    for (let offset = 0; offset < this.rowLength; offset += 1) row[offset] = page[from + offset] as number;
  }

  /** The state from which this one was reached first; -1 for the first one. */
  parentOf(state: number): number {
    return this.parents[state >> PAGE_SHIFT]?.[state & PAGE_MASK] ?? EMPTY;
  }

  /** The step by which it was reached first, by the names of its parent. */
  stepTo(state: number): number {
    return this.steps[state >> PAGE_SHIFT]?.[state & PAGE_MASK] ?? 0;
  }

  private holds(state: number, hash: number, row: Row): boolean {
    if (this.hashes[state >> PAGE_SHIFT]?.[state & PAGE_MASK] !== hash) return false;
    const page = this.pages[state >> PAGE_SHIFT] as Uint16Array;
    const from = (state & PAGE_MASK) * this.rowLength;
    for (let offset = 0; offset < this.rowLength; offset += 1) if (page[from + offset] !== row[offset]) return false;
    return true;
  }

  private append(row: Row, hash: number, parent: number, step: number): number {
    const state = this.count;
    const place = state & PAGE_MASK;
    if (place === 0) {
      this.pages.push(new Uint16Array(PAGE_ROWS * this.rowLength));
      this.parents.push(new Int32Array(PAGE_ROWS));
      this.steps.push(new Uint16Array(PAGE_ROWS));
      this.hashes.push(new Int32Array(PAGE_ROWS));
    }
    const page = state >> PAGE_SHIFT;
    this.pages[page]?.set(row, place * this.rowLength);
    (this.parents[page] as Int32Array)[place] = parent;
    (this.steps[page] as Uint16Array)[place] = step;
    (this.hashes[page] as Int32Array)[place] = hash;
    this.count += 1;
    return state;
  }

  private grow(): void {
    const slots = new Int32Array(this.slots.length * 2).fill(EMPTY);
    const mask = slots.length - 1;
    for (let state = 0; state < this.count; state += 1) {
      let slot = (this.hashes[state >> PAGE_SHIFT]?.[state & PAGE_MASK] as number) & mask;
      while (slots[slot] !== EMPTY) slot = (slot + 1) & mask;
      slots[slot] = state;
    }
    this.slots = slots;
  }
}

/** Spreads rows over 32 bits: each number is mixed in by a multiplication, and the high bits folded back into the low ones. */
function hashOf(row: Row): number {
  let hash = 0x2545f491;
  for (const number of row) {
    hash = Math.imul(hash ^ number, 0x5bd1e995);
    hash ^= hash >>> 15;
  }
  return hash;
}
