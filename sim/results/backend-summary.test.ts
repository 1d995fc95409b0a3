import { describe, expect, it } from 'vitest';
import type { Judgement } from '../judge/judgement.ts';
import { flakinessText } from './backend-summary.ts';
import { type Found, judgementOf } from '../report/fixtures/judgements.ts';
import { backendFacts, skippedOf, summaryOf } from '../report/fixtures/summaries.ts';

type Outcome = Judgement['outcome'];

function runs(scenario: string, backend: string, ...outcomes: readonly Outcome[]): Judgement[] {
  return outcomes.map((outcome, index) => judgementOf({ scenario, backend, outcome, seed: index + 1 }));
}

function flakinessOf(...judgements: readonly Judgement[]): string | null {
  const [backend] = summaryOf(judgements).backends;
  return backend === undefined ? null : flakinessText(backend);
}

describe('the flakiness of a backend', () => {
  it('is unknown if nothing ran twice', () => {
    expect(flakinessOf(...runs('a', 'processes', 'as-expected'), ...runs('b', 'processes', 'unknown'))).toBeNull();
  });

  it('is nothing if each scenario came out the same every time, whatever that was', () => {
    const stable = [
      ...runs('a', 'processes', 'as-expected', 'as-expected', 'as-expected'),
      ...runs('b', 'processes', 'unknown', 'unknown'),
    ];
    expect(flakinessOf(...stable)).toBe(
      '0 of 2 scenarios came out differently between repetitions; 0 of 5 runs were unlike the majority, 0.0 %',
    );
  });

  it('is how many scenarios came out differently, which, and how many runs were unlike the others', () => {
    const flaky = [
      ...runs('a', 'processes', 'as-expected', 'not-as-expected', 'as-expected', 'unknown'),
      ...runs('b', 'processes', 'as-expected', 'as-expected'),
      ...runs('c', 'processes', 'as-expected', 'unknown'),
      ...runs('once', 'processes', 'unknown'),
    ];
    expect(flakinessOf(...flaky)).toBe(
      '2 of 3 scenarios came out differently between repetitions (a, c); 3 of 8 runs were unlike the majority, 37.5 %',
    );
  });

  it('is one of every property: also of those that are not named, and make no difference to the outcome', () => {
    const verdicts: readonly Found[] = [
      ...new Array<Found>(6).fill({}),
      ...new Array<Found>(3).fill({ availability: 'unknown' }),
      { availability: [{ message: 'nobody got it', events: [1] }] },
    ];
    const judgements = verdicts.map((found, index) => judgementOf({ scenario: 'a', seed: index + 1 }, found));
    expect(new Set(judgements.map(({ outcome }) => outcome)).size).toBe(1);
    expect(flakinessOf(...judgements)).toBe(
      '1 of 1 scenario came out differently between seeds (a); 4 of 10 runs were unlike the majority, 40.0 %',
    );
  });

  it('is one of seeds where the seed alone decides', () => {
    expect(flakinessOf(...runs('a', 'simulated', 'as-expected', 'unknown'))).toBe(
      '1 of 1 scenario came out differently between seeds (a); 1 of 2 runs were unlike the majority, 50.0 %',
    );
  });
});

describe('the summary of a backend', () => {
  it('counts its own runs and what it skipped', () => {
    const judgements = [
      ...runs('a', 'simulated', 'as-expected', 'unknown'),
      ...runs('a', 'processes', 'not-as-expected'),
    ];
    const { backends, totals } = summaryOf(judgements, { skipped: [skippedOf({ scenario: 'b' }), skippedOf()] });
    expect(totals).toEqual({ runs: 3, asExpected: 1, notAsExpected: 1, unknown: 1, skipped: 2, missing: 0 });
    expect(backends).toMatchObject([
      { backend: 'processes', totals: { runs: 1, notAsExpected: 1 }, skipped: 2 },
      { backend: 'simulated', totals: { runs: 2, asExpected: 1, unknown: 1 }, skipped: 0 },
    ]);
  });

  it('stands where the user put the backend, and so do its scenarios', () => {
    const judgements = [...runs('a', 'simulated', 'as-expected'), ...runs('a', 'containers', 'as-expected')];
    const backends = [backendFacts('simulated'), backendFacts('containers')];
    expect(summaryOf(judgements, { backends }).scenarios.map(({ backend }) => backend)).toEqual([
      'simulated',
      'containers',
    ]);
  });
});
