import { describe, expect, it } from 'vitest';
import { scenarioOf, type ScenarioInput } from '../testbed/simulated/simulated-testing.ts';
import { longestKeyLifeMs, resourcesOf, runStarted } from './facts.ts';

function longestTtlMs(changes: Partial<ScenarioInput>): number {
  return runStarted(scenarioOf(changes), 'simulated', 1, ['A'], ['n1', 'n2', 'n3']).longestTtlMs;
}

describe('the longest time to live that a scenario asks for', () => {
  it.each<[string, NonNullable<ScenarioInput['workload']>[number]['steps'], number]>([
    ['of the settings', [{ acquire: { resource: 'r' } }, { work: '1h' }, 'write', 'release'], 2000],
    ['of a lock', [{ acquire: { resource: 'r', ttl: '3s' } }, { acquire: { resource: 'r', ttl: '1s' } }], 3000],
    ['of work by using', [{ using: { resource: 'r', ttl: '5s', work: '1h' } }], 5000],
    ['of an extension', [{ acquire: { resource: 'r' } }, { extend: '4s' }, { extend: '1s' }], 4000],
  ])('%s', (_title, steps, expected) => {
    expect(longestTtlMs({ settings: { ttl: '2s' }, workload: [{ steps }] })).toBe(expected);
  });

  it('says how long a key can live, with the drift factor of the settings or the library', () => {
    expect(longestKeyLifeMs(scenarioOf({ settings: { ttl: '2s' } }))).toBeCloseTo(2030);
    expect(longestKeyLifeMs(scenarioOf({ settings: { ttl: '2s', clockDriftFactor: 0.1 } }))).toBeCloseTo(2210);
  });
});

it('the first event of a history says what a reader must know', () => {
  const scenario = scenarioOf({
    settings: { ttl: '2s', fencing: true },
    clients: { A: { clock: 'wall', rate: 1.5 }, B: null },
  });
  expect(runStarted(scenario, 'simulated', 7, ['A', 'B'], ['n1', 'n2', 'n3', 'n4'])).toEqual({
    type: 'run-started',
    timeUs: 0,
    format: 1,
    scenario: 'test',
    title: 'A test',
    backend: 'simulated',
    seed: 7,
    clients: ['A', 'B'],
    nodes: ['n1', 'n2', 'n3', 'n4'],
    quorum: 3,
    longestTtlMs: 2000,
    clockDriftFactor: 0.01,
    fencing: true,
    clocks: { A: { clock: 'wall', rate: 1.5 }, B: { clock: 'monotonic', rate: 1 } },
  });
});

describe('the resources of a workload', () => {
  const acquire = (resource: string | string[]): { acquire: { resource: string | string[] } } => ({
    acquire: { resource },
  });
  it('come in the order in which they come up, each once, with the names of clients in place', () => {
    const scenario = scenarioOf({
      clients: { A: null, B: null, C: null },
      workload: [
        { clients: ['B', 'A'], steps: [acquire('of-{client}-{client}'), { rest: 1 }, acquire('shared')] },
        { clients: 'C', steps: [acquire('shared'), acquire(['shared', 'last'])] },
        { clients: 'all', steps: [{ using: { resource: '{client}', work: 1 } }] },
      ],
    });
    expect(resourcesOf(scenario, ['A', 'B', 'C'])).toEqual(['of-B-B', 'shared', 'of-A-A', 'last', 'A', 'B', 'C']);
  });
});
