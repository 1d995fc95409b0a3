import { describe, expect, it } from 'vitest';
import type { Occurrence } from '../scenario/moment.ts';
import { type Scenario, scenarioSchema } from '../scenario/schema.ts';
import { HistoryBuilder } from '../checkers/history-builder.ts';
import { judge } from './judge.ts';
import type { Property } from '../checkers/verdict.ts';

const REPLAY = 'distrilock run test --seed 1';

function scenarioOf(
  expected: Partial<Record<Property, 'ok' | 'violated'>>,
  happened: readonly Occurrence[] = [],
  source?: string | string[],
): Scenario {
  const scenario = scenarioSchema.parse({
    title: 'A test',
    clients: 2,
    workload: [{ steps: ['release'] }],
    expect: expected,
    happened,
    lesson: 'One learns.\n\nAnd learns.',
    ...(source === undefined ? {} : { source }),
  });
  return { ...scenario, name: 'test' };
}

function cleanRun(): HistoryBuilder {
  const run = new HistoryBuilder({ scenario: 'test' });
  run.section(run.grant({ client: 'A', grantedMs: 10, untilMs: 60 }), 10, 50);
  run.section(run.grant({ client: 'B', grantedMs: 60, untilMs: 110 }), 60, 90);
  return run;
}

function brokenRun(): HistoryBuilder {
  const run = cleanRun();
  run.grant({ client: 'C', grantedMs: 20, untilMs: 90 });
  return run;
}

describe('judge', () => {
  it('takes nothing from a run that was lost, whatever it seems to show', () => {
    const history = brokenRun().build('lost: the redis-server of n2 was killed by SIGKILL');
    const judgement = judge(history, scenarioOf({ 'mutual-exclusion': 'ok' }), REPLAY);
    expect(judgement).toMatchObject({
      outcome: 'unknown',
      lost: 'the redis-server of n2 was killed by SIGKILL',
      reasons: ['the run was lost: the redis-server of n2 was killed by SIGKILL'],
    });
    expect(new Set(judgement.properties.map(({ verdict }) => verdict.status))).toEqual(new Set(['unknown']));
    expect(judge(brokenRun().build(), scenarioOf({ 'mutual-exclusion': 'ok' }), REPLAY)).toMatchObject({
      outcome: 'not-as-expected',
      lost: null,
    });
  });

  it('tells all that a report needs', () => {
    const judgement = judge(cleanRun().build(), scenarioOf({ 'mutual-exclusion': 'ok' }), REPLAY);
    expect(judgement).toMatchObject({
      scenario: 'test',
      title: 'A test',
      lesson: 'One learns.\n\nAnd learns.',
      sources: [],
      backend: 'test',
      seed: 1,
      outcome: 'as-expected',
      happened: [],
      reasons: [],
      replay: REPLAY,
      counts: { operations: 2, leases: 2, events: 12, spanMs: 90 },
    });
    expect(judgement.properties.slice(0, 2)).toEqual([
      { expected: 'ok', verdict: { property: 'mutual-exclusion', status: 'ok' } },
      { expected: null, verdict: { property: 'critical-section', status: 'ok' } },
    ]);
    expect(judgement.properties.length).toBe(7);
  });

  it.each([
    ['https://one.example', ['https://one.example']],
    [
      ['https://one.example', 'https://two.example'],
      ['https://one.example', 'https://two.example'],
    ],
  ])('takes one source or several', (source, sources) => {
    const scenario = scenarioOf({ 'mutual-exclusion': 'ok' }, [], source);
    expect(judge(cleanRun().build(), scenario, REPLAY).sources).toEqual(sources);
  });

  it('finds a violation that is expected as expected', () => {
    const scenario = scenarioOf({ 'mutual-exclusion': 'violated', 'critical-section': 'ok' });
    expect(judge(brokenRun().build(), scenario, REPLAY)).toMatchObject({ outcome: 'as-expected', reasons: [] });
  });

  it.each([
    ['was expected to be ok', { 'mutual-exclusion': 'ok' }],
    ['was not expected to be violated', { 'critical-section': 'ok' }],
  ] as const)('finds a violation amiss that %s', (words, expected) => {
    const { outcome, reasons } = judge(brokenRun().build(), scenarioOf(expected), REPLAY);
    expect(outcome).toBe('not-as-expected');
    expect(reasons).toEqual([
      `mutual-exclusion ${words}, and is violated 2 times: On "lock", lease 3 of C was valid from 20 ms on, while ` +
        'lease 1 of A was valid until 60 ms: both of them for 40 ms.',
    ]);
  });

  it('finds it amiss when an expected violation did not come', () => {
    const { outcome, reasons } = judge(cleanRun().build(), scenarioOf({ 'mutual-exclusion': 'violated' }), REPLAY);
    expect(outcome).toBe('not-as-expected');
    expect(reasons).toEqual(['mutual-exclusion was expected to be violated, and is ok']);
  });

  it.each(['ok', 'violated'] as const)('knows nothing when what is expected to be %s could not be judged', (wanted) => {
    const scenario = scenarioOf({ 'token-order': wanted });
    expect(judge(cleanRun().build(), scenario, REPLAY)).toMatchObject({
      outcome: 'unknown',
      reasons: [`token-order was expected to be ${wanted}, and is unknown: the run was without fencing tokens`],
    });
  });

  it('knows nothing of a run that was cut short', () => {
    const scenario = scenarioOf({ 'mutual-exclusion': 'ok' });
    expect(judge(cleanRun().build('interrupted'), scenario, REPLAY).outcome).toBe('unknown');
  });

  it('does not mind what could not be judged and is not expected', () => {
    const scenario = scenarioOf({ 'mutual-exclusion': 'ok' });
    const { properties, outcome } = judge(cleanRun().build(), scenario, REPLAY);
    expect(properties.some(({ verdict }) => verdict.status === 'unknown')).toBe(true);
    expect(outcome).toBe('as-expected');
  });

  it('puts what is amiss before what is unknown', () => {
    const scenario = scenarioOf({ 'mutual-exclusion': 'ok', 'token-order': 'ok' }, [{ event: 'client-paused' }]);
    const { outcome, reasons } = judge(brokenRun().build(), scenario, REPLAY);
    expect(outcome).toBe('not-as-expected');
    expect(reasons.map((reason) => reason.split(' ')[0])).toEqual(['mutual-exclusion', 'token-order', 'client-paused']);
  });
});

