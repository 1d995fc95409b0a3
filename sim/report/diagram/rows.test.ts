import { describe, expect, it } from 'vitest';
import { LabelRow, packRows } from './rows.ts';

describe('packRows', () => {
  it('puts things one after the other in a row, and those that overlap below each other', () => {
    const { rows, count } = packRows(
      [
        { from: 0, until: 10 },
        { from: 5, until: 8 },
        { from: 10, until: 20 },
        { from: 8, until: 30 },
      ],
      3,
    );
    expect(rows).toEqual([0, 1, 0, 1]);
    expect(count).toBe(2);
  });

  it('has no more rows than allowed', () => {
    const { rows, count } = packRows(
      [0, 1, 2, 3].map((from) => ({ from, until: 100 })),
      2,
    );
    expect(rows).toEqual([0, 1, 1, 1]);
    expect(count).toBe(2);
  });
});

describe('LabelRow', () => {
  it('lets no label run into another, whichever came first', () => {
    const row = new LabelRow();
    expect(row.take({ fromPx: 50, untilPx: 80 })).toBe(true);
    expect(row.take({ fromPx: 0, untilPx: 50 })).toBe(true);
    expect(row.take({ fromPx: 40, untilPx: 60 })).toBe(false);
    expect(row.take({ fromPx: 80, untilPx: 90 })).toBe(true);
  });
});
