import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkScenario } from '../../scenario/load-checks.ts';
import { leavesInTime, overstepped } from '../assumptions.ts';
import { BOUND_NAMES, type BoundName, WHOLE_ENVELOPE } from '../envelope.ts';
import { trialAt } from '../trial-at.ts';
import { envelopes } from './envelope.ts';
import { trials } from './scenario.ts';

const SAMPLES = 300;

describe('scenarios that are drawn', () => {
  it('keep within the envelope, but for the bounds that are open', () => {
    fc.assert(
      fc.property(
        envelopes.chain((envelope) => trials(envelope).map(({ scenario }) => ({ open: envelope.open, scenario }))),
        ({ open, scenario }) => {
          expect(open).toEqual(expect.arrayContaining([...overstepped(scenario)]));
        },
      ),
      { seed: 1, numRuns: SAMPLES },
    );
  });

  it('could stand in a file', () => {
    fc.assert(
      fc.property(trials({ open: BOUND_NAMES }), ({ scenario }) => {
        const problems: string[] = [];
        checkScenario(scenario, (path, message) => problems.push(`${path.join('.')}: ${message}`));
        expect(problems).toEqual([]);
      }),
      { seed: 1, numRuns: SAMPLES },
    );
  });

  it.each<BoundName>([...BOUND_NAMES])('overstep %s often where it is open', (bound) => {
    const arbitrary = trials({ open: [bound] });
    const over = countOf((index) => overstepped(trialAt(arbitrary, 1, index).scenario).has(bound));
    expect(over).toBeGreaterThan(SAMPLES / 4);
  });

  it('mostly let clients leave in time, and now and then not', () => {
    const arbitrary = trials(WHOLE_ENVELOPE);
    const inTime = countOf((index) => leavesInTime(trialAt(arbitrary, 1, index).scenario));
    expect(inTime).toBeGreaterThan(SAMPLES / 3);
    expect(inTime).toBeLessThan(SAMPLES * 0.95);
  });

  it('differ in which faults they use, so that together they use all that there are', () => {
    const arbitrary = trials({ open: BOUND_NAMES });
    const sets = Array.from({ length: SAMPLES }, (_, index) =>
      [...new Set(trialAt(arbitrary, 1, index).scenario.faults.map(({ fault }) => fault))].sort().join(' '),
    );
    expect(new Set(sets).size).toBeGreaterThan(SAMPLES / 3);
    expect(new Set(sets.flatMap((each) => each.split(' ').filter((kind) => kind !== ''))).size).toBe(20);
  });
});

function countOf(holds: (index: number) => boolean): number {
  return Array.from({ length: SAMPLES }, (_, index) => holds(index)).filter(Boolean).length;
}
