import type { Column } from '../history/tables/column.ts';

/** Rows of a table sorted by their resource; those of one resource stay in their order, and stand next to each other. */
export class ResourceGroups {
  /** Rows of all resources, one after the other. */
  readonly rows: Int32Array;
  /** Where the rows of each resource begin, and one more: where the last of them end. */
  readonly starts: Int32Array;

  /** `resources` holds the resource of each row: numbers below `resourceCount`. */
  constructor(resources: Column, resourceCount: number) {
    this.starts = new Int32Array(resourceCount + 1);
    for (let row = 0; row < resources.length; row += 1) {
      const next = resources.get(row) + 1;
      this.starts[next] = (this.starts[next] as number) + 1;
    }
    for (let resource = 0; resource < resourceCount; resource += 1) {
      this.starts[resource + 1] = (this.starts[resource + 1] as number) + (this.starts[resource] as number);
    }
    this.rows = new Int32Array(resources.length);
    const ends = this.starts.slice();
    for (let row = 0; row < resources.length; row += 1) {
      const resource = resources.get(row);
      const place = ends[resource] as number;
      this.rows[place] = row;
      ends[resource] = place + 1;
    }
  }
}

/** How many of the first `count` places `isBefore` holds for. It must hold from place 0 on up to some place, and not after it. */
export function countBefore(count: number, isBefore: (place: number) => boolean): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (isBefore(middle)) low = middle + 1;
    else high = middle;
  }
  return low;
}
