import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Numbering } from './numbering.ts';

describe('Numbering', () => {
  it('finds what a map finds, be the numbers dense, sparse, huge or senseless', () => {
    const number = fc.oneof(fc.nat(200), fc.nat(100_000), fc.integer(), fc.constantFrom(2 ** 40, 0.5));
    fc.assert(
      fc.property(fc.array(fc.tuple(number, fc.integer({ min: -1, max: 1000 })), { maxLength: 300 }), (entries) => {
        const numbering = new Numbering();
        const map = new Map<number, number>();
        for (const [key, row] of entries) {
          numbering.set(key, row);
          map.set(key, row);
        }
        for (const [key] of entries) expect(numbering.rowOf(key)).toBe(map.get(key));
        expect(numbering.rowOf(-7.5)).toBe(-1);
      }),
    );
  });

  it('takes little room for numbers that start high', () => {
    const numbering = new Numbering();
    for (let number = 10 ** 9; number < 10 ** 9 + 1000; number += 1) numbering.set(number, number % 1000);
    expect(numbering.rowOf(10 ** 9 + 17)).toBe(17);
    expect(numbering.rowOf(17)).toBe(-1);
  });
});
