import { describe, expect, it } from 'vitest';
import { Column } from './column.ts';

describe('Column', () => {
  it.each([0, 1, 31, 32, 33, 4095, 4096, 4097, 20_000])('holds %d numbers', (count) => {
    const column = Column.ofNumbers();
    for (let row = 0; row < count; row += 1) column.push(row + 0.5);
    expect(column.length).toBe(count);
    const rows = Array.from({ length: count }, (_, row) => column.get(row));
    expect(rows).toEqual(Array.from({ length: count }, (_, row) => row + 0.5));
  });

  it('holds infinity and what is no number', () => {
    const column = Column.ofNumbers();
    column.push(Number.POSITIVE_INFINITY);
    column.push(Number.NaN);
    expect([column.get(0), column.get(1)]).toEqual([Number.POSITIVE_INFINITY, Number.NaN]);
  });

  it('replaces, lowers and raises what it holds', () => {
    const column = Column.ofIntegers();
    for (let row = 0; row < 5000; row += 1) column.push(-1);
    column.set(4999, 7);
    column.lower(4999, 8);
    expect(column.get(4999)).toBe(7);
    column.lower(4999, 6);
    expect(column.get(4999)).toBe(6);
    column.raise(4999, 5);
    expect(column.get(4999)).toBe(6);
    column.raise(4999, 9);
    expect(column.get(4999)).toBe(9);
    expect(column.get(4998)).toBe(-1);
  });
});
