import { beforeAll, describe, expect, it } from 'vitest';
import { HistoryBuilder } from '../checkers/history-builder.ts';
import { PROPERTIES, type Property } from '../checkers/verdict.ts';
import { galleryNames } from '../scenario/load.ts';
import { type DistrilockMatchers, type RecordedRun, scenario, type ScenarioInput } from './index.ts';
import { MATCHER_OF } from './matchers.ts';

/** What a matcher says when it fails; null if it passes. */
function failureOf(demand: () => void): string | null {
  try {
    demand();
  } catch (error) {
    return (error as Error).message;
  }
  return null;
}

const passes = (received: unknown, matcher: keyof DistrilockMatchers): boolean =>
  failureOf(() => expect(received)[matcher]()) === null;
const opposite = (received: unknown, matcher: keyof DistrilockMatchers): boolean =>
  failureOf(() => expect(received).not[matcher]()) === null;

describe('the matcher of a property', () => {
  const runs = new Map<string, RecordedRun>();
  beforeAll(async () => {
    for (const name of galleryNames()) runs.set(name, await scenario(`scenarios/${name}.yaml`));
  });

  it.each(galleryNames())('passes if it is ok in %s, and negated if it is violated', (name) => {
    const run = runs.get(name);
    for (const property of PROPERTIES) {
      const status = run?.verdict(property).status;
      const matcher = MATCHER_OF[property];
      expect([property, passes(run, matcher), opposite(run, matcher)]).toEqual([
        property,
        status === 'ok',
        status === 'violated',
      ]);
    }
  });

  it('was put to both tests there, but for what the library never violates', () => {
    const propertiesThatAre = (status: string): Property[] =>
      PROPERTIES.filter((property) => [...runs.values()].some((run) => run.verdict(property).status === status));
    expect(propertiesThatAre('ok')).toEqual(PROPERTIES);
    const violable = PROPERTIES.filter((property) => !['release-safety', 'deadlock-freedom'].includes(property));
    expect(propertiesThatAre('violated')).toEqual(expect.arrayContaining(violable));
  });

  it('judges a history from elsewhere, or its events', () => {
    const run = new HistoryBuilder();
    run.executed(10, { client: 'A', kind: 'extend', value: 'a', before: 'b', changed: true });
    const history = run.build();
    expect(history).not.toHoldReleaseSafety();
    const events = Array.from({ length: history.length }, (_, index) => history.at(index));
    expect(events).not.toHoldReleaseSafety();
    expect(failureOf(() => expect(events).toHoldReleaseSafety())).toBe(
      [
        'release-safety should hold, and is violated with seed 1',
        '',
        '  On n1 at 10 ms, an extension by A prolonged the key "lock", which held the value of another lease: that of somebody else.',
        '    10 ms  n1 runs extend of lock for A: absent; the key held b and was changed.',
      ].join('\n'),
    );
  });

  it('sees that nobody can lock any more', () => {
    const run = new HistoryBuilder();
    run.grant({ grantedMs: 10, untilMs: 110 });
    run.healed(100);
    run.fail(run.invoke('A', 202, { phase: 'probe' }), 210, 'contended', 'probe');
    expect(run.build()).not.toHoldDeadlockFreedom();
  });
});

/** Work that now and then takes longer than the lock lives: with some seeds, not with others. */
const SOMETIMES_TOO_LONG: ScenarioInput = {
  settings: { ttl: '100ms', retryCount: -1, retryDelay: '10ms', retryJitter: '10ms' },
  clients: { A: null, B: null },
  workload: [{ steps: [{ acquire: { resource: 'stock' } }, { work: '20ms..160ms' }, 'release'] }],
};

