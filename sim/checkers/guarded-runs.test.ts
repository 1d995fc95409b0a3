import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { galleryNames, loadScenario } from '../scenario/load.ts';
import type { Scenario } from '../scenario/schema.ts';
import { type FaultInput, scenarioOf } from '../testbed/simulated/simulated-testing.ts';
import { simulatedTestbed } from '../testbed/simulated/simulated-testbed.ts';
import { judge } from '../judge/judge.ts';
import { checkMutualExclusion } from './mutual-exclusion.ts';

const SEEDS = Array.from({ length: 20 }, (_, index) => index + 1);

function withoutGuard(scenario: Scenario): Scenario {
  return { ...scenario, settings: { ...scenario.settings, restartGuard: undefined } };
}

async function mutualExclusionOf(scenario: Scenario, seed: number): Promise<string> {
  return checkMutualExclusion(await simulatedTestbed.run(scenario, { seed })).status;
}

describe.each(galleryNames().filter((name) => name.startsWith('guarded-')))('%s', (name) => {
  const scenario = loadScenario(`scenarios/${name}.yaml`);

  it('goes as it says with every seed', async () => {
    for (const seed of SEEDS) {
      const { outcome } = judge(await simulatedTestbed.run(scenario, { seed }), scenario, 'replay');
      expect(outcome, `seed ${seed}`).toBe('as-expected');
    }
  });

  it('would break mutual exclusion with every seed without the guard', async () => {
    for (const seed of SEEDS) {
      expect(await mutualExclusionOf(withoutGuard(scenario), seed), `seed ${seed}`).toBe('violated');
    }
  });
});

const moment = fc.integer({ min: 0, max: 900 }).map((at) => `${at}ms`);
const node = fc.constantFrom('n1', 'n2', 'n3');
const forgetting: fc.Arbitrary<FaultInput> = fc.oneof(
  fc.record({ fault: fc.constant('crash'), nodes: node, at: moment, for: fc.constantFrom('5ms', '40ms', '200ms') }),
  fc.record({ fault: fc.constant('flush'), nodes: node, at: moment }),
  fc.record({ fault: fc.constant('promotion'), nodes: node, at: moment, lag: fc.constantFrom('0ms', '50ms', '1h') }),
);

describe('nodes that forget at any moment', () => {
  const schedules = fc.sample(fc.array(forgetting, { minLength: 3, maxLength: 8 }), { numRuns: 150, seed: 1 });

  function scenarioWith(faults: FaultInput[], restartGuard: string | undefined): Scenario {
    return scenarioOf({
      settings: { nodes: 3, ttl: '200ms', restartGuard, nodeTimeout: '20ms', retryDelay: '10ms', retryJitter: '10ms' },
      clients: 3,
      nodes: { replica: true, persistence: 'aof-everysec' },
      workload: [
        {
          repeat: 20,
          steps: [
            { acquire: { resource: 'r', retryCount: -1 } },
            { work: '60ms..150ms' },
            { extend: '200ms' },
            'release',
          ],
        },
      ],
      faults,
      limit: '1s',
    });
  }

  it('never break mutual exclusion with the guard, and often do without', async () => {
    let broken = 0;
    for (const [index, faults] of schedules.entries()) {
      expect(await mutualExclusionOf(scenarioWith(faults, '200ms'), index), JSON.stringify(faults)).toBe('ok');
      if ((await mutualExclusionOf(scenarioWith(faults, undefined), index)) === 'violated') broken += 1;
    }
    expect(broken).toBeGreaterThan(10);
  });
});
