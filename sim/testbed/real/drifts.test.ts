import { expect, it } from 'vitest';
import { Drifts } from './drifts.ts';

it('the newest rate that is not healed holds, or else the clock has its own', () => {
  const drifts = new Drifts(1.5);
  expect(drifts.rate).toBe(1.5);
  drifts.begin(1, 2);
  drifts.begin(2, 3);
  expect(drifts.rate).toBe(3);
  drifts.end(1);
  expect(drifts.rate).toBe(3);
  drifts.end(2);
  expect(drifts.rate).toBe(1.5);
  drifts.begin(3, 4);
  drifts.begin(4, 5);
  drifts.end(4);
  expect(drifts.rate).toBe(4);
});