describe('a failure', () => {
  let runs: readonly RecordedRun[];
  beforeAll(async () => {
    runs = await scenario(SOMETIMES_TOO_LONG, { runs: 10 });
  });
  const violatedIn = (): number[] =>
    runs.filter((run) => run.verdict('critical-section').status === 'violated').map(({ seed }) => seed);

  it('names the events that prove it, their times, and the command that runs it again', () => {
    const [seed = 0] = violatedIn();
    const run = runs[seed - 1];
    const message = failureOf(() => expect(run).toHoldCriticalSection());
    expect(message?.split('\n')).toEqual([
      `critical-section should hold, and is violated with seed ${seed}`,
      '',
      expect.stringMatching(
        /^ {2}On "stock", lease \d of [AB] entered the section at [\d.]+ ms, while lease \d of [AB] was inside/,
      ),
      expect.stringMatching(/^ {4} *[\d.]+ ms {2}[AB] enters the critical section of stock\.$/),
      expect.stringMatching(/^ {4} *[\d.]+ ms {2}[AB] enters the critical section of stock\.$/),
      '',
      `replay: DISTRILOCK_SEED=${seed} npx vitest run sim/vitest/matchers.test.ts -t 'a failure( >)? names the events that prove it, their times, and the command that runs it again'`,
    ]);
  });

  it('of many runs says in how many, with which seeds, and shows the first', () => {
    const seeds = violatedIn();
    expect(seeds.length).toBeGreaterThan(1);
    expect(seeds.length).toBeLessThan(10);
    const message = failureOf(() => expect(runs).toHoldCriticalSection());
    expect(message).toContain(
      `critical-section should hold in all of 10 runs, and is violated in ${seeds.length} of them: seeds ${seeds.join(', ')}\n\nwith seed ${seeds[0]}:\n  On "stock"`,
    );
    expect(message).toContain(`\n\nreplay: DISTRILOCK_SEED=${seeds[0]} npx vitest run`);
    // One counterexample is enough.
    expect(runs).not.toHoldCriticalSection();
  });

  it('of a demand that something breaks says where it did not, and runs all of it again', () => {
    const one = failureOf(() => expect(runs[0]).not.toHoldMutualExclusion());
    expect(one).toMatch(/^mutual-exclusion should be violated, and holds with seed 1\n\nreplay: npx vitest run /);
    const all = failureOf(() => expect(runs).not.toHoldMutualExclusion());
    expect(all).toMatch(
      /^mutual-exclusion should be violated in at least one of 10 runs, and holds in all of them: seeds 1, 2, .*10\n\nreplay: npx vitest run /,
    );
  });

  it('of what is unknown gives the reason, whether it was demanded or its opposite', () => {
    const reason =
      'is unknown (which is no success) with seed 1\n\n  the run was without fencing tokens\n\nreplay: DISTRILOCK_SEED=1 ';
    expect(failureOf(() => expect(runs[0]).toHoldTokenOrder())).toContain(`token-order should hold, and ${reason}`);
    expect(failureOf(() => expect(runs[0]).not.toHoldTokenOrder())).toContain(
      `token-order should be violated, and ${reason}`,
    );
    expect(failureOf(() => expect(runs).toHoldTokenOrder())).toContain(
      'token-order should hold in all of 10 runs, and is unknown (which is no success) in all of them: seeds 1, 2, ',
    );
  });

  it('shows some of many violations, and counts the rest', () => {
    const run = new HistoryBuilder();
    for (let index = 0; index < 5; index += 1) {
      run.executed(10 + index, { client: 'A', kind: 'extend', value: 'a', before: 'b', changed: true });
    }
    const message = failureOf(() => expect(run.build()).toHoldReleaseSafety());
    expect(message?.match(/^ {2}On n1 at/gm)).toHaveLength(3);
    expect(message).toMatch(/\n {2}and 2 more of the same$/);
  });
});

