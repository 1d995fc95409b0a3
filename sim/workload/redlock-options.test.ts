import { expect, it } from 'vitest';
import { scenarioOf, type ScenarioInput } from '../testbed/simulated/simulated-testing.ts';
import { probeOptions, redlockOptionsOf } from './redlock-options.ts';

const settingsOf = (settings: ScenarioInput['settings']) => scenarioOf({ settings }).settings;

it('what a scenario leaves out is left to the library', () => {
  const given = redlockOptionsOf(settingsOf({}));
  expect(Object.entries(given).filter(([, value]) => value !== undefined)).toEqual([['fencing', false]]);
});

it('every setting becomes the option of that name, and a backoff a policy with the count', () => {
  const options = redlockOptionsOf(
    settingsOf({ ttl: '1s', deadline: '2s', extensionLimit: 3, restartGuard: '1s', nodeTimeout: 50, retryDelay: 20 }),
  );
  expect(options).toMatchObject({ deadline: 2000, extensionLimit: 3, nodeTimeout: 50, retryDelay: 20 });
  expect(options.restartGuard).toEqual({ longestTtl: 1000 });
  const { retry, retryCount } = redlockOptionsOf(
    settingsOf({ retryCount: 4, backoff: { base: '10ms', factor: 3, cap: '40ms' } }),
  );
  expect(retryCount).toBeUndefined();
  expect(retry?.count).toBe(4);
  expect([1, 2, 3].map((failures) => retry?.delayMs(failures, 1))).toEqual([10, 30, 40]);
});

it('a probe tries a few times where its client would try for ever, and is not hurried', () => {
  expect([undefined, 0, 7].map((retryCount) => probeOptions(settingsOf({ retryCount })).retryCount)).toEqual([
    undefined,
    0,
    7,
  ]);
  expect(probeOptions(settingsOf({ retryCount: -1 })).retryCount).toBeGreaterThanOrEqual(1);
  expect(probeOptions(settingsOf({})).deadline).toBeUndefined();
  expect(probeOptions(settingsOf({ deadline: '1ms' })).deadline).toBeGreaterThan(60_000);
});
