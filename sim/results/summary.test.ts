import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Judgement } from '../judge/judgement.ts';
import { judgementOf } from '../report/fixtures/judgements.ts';
import { summaryOf } from '../report/fixtures/summaries.ts';

const violated = { 'critical-section': [{ message: 'both inside', events: [1, 2] }] } as const;

const JUDGEMENTS: readonly Judgement[] = [
  judgementOf({ scenario: 'b', seed: 2 }),
  judgementOf({ scenario: 'b', seed: 10, outcome: 'unknown', reasons: ['nothing happened'] }),
  judgementOf({ scenario: 'b', seed: 1 }, violated),
  judgementOf({ scenario: 'a', backend: 'simulated' }),
  judgementOf(
    { scenario: 'a', backend: 'processes', outcome: 'not-as-expected', reasons: ['one reason'] },
    { 'token-order': 'unknown' },
  ),
];

describe('summarize', () => {
  const summary = summaryOf(JUDGEMENTS);

  it('has a line for each scenario and backend, in order, and their runs by seed', () => {
    expect(
      summary.scenarios.map(({ scenario, backend, runs }) => [scenario, backend, runs.map(({ seed }) => seed)]),
    ).toEqual([
      ['a', 'processes', [1]],
      ['a', 'simulated', [1]],
      ['b', 'simulated', [1, 2, 10]],
    ]);
  });

  it('counts outcomes, and takes the worst for the whole', () => {
    expect(summary.totals).toEqual({ runs: 5, asExpected: 3, notAsExpected: 1, unknown: 1, skipped: 0, missing: 0 });
    expect(summary.scenarios.map(({ outcome }) => outcome)).toEqual(['not-as-expected', 'as-expected', 'unknown']);
  });

  it('counts what was found of each property', () => {
    const found = summary.scenarios[2]?.properties.find(({ property }) => property === 'critical-section')?.found;
    expect(found).toEqual({ ok: 2, violated: 1, unknown: 0 });
    expect(summary.scenarios[0]?.runs[0]).toEqual({
      seed: 1,
      outcome: 'not-as-expected',
      reasons: ['one reason'],
      violated: [],
      unknown: ['token-order'],
      replay: 'npx distrilock run by-hand --seed 1',
      folder: 'a/seed-1',
    });
  });

  it('is the same in whatever order the runs finished', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray([...JUDGEMENTS], { minLength: JUDGEMENTS.length }), (shuffled) => {
        expect(JSON.stringify(summaryOf(shuffled))).toBe(JSON.stringify(summary));
      }),
    );
  });

  it('does not take a property of which nothing is said for one that held', () => {
    const [scenario] = summaryOf([judgementOf({ properties: [] })]).scenarios;
    expect(scenario?.properties.every(({ found }) => found.unknown === 1 && found.ok === 0)).toBe(true);
  });
});
