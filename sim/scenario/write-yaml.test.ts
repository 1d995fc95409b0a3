import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseScenario } from './load-text.ts';
import { trials } from '../explore/arbitraries/scenario.ts';
import { BOUND_NAMES } from '../explore/envelope/envelope.ts';
import { scenarioYaml } from './write-yaml.ts';

it('what is read again is the same scenario, whatever was drawn', () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(trials({ open: BOUND_NAMES }), ({ scenario: { name, ...drawn } }) => {
      const { faults, workload, lesson } = drawn;
      const scenario = {
        ...drawn,
        name,
        lesson: `${lesson}\n`,
        faults: faults.map(withoutBeginning),
        workload: workload.map(withoutBeginning),
      };
      for (const setting of Object.keys(drawn.settings)) seen.add(setting);
      for (const step of workload.flatMap(({ steps }) => steps)) {
        seen.add(typeof step === 'string' ? step : Object.keys(step).join(' '));
      }
      expect(parseScenario(scenarioYaml(scenario), 'drawn.yaml', name)).toEqual(scenario);
    }),
    { seed: 1, numRuns: 200 },
  );
  expect([...seen].sort()).toEqual([
    'acquire',
    'backoff',
    'clockDriftFactor',
    'close',
    'deadline',
    'extend',
    'extend beside',
    'extensionLimit',
    'fencing',
    'nodeTimeout',
    'nodes',
    'release',
    'rest',
    'restartGuard',
    'retryCount',
    'retryDelay',
    'retryJitter',
    'ttl',
    'using',
    'work',
    'write',
  ]);
});

/** What begins at once need not say so. */
function withoutBeginning<Part extends { at?: number | undefined }>(part: Part): Part {
  const copy = { ...part };
  if (copy.at === 0) delete copy.at;
  return copy;
}
