import { expect, it } from 'vitest';
import { joinedFingerprint, NO_FINGERPRINT } from './fingerprint.ts';

const ONE = '1'.padStart(64, '0');
const MOST = 'f'.repeat(64);

it('adds no run to any, and keeps its length', () => {
  expect(NO_FINGERPRINT).toHaveLength(64);
  expect(joinedFingerprint(NO_FINGERPRINT, ONE)).toBe(ONE);
});

it('has no run cancel itself', () => {
  expect(joinedFingerprint(ONE, ONE)).toBe('2'.padStart(64, '0'));
});

it('carries over all digits, and goes round after 2^256', () => {
  expect(joinedFingerprint(ONE, MOST)).toBe(NO_FINGERPRINT);
  expect(joinedFingerprint(MOST, MOST)).toBe(`${'f'.repeat(63)}e`);
});
