/** A thing that takes the pixels from `fromPx` to `untilPx` of a row. */
export interface Extent {
  readonly fromPx: number;
  readonly untilPx: number;
}

/** The row of each extent, in their order: the first in which it touches no earlier one; the last row takes what fits nowhere. */
export function packRows(extents: readonly Extent[], mostRows: number): { readonly rows: readonly number[]; readonly count: number } {
  const rightEdges: number[] = [];
  const rows = extents.map(({ fromPx, untilPx }) => {
    let row = rightEdges.findIndex((rightPx) => rightPx <= fromPx);
    if (row === -1) row = Math.min(rightEdges.length, mostRows - 1);
    rightEdges[row] = Math.max(rightEdges[row] ?? Number.NEGATIVE_INFINITY, untilPx);
    return row;
  });
  return { rows, count: rightEdges.length };
}

/** Lets labels of one row through, from left to right, as long as they do not run into each other. */
export class LabelRow {
  private freeFromPx = Number.NEGATIVE_INFINITY;

  /** Whether there is room; if so, it is taken. */
  take({ fromPx, untilPx }: Extent): boolean {
    if (fromPx < this.freeFromPx) return false;
    this.freeFromPx = untilPx;
    return true;
  }
}

const CHARACTER_PX_PER_FONT_PX = 0.56;

/** About how wide a text is drawn. */
export function textWidthPx(text: string, fontPx: number): number {
  let width = 0;
  // Characters beyond the alphabets of Europe tend to be twice as wide.
  for (const character of text) width += (character.codePointAt(0) ?? 0) > 0x2000 ? 1.8 : 1;
  return width * fontPx * CHARACTER_PX_PER_FONT_PX;
}
