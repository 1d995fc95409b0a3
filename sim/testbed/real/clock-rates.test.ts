import { expect, it } from 'vitest';
import { ClockRates } from './clock-rates.ts';

it('the newest rate that is not healed holds, or else the clock has its own', () => {
  const rates = new ClockRates(1.5);
  expect(rates.rate).toBe(1.5);
  rates.begin(1, 2);
  rates.begin(2, 3);
  expect(rates.rate).toBe(3);
  rates.end(1);
  expect(rates.rate).toBe(3);
  rates.end(2);
  expect(rates.rate).toBe(1.5);
  rates.begin(3, 4);
  rates.begin(4, 5);
  rates.end(4);
  expect(rates.rate).toBe(4);
});
