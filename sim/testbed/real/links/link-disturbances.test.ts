import { expect, it } from 'vitest';
import { LinkDisturbances } from './link-disturbances.ts';

const ROUTE = { client: 'A', server: 'n1', direction: 'request' } as const;

it('finds the fault that was on a route some time between two moments', () => {
  const disturbances = new LinkDisturbances();
  const begun = disturbances.begin({ ...ROUTE, fault: 3, effect: 'cut', fromUs: 100 });
  expect(disturbances.find('cut', ROUTE, 0, 99)).toBeNull();
  expect(disturbances.find('cut', ROUTE, 0, 100)).toBe(begun);
  expect(disturbances.find('cut', ROUTE, 1e9, 1e9)).toBe(begun);
  begun.untilUs = 200;
  expect(disturbances.find('cut', ROUTE, 200, 300)).toBe(begun);
  expect(disturbances.find('cut', ROUTE, 201, 300)).toBeNull();
  expect(disturbances.find('cut', ROUTE, 50, 300)).toBe(begun);
});

it('finds only what was known to be in force by a third one, if that matters', () => {
  const disturbances = new LinkDisturbances();
  const begun = disturbances.begin({ ...ROUTE, fault: 3, effect: 'cut', fromUs: 100, inForceUs: 120 });
  expect(disturbances.find('cut', ROUTE, 0, 110)).toBe(begun);
  expect(disturbances.find('cut', ROUTE, 0, 110, 119)).toBeNull();
  expect(disturbances.find('cut', ROUTE, 0, 110, 120)).toBe(begun);
});

it.each([{ client: 'B' }, { server: 'n2' }, { direction: 'reply' as const }])('of no other route: %j', (other) => {
  const disturbances = new LinkDisturbances();
  disturbances.begin({ ...ROUTE, fault: 3, effect: 'cut', fromUs: 100 });
  expect(disturbances.find('cut', { ...ROUTE, ...other }, 100, 100)).toBeNull();
});

it('of this effect only, and the first of several', () => {
  const disturbances = new LinkDisturbances();
  disturbances.begin({ ...ROUTE, fault: 1, effect: 'slow', fromUs: 0 });
  disturbances.begin({ ...ROUTE, fault: 2, effect: 'cut', fromUs: 0 });
  disturbances.begin({ ...ROUTE, fault: null, effect: 'cut', fromUs: 0 });
  expect(disturbances.find('cut', ROUTE, 5, 5)?.fault).toBe(2);
  expect(disturbances.find('slow', ROUTE, 5, 5)?.fault).toBe(1);
});
