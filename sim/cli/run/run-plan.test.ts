import { expect, it } from 'vitest';
import { type Plan, wantedRunsOf } from './run-plan.ts';

it.each([
  { made: { a: 10, b: 8 }, skipped: [], wanted: 20, why: 'nothing is skipped' },
  { made: { a: 10, b: 0 }, skipped: ['b'], wanted: 10, why: 'one is skipped from the beginning' },
  { made: { a: 2, b: 8 }, skipped: ['a'], wanted: 12, why: 'one is skipped after two repetitions, whose runs count' },
])('$wanted runs are wanted where $why', ({ made, skipped, wanted }) => {
  const backend = 'processes';
  const plan = { wanted: ['a', 'b'], backends: [backend], options: { runs: 10 } } as unknown as Plan;
  const judgements = Object.entries(made).flatMap(([scenario, count]) =>
    Array.from({ length: count }, () => ({ scenario, backend })),
  );
  const left = skipped.map((scenario) => ({
    scenario,
    backend,
    title: scenario,
    reason: 'gone',
    remedy: null,
    wasTried: true,
  }));
  expect(wantedRunsOf(plan, left, judgements)).toBe(wanted);
});
