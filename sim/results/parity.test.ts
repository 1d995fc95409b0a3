import { describe, expect, it } from 'vitest';
import type { Judgement } from '../judge/judgement.ts';
import { type Found, judgementOf } from '../report/fixtures/judgements.ts';
import { summaryOf } from '../report/fixtures/summaries.ts';
import { differenceText, dissentIn } from './parity.ts';

const VIOLATED: Found = { 'critical-section': [{ message: 'both inside', events: [1, 2] }] };

/** Runs of one scenario on a backend, with what each found. */
function runs(backend: string, ...found: readonly Found[]): Judgement[] {
  return found.map((each, index) => judgementOf({ backend, seed: index + 1 }, each));
}

describe('parity', () => {
  it('is there if the backends found the same of every property', () => {
    const [parity] = summaryOf([...runs('simulated', VIOLATED), ...runs('processes', VIOLATED)]).parity;
    expect(parity).toMatchObject({ backends: ['processes', 'simulated'], agree: true, differences: [] });
  });

  it('says nothing of a scenario that ran on one backend alone', () => {
    expect(summaryOf([...runs('simulated', {}), judgementOf({ scenario: 'b', backend: 'processes' })]).parity).toEqual(
      [],
    );
  });

  it('is missing if they differ, and names the property and who found what', () => {
    const [parity] = summaryOf([...runs('a', VIOLATED), ...runs('b', {}), ...runs('c', {})]).parity;
    expect(parity?.agree).toBe(false);
    expect(parity?.differences.map(differenceText)).toEqual(['critical-section: a violated, b ok, c ok']);
  });

  it('counts what could not be judged as a verdict of its own', () => {
    const [parity] = summaryOf([...runs('a', { 'token-order': 'unknown' }), ...runs('b', {})]).parity;
    expect(parity?.differences.map(differenceText)).toEqual(['token-order: a unknown, b ok']);
  });

  it('goes by what most runs found', () => {
    const [parity] = summaryOf([...runs('a', VIOLATED, VIOLATED, {}), ...runs('b', VIOLATED)]).parity;
    expect(parity?.agree).toBe(true);
    const [other] = summaryOf([...runs('a', VIOLATED, {}, {}), ...runs('b', VIOLATED)]).parity;
    expect(other?.differences.map(differenceText)).toEqual(['critical-section: a ok (2 of 3), b violated']);
  });

  it('is missing where a backend is divided, even if all are', () => {
    const [parity] = summaryOf([...runs('a', VIOLATED, {}), ...runs('b', {}, VIOLATED)]).parity;
    expect(parity?.differences.map(differenceText)).toEqual([
      'critical-section: a divided (1 ok, 1 violated, 0 unknown), b divided (1 ok, 1 violated, 0 unknown)',
    ]);
  });
});

describe('dissent', () => {
  const dissentOf = (...judgements: readonly Judgement[][]): string[] =>
    dissentIn(summaryOf(judgements.flat()).scenarios).flatMap(({ scenario, differences }) =>
      differences.map((each) => `${scenario} ${differenceText(each)}`),
    );

  it('is a single run that is not like all others, though the majorities agree', () => {
    expect(dissentOf(runs('a', VIOLATED, VIOLATED, {}), runs('b', VIOLATED))).toEqual([
      'by-hand critical-section: a violated (2 of 3), b violated',
    ]);
    expect(dissentOf(runs('a', {}), runs('b', {}, { 'token-order': 'unknown' }, {}))).toEqual([
      'by-hand token-order: a ok, b ok (2 of 3)',
    ]);
  });

  it('is there where backends differ or are divided, as without parity', () => {
    expect(dissentOf(runs('a', VIOLATED), runs('b', {}))).toEqual(['by-hand critical-section: a violated, b ok']);
    expect(dissentOf(runs('a', VIOLATED, {}), runs('b', VIOLATED))).toHaveLength(1);
  });

  it('is none where all runs found the same, or there is one backend alone', () => {
    expect(dissentOf(runs('a', VIOLATED, VIOLATED), runs('b', VIOLATED, VIOLATED, VIOLATED))).toEqual([]);
    expect(dissentOf(runs('a', VIOLATED, {}))).toEqual([]);
  });
});
