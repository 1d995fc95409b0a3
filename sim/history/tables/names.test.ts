import { describe, expect, it } from 'vitest';
import { Names } from './names.ts';

describe('Names', () => {
  it('numbers texts in the order in which they first come up', () => {
    const names = new Names();
    expect(['b', 'a', 'a', 'b', '', 'a'].map((text) => names.numberOf(text))).toEqual([0, 1, 1, 0, 2, 1]);
    expect(names.count).toBe(3);
    expect([0, 1, 2].map((number) => names.textOf(number))).toEqual(['b', 'a', '']);
  });
});
