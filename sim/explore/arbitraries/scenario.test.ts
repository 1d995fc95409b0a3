import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Fault } from '../../scenario/fault-schema.ts';
import { checkScenario } from '../../scenario/load-checks.ts';
import type { Scenario } from '../../scenario/schema.ts';
import { lockOfStep } from '../../workload/facts.ts';
import { leavesInTime, overstepped } from '../envelope/assumptions.ts';
import { BOUND_NAMES, type BoundName, WHOLE_ENVELOPE } from '../envelope/envelope.ts';
import { trialAt } from '../search/trial-at.ts';
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

  it('use everything that clients and settings have, each now and then', () => {
    const arbitrary = trials(WHOLE_ENVELOPE);
    const counts = new Map<string, number>();
    for (let index = 0; index < SAMPLES; index += 1) {
      for (const name of featuresOf(trialAt(arbitrary, 1, index).scenario)) {
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }
    }
    expect([...counts.keys()].sort()).toEqual([...FEATURES].sort());
    for (const [name, count] of counts) expect([name, count > SAMPLES / 60]).toEqual([name, true]);
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

const FEATURES = [
  'several resources',
  'using',
  'an extension beside others',
  'an extension after the release',
  'a second release',
  'a Redlock that is closed',
  'more than the restart guard allows',
  'delays of one acquire',
  'a deadline of one acquire',
  'a deadline of all',
  'a signal',
  'a backoff',
  'a limit of extensions',
  'nodes that are never there',
] as const;

function* featuresOf({ settings, workload, faults }: Scenario): Generator<(typeof FEATURES)[number]> {
  const scripts = workload.map(({ steps }) => steps);
  const locks = scripts.flat().flatMap((step) => lockOfStep(step) ?? []);
  const has = (name: string): boolean => scripts.flat().some((step) => typeof step === 'object' && name in step);
  const afterRelease = scripts.flatMap((steps) =>
    steps.includes('release') ? steps.slice(steps.indexOf('release') + 1) : [],
  );
  if (locks.some(({ resource }) => Array.isArray(resource))) yield 'several resources';
  if (has('using')) yield 'using';
  if (has('beside')) yield 'an extension beside others';
  if (afterRelease.some((step) => typeof step === 'object' && 'extend' in step)) yield 'an extension after the release';
  if (afterRelease.includes('release')) yield 'a second release';
  if (has('close')) yield 'a Redlock that is closed';
  if (locks.some(({ ttl = 0 }) => ttl > (settings.restartGuard ?? Number.POSITIVE_INFINITY)))
    yield 'more than the restart guard allows';
  if (locks.some(({ retryDelay, retryJitter }) => retryDelay !== undefined || retryJitter !== undefined))
    yield 'delays of one acquire';
  if (locks.some(({ deadline }) => deadline !== undefined)) yield 'a deadline of one acquire';
  if (settings.deadline !== undefined) yield 'a deadline of all';
  if (locks.some(({ giveUpAfter }) => giveUpAfter !== undefined)) yield 'a signal';
  if (settings.backoff !== undefined) yield 'a backoff';
  if (settings.extensionLimit !== undefined) yield 'a limit of extensions';
  const isAbsent = (fault: Fault): boolean =>
    fault.fault === 'crash' && fault.for === undefined && fault.at === undefined && fault.after === undefined;
  if (faults.some(isAbsent)) yield 'nodes that are never there';
}

function countOf(holds: (index: number) => boolean): number {
  return Array.from({ length: SAMPLES }, (_, index) => holds(index)).filter(Boolean).length;
}
