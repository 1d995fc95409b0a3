import { expect, it } from 'vitest';
import { LinkFaults } from './link-faults.ts';

const ROUTE = { client: 'A', server: 'n1', direction: 'request' } as const;

it('finds the fault that was on a route some time between two moments', () => {
  const faults = new LinkFaults();
  const begun = faults.begin({ ...ROUTE, fault: 3, effect: 'cut', fromUs: 100 });
  expect(faults.find('cut', ROUTE, 0, 99)).toBeNull();
  expect(faults.find('cut', ROUTE, 0, 100)).toBe(begun);
  expect(faults.find('cut', ROUTE, 1e9, 1e9)).toBe(begun);
  begun.untilUs = 200;
  expect(faults.find('cut', ROUTE, 200, 300)).toBe(begun);
  expect(faults.find('cut', ROUTE, 201, 300)).toBeNull();
  expect(faults.find('cut', ROUTE, 50, 300)).toBe(begun);
});

it.each([{ client: 'B' }, { server: 'n2' }, { direction: 'reply' as const }])('of no other route: %j', (other) => {
  const faults = new LinkFaults();
  faults.begin({ ...ROUTE, fault: 3, effect: 'cut', fromUs: 100 });
  expect(faults.find('cut', { ...ROUTE, ...other }, 100, 100)).toBeNull();
});

it('of this effect only, and the first of several', () => {
  const faults = new LinkFaults();
  faults.begin({ ...ROUTE, fault: 1, effect: 'slow', fromUs: 0 });
  faults.begin({ ...ROUTE, fault: 2, effect: 'cut', fromUs: 0 });
  faults.begin({ ...ROUTE, fault: null, effect: 'cut', fromUs: 0 });
  expect(faults.find('cut', ROUTE, 5, 5)?.fault).toBe(2);
  expect(faults.find('slow', ROUTE, 5, 5)?.fault).toBe(1);
});
