import { expect, it } from 'vitest';
import { TrueClock } from './true-clock.ts';

it('counts microseconds since it began, or since another one did', () => {
  const start = process.hrtime.bigint() - 5_000_000n;
  const clock = new TrueClock(start);
  const nowUs = clock.nowUs();
  expect(nowUs).toBeGreaterThanOrEqual(5000);
  expect(nowUs).toBeLessThan(5_000_000);
  expect(Number.isInteger(nowUs)).toBe(true);
  const twin = new TrueClock(BigInt(String(clock.startNs)));
  expect(twin.nowUs()).toBeGreaterThanOrEqual(nowUs);
  expect(new TrueClock().nowUs()).toBeLessThan(1_000_000);
});

it('gives each stamp only once, in order', () => {
  const clock = new TrueClock();
  const stamps = Array.from({ length: 5000 }, () => clock.stampUs());
  expect(new Set(stamps).size).toBe(5000);
  expect(stamps).toEqual([...stamps].sort((one, other) => one - other));
  const nowUs = clock.nowUs();
  expect(clock.stampUs()).toBeGreaterThanOrEqual(nowUs);
});
