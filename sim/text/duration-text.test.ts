import { describe, expect, it } from 'vitest';
import { formatMs, formatRange, formatTimeUs } from './duration-text.ts';

describe('formatMs', () => {
  it.each([
    [0, '0 ms'],
    [0.25, '250 µs'],
    [20, '20 ms'],
    [999.9994, '999.999 ms'],
    [1500, '1.5 s'],
    [-10_000, '-10 s'],
  ])('writes %d ms as %s', (milliseconds, text) => expect(formatMs(milliseconds)).toBe(text));
});

describe('formatRange', () => {
  it('names both ends, or the only one', () => {
    expect(formatRange({ minMs: 0.2, maxMs: 1 })).toBe('200 µs to 1 ms');
    expect(formatRange({ minMs: 5, maxMs: 5 })).toBe('5 ms');
  });
});

describe('formatTimeUs', () => {
  it.each([
    [0, '0 ms'],
    [12_345, '12.345 ms'],
    [999_999, '999.999 ms'],
    [1_000_000, '1 s'],
    [30_001_234, '30.001234 s'],
  ])('writes %d µs as %s, and loses no microsecond', (timeUs, text) => expect(formatTimeUs(timeUs)).toBe(text));
});