describe('a fault that never began', () => {
  it('makes a verdict of ok unknown, and leaves a violation', async () => {
    const never = { event: 'fault-started' } as const;
    const fine = await scenario({ happened: [never] });
    const reason = 'fault-started must happen at least once, and happened 0 times';
    expect(fine.verdict('mutual-exclusion')).toEqual({ property: 'mutual-exclusion', status: 'unknown', reason });
    expect(failureOf(() => expect(fine).toHoldMutualExclusion())).toContain(reason);
    expect(failureOf(() => expect(fine).not.toHoldMutualExclusion())).toContain(reason);
    const runs = await scenario({ ...SOMETIMES_TOO_LONG, happened: [never] }, { runs: 10 });
    expect(runs).not.toHoldCriticalSection();
  });
});

describe('toBeAsExpected', () => {
  it('passes if every expectation came true, and negated if one did not', async () => {
    const asExpected = await scenario('scenarios/kleppmann-gc-pause.yaml', { runs: 3 });
    expect(asExpected).toBeAsExpected();
    expect(failureOf(() => expect(asExpected).not.toBeAsExpected())).toMatch(
      /^the outcome should not be as expected in at least one of 3 runs, and is in all of them: seeds 1, 2, 3\n/,
    );
    const other = await scenario({ expect: { 'mutual-exclusion': 'violated' } });
    expect(other).not.toBeAsExpected();
    expect(failureOf(() => expect(other).toBeAsExpected())).toContain(
      'the outcome should be as expected, and is not with seed 1\n\n  mutual-exclusion was expected to be violated, and is ok\n\nreplay: ',
    );
  });

  it('shows what nobody expected', async () => {
    const runs = await scenario({ ...SOMETIMES_TOO_LONG, expect: { availability: 'ok' } }, { runs: 10 });
    expect(failureOf(() => expect(runs).toBeAsExpected())).toMatch(
      /\n {2}critical-section was not expected to be violated, and is violated once: .*\n {2}On "stock".*\n {4} *[\d.]+ ms {2}[AB] enters/,
    );
  });

  it.each([
    [
      'if something that must have happened did not',
      { happened: [{ event: 'key-lost', cause: 'flush' }] },
      /key-lost \(cause flush\) must happen at least once/,
    ],
    [
      'if an expected property cannot be judged',
      { settings: { fencing: false }, workload: [{ steps: [{ rest: 1 }] }] },
      /is unknown: /,
    ],
    ['if nothing is expected', { expect: undefined }, /the scenario expects nothing: name properties under expect/],
  ] as const)('fails both ways %s', async (_when, change, reason) => {
    const run = await scenario({ expect: { 'mutual-exclusion': 'ok' }, ...change });
    expect(run.outcome).toBe('unknown');
    expect(failureOf(() => expect(run).toBeAsExpected())).toMatch(reason);
    expect(failureOf(() => expect(run).not.toBeAsExpected())).toMatch(reason);
  });

  it('needs the scenario', () => {
    const history = new HistoryBuilder().build();
    expect(failureOf(() => expect(history).toBeAsExpected())).toBe(
      'toBeAsExpected needs what scenario() resolves to: a history alone does not say what was expected',
    );
  });
});

describe('a matcher', () => {
  it.each([
    [scenario({ clients: 1 }), 'a promise: await it first'],
    [[], 'an empty list'],
    [[1], 'a list of something else'],
    [[{ type: 'run-ended' }], 'a list of something else'],
    [null, 'null'],
    ['history', 'string'],
    [{}, 'object'],
  ])('refuses what is no run, negated or not: %o', (received, what) => {
    const message = `toHoldMutualExclusion judges the runs that scenario() resolves to, and got ${what}`;
    expect(failureOf(() => expect(received).toHoldMutualExclusion())).toBe(message);
    expect(failureOf(() => expect(received).not.toHoldMutualExclusion())).toBe(message);
  });

  it('waits for a run with resolves', async () => {
    await expect(scenario({ clients: 1 })).resolves.toHoldMutualExclusion();
  });

  it.each(PROPERTIES)('is named after %s', (property: Property) => {
    const words = property.split('-').map((word) => `${word.slice(0, 1).toUpperCase()}${word.slice(1)}`);
    expect(MATCHER_OF[property]).toBe(`toHold${words.join('')}`);
  });
});
