import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWithin, overstepped } from '../explore/envelope/assumptions.ts';
import { parseScenario } from '../scenario/load-text.ts';
import { scenario } from '../vitest/scenario-helper.ts';
import { scenarioFrom } from '../vitest/scenario-source.ts';
import {
  BOUND_NAMES,
  envelopes,
  faultSchedules,
  findingsOf,
  settings,
  type Trial,
  trials,
  workloads,
} from './index.ts';

const SETTINGS = { nodes: 5, ttl: '2s', retryCount: 10, retryDelay: '100ms', nodeTimeout: '50ms' };
const WORKLOAD = [
  {
    clients: 'all',
    repeat: 2,
    steps: [{ acquire: { resource: 'stock' } }, { work: '500ms' }, 'write' as const, 'release' as const],
  },
];

/** The first trial that breaks something, made small by fast-check; null if none does. */
async function brokenTrial(arbitrary: fc.Arbitrary<Trial>, runs: number): Promise<fc.RunDetails<[Trial]> | null> {
  const property = fc.asyncProperty(arbitrary, async (trial) => (await findingsOf(trial)).length === 0);
  const details = await fc.check(property, { seed: 1, numRuns: runs });
  return details.failed ? details : null;
}

describe('trials', () => {
  it('have what is given as it is, and draw the rest inside the envelope', () => {
    const given = { settings: SETTINGS, workload: WORKLOAD, clients: { one: null, two: { wallOffset: '5s' } } };
    const whole = scenarioFrom(given);
    const kinds = new Set<string>();
    fc.assert(
      fc.property(trials(given), ({ scenario: drawn }) => {
        const parsed = scenarioFrom(drawn);
        expect(parsed.settings).toEqual(whole.settings);
        expect(parsed.clients).toEqual(whole.clients);
        expect(parsed.workload).toEqual(whole.workload);
        expect([...overstepped(parsed)]).toEqual([]);
        for (const { fault } of parsed.faults) kinds.add(fault);
      }),
      { seed: 1, numRuns: 150 },
    );
    expect(kinds.size).toBeGreaterThan(10);
  });

  it.each([
    ['settings', { settings: SETTINGS }],
    ['settings, with clients and work of one’s own', { settings: SETTINGS, workload: WORKLOAD }],
    ['a lock that lives for a moment', { settings: { ttl: '50ms' } }],
    ['one node', { settings: { nodes: 1 } }],
    ['nodes, and a slow network', { nodes: { persistence: 'rdb' }, network: { latency: '1ms..20ms' } }],
  ] as const)('of %s break nothing inside', async (_what, given) => {
    expect(await brokenTrial(trials(given), 40)).toBeNull();
  });

  it('break outside, and print themselves as a scenario that shows it', async () => {
    const broken = await brokenTrial(trials({ settings: SETTINGS, outside: ['client-pause'] }), 500);
    const [trial] = broken?.counterexample ?? [];
    if (trial === undefined) throw new Error('nothing was found');
    const printed = fc.stringify(trial);
    const [heading = '', text = ''] = printed.split(/(?<=scenario:)\n\n/);
    expect(heading).toBe(`with seed ${trial.seed}, this scenario:`);
    const written = parseScenario(text, 'printed.yaml', 'printed');
    const again = { scenario: trial.scenario, seed: trial.seed };
    const [finding] = await findingsOf(again);
    expect(finding).toMatchObject({ symptom: 'critical-section', because: ['client-pause'] });
    expect(written.faults).toEqual(scenarioFrom(trial.scenario).faults);
    // It is what a test takes, too.
    const run = await scenario(trial.scenario, { seed: trial.seed });
    expect(run.verdict('critical-section').status).toBe('violated');
  });

  it('of a guarded lock survive nodes that forget, and of one that is not do not', async () => {
    const outside = ['restart', 'promotion'] as const;
    const guarded = { ...SETTINGS, restartGuard: '4s' };
    expect(await brokenTrial(trials({ settings: guarded, outside }), 200)).toBeNull();
    expect(await brokenTrial(trials({ settings: SETTINGS, outside }), 200)).not.toBeNull();
  });
});

describe('parts', () => {
  it('are such as scenarios take', async () => {
    const parts = fc.record({ settings: settings(), outside: envelopes() });
    const scenarios = parts.chain(({ settings: drawn, outside }) =>
      fc.record({
        settings: fc.constant(drawn),
        workload: workloads({ settings: drawn, clients: { A: null, B: null } }, { overstays: true }),
        faults: faultSchedules({ settings: drawn, clients: { A: null, B: null } }, { outside }),
        outside: fc.constant(outside),
      }),
    );
    const seen = { faults: 0, scripts: 0, bounds: new Set<string>() };
    await fc.assert(
      fc.asyncProperty(scenarios, async ({ outside, ...drawn }) => {
        const given = { ...drawn, clients: { A: null, B: null }, happened: [] };
        const parsed = scenarioFrom(given);
        const base = scenarioFrom({ settings: drawn.settings, clients: { A: null, B: null } });
        expect(isWithin({ ...base, faults: parsed.faults }, { open: outside })).toBe(true);
        expect((await scenario(given)).length).toBeGreaterThan(1);
        seen.faults += drawn.faults.length;
        seen.scripts += drawn.workload.length;
        for (const bound of outside) seen.bounds.add(bound);
      }),
      { seed: 1, numRuns: 60 },
    );
    expect(seen.faults).toBeGreaterThan(30);
    expect(seen.scripts).toBeGreaterThan(60);
    expect([...seen.bounds].sort()).toEqual([...BOUND_NAMES].sort());
  });
});

describe('what is wrong', () => {
  it.each<[string, () => unknown, string]>([
    ['a setting', () => trials({ settings: { ttl: 'soon' } }), 'settings.ttl: must be a duration'],
    ['a time to live above the guard', () => trials({ settings: { ttl: '2s', restartGuard: '1s' } }), 'restartGuard'],
    ['a bound', () => trials({ outside: ['gravity' as never] }), 'there is no bound "gravity"; allowed: clock-rate'],
    ['an option', () => trials({ faults: [] } as never), 'trials has no option "faults"; allowed: settings'],
    ['a bound of a schedule', () => faultSchedules({}, { outside: ['x' as never] }), 'there is no bound "x"'],
    ['an option of a schedule', () => faultSchedules({}, { inside: [] } as never), 'no option "inside"'],
    ['a client of a workload', () => workloads({ clients: 0 }), 'clients'],
    ['an option of a workload', () => workloads({}, { stays: true } as never), 'no option "stays"'],
  ])('%s is told, with the remedy', (_what, make, message) => {
    expect(make).toThrow(message);
  });

  it('a scenario of a trial is told', async () => {
    await expect(findingsOf({ scenario: { limit: 'never' }, seed: 1 })).rejects.toThrow('limit: must be a duration');
  });
});