describe('what must have happened', () => {
  it.each([
    [{ event: 'acquire-granted' }, 2, true, null],
    [{ event: 'acquire-granted', client: 'B' }, 1, true, null],
    [{ event: 'acquire-granted', atLeast: 2, atMost: 2 }, 2, true, null],
    [{ event: 'acquire-failed', atMost: 0 }, 0, true, null],
    [{ event: 'acquire-failed', atLeast: 0 }, 0, true, null],
    [
      { event: 'acquire-granted', atLeast: 3 },
      2,
      false,
      'acquire-granted must happen at least 3 times, and happened 2 times',
    ],
    [
      { event: 'acquire-granted', atMost: 1 },
      2,
      false,
      'acquire-granted must happen at most once, and happened 2 times',
    ],
    [{ event: 'acquire-granted', client: 'A', before: { event: 'acquire-granted', client: 'B' } }, 1, true, null],
    [
      { event: 'acquire-granted', client: 'B', before: { event: 'acquire-granted', client: 'A' } },
      0,
      false,
      'acquire-granted (client B, before acquire-granted (client A)) must happen at least once, and happened 0 times',
    ],
    [
      { event: 'key-lost', node: 'n1', cause: 'expired' },
      0,
      false,
      'key-lost (node n1, cause expired) must happen at least once, and happened 0 times',
    ],
  ] as const)('%j', (occurrence, count, met, reason) => {
    const scenario = scenarioOf({ 'mutual-exclusion': 'ok' }, [occurrence]);
    const judgement = judge(cleanRun().build(), scenario, REPLAY);
    expect(judgement.happened).toEqual([{ occurrence, count, met }]);
    expect(judgement.outcome).toBe(met ? 'as-expected' : 'unknown');
    expect(judgement.reasons).toEqual(reason === null ? [] : [reason]);
  });
});
