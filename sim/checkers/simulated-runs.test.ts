import { describe, expect, it } from 'vitest';
import { scenarioOf, type ScenarioInput } from '../testbed/simulated/simulated-testing.ts';
import { simulatedTestbed } from '../testbed/simulated/simulated-testbed.ts';
import { judge } from '../judge/judge.ts';
import type { Judgement } from '../judge/judgement.ts';

async function judgementOf(changes: Partial<ScenarioInput>): Promise<Judgement> {
  const scenario = scenarioOf(changes);
  return judge(await simulatedTestbed.run(scenario, { seed: 1 }), scenario, 'replay');
}

/** A takes the lock for two seconds; B asks for it after three. */
const TAKEN_IN_TURN: Partial<ScenarioInput> = {
  settings: { ttl: '2s' },
  workload: [
    { clients: 'A', steps: [{ acquire: { resource: 'stock' } }, { work: '10ms' }] },
    { clients: 'B', at: '3s', steps: [{ acquire: { resource: 'stock' } }, { work: '10ms' }, 'release'] },
  ],
  expect: { 'mutual-exclusion': 'violated' },
};
const granted = { event: 'acquire-granted', client: 'A', delay: '100ms' } as const;

describe('a clock that changes after the grant', () => {
  it.each<[string, Partial<ScenarioInput>]>([
    [
      'set back while the lease is valid',
      {
        clients: { A: { clock: 'wall' }, B: null },
        faults: [{ fault: 'client-clock-jump', clients: 'A', by: '-10s', after: granted }],
      },
    ],
    [
      'set back when the lease is over',
      {
        clients: { A: { clock: 'wall' }, B: null },
        faults: [{ fault: 'client-clock-jump', clients: 'A', by: '-2s', at: '3005ms' }],
      },
    ],
    ['running slow', { faults: [{ fault: 'client-clock-drift', clients: 'A', rate: 0.2, after: granted }] }],
  ])('lets its client believe for too long: %s', async (_how, changes) => {
    const { properties, outcome } = await judgementOf({ ...TAKEN_IN_TURN, ...changes });
    expect(properties[0]?.verdict).toMatchObject({ property: 'mutual-exclusion', status: 'violated', count: 1 });
    expect(outcome).toBe('as-expected');
  });

  it('does no harm to a client that reads the other clock', async () => {
    const { properties } = await judgementOf({
      ...TAKEN_IN_TURN,
      faults: [{ fault: 'client-clock-jump', clients: 'A', by: '-10s', after: granted }],
    });
    expect(properties[0]?.verdict).toEqual({ property: 'mutual-exclusion', status: 'ok' });
  });
});

it('a node that comes back only because everything is healed has not come back', async () => {
  const judgementWith = (duration: string): Promise<Judgement> =>
    judgementOf({
      faults: [{ fault: 'crash', nodes: 'n3', at: '100ms', for: duration }],
      happened: [{ event: 'node-crashed' }, { event: 'node-restarted' }],
    });
  expect((await judgementWith('200ms')).happened.map(({ count }) => count)).toEqual([1, 1]);
  const late = await judgementWith('1h');
  expect(late.happened.map(({ count }) => count)).toEqual([1, 0]);
  expect(late.outcome).toBe('unknown');
});
