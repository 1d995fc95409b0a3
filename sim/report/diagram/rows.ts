/** A thing that takes the pixels from `fromPx` to `untilPx` of a row. */
export interface Extent {
  readonly fromPx: number;
  readonly untilPx: number;
}

/** A thing that takes a stretch of a row, in whatever unit. */
interface Taking {
  readonly from: number;
  readonly until: number;
}

/** The row of each thing, in their order: the first row that is free by then; the last row takes what fits nowhere. */
export function packRows(
  things: readonly Taking[],
  mostRows: number,
): { readonly rows: readonly number[]; readonly count: number } {
  const ends: number[] = [];
  const rows = things.map(({ from, until }) => {
    let row = ends.findIndex((end) => end <= from);
    if (row === -1) row = Math.min(ends.length, mostRows - 1);
    ends[row] = Math.max(ends[row] ?? Number.NEGATIVE_INFINITY, until);
    return row;
  });
  return { rows, count: ends.length };
}

/** Labels of one row: each is let through unless it would run into one that was. */
export class LabelRow {
  private readonly taken: Extent[] = [];

  /** Whether there is room; if so, it is taken. */
  take(extent: Extent): boolean {
    const isFree = this.taken.every(({ fromPx, untilPx }) => untilPx <= extent.fromPx || extent.untilPx <= fromPx);
    if (isFree) this.taken.push(extent);
    return isFree;
  }
}

const CHARACTER_PX_PER_FONT_PX = 0.6;

/** About how wide a text is drawn. */
export function textWidthPx(text: string, fontPx: number): number {
  let width = 0;
  // Characters beyond the alphabets of Europe tend to be twice as wide.
  for (const character of text) width += (character.codePointAt(0) ?? 0) > 0x2000 ? 1.8 : 1;
  return width * fontPx * CHARACTER_PX_PER_FONT_PX;
}
