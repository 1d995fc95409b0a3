import { describe, expect, it } from 'vitest';
import { median, pairedRatios, quantile, summarize } from './statistics.ts';

describe('statistics of rounds', () => {
  it('takes the middle value, or the mean of the two middle ones, in whatever order they come', () => {
    expect(median([9, 1, 5])).toBe(5);
    expect(median([10, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  it('sorts by size, not as text', () => {
    expect(median([100, 9, 80])).toBe(80);
  });

  it('interpolates between neighbours', () => {
    expect(quantile([0, 10], 0.25)).toBe(2.5);
    expect(quantile([0, 10, 20, 30, 40], 0.75)).toBe(30);
  });

  it('gives as spread what the middle half takes, which one wild round does not move', () => {
    expect(summarize([10, 11, 12, 13, 1000])).toEqual({ median: 12, interquartileRange: 2 });
  });

  it('compares within each round, so that a slow machine cancels out', () => {
    expect(pairedRatios([20, 2, 200], [10, 1, 100])).toEqual([2, 2, 2]);
    expect(pairedRatios([20, 2], [10])).toEqual([2]);
  });
});
