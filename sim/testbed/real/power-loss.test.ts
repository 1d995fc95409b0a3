import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { judge } from '../../judge/judge.ts';
import { loadScenario } from '../../scenario/load.ts';
import { createProcessesTestbedWith } from '../processes/processes-testbed.ts';
import { redisServerProgram } from '../processes/programs.ts';
import type { ScenarioInput } from '../simulated/simulated-testing.ts';
import { realStory, type RealStory, whyNoRealRuns } from './real-testing.ts';

const obstacle = whyNoRealRuns();

const POWER_LOSS = { fault: 'crash', nodes: 'n1', how: 'power-loss', for: '20ms' } as const;

/** A writes a lot until the first power loss, and nothing after it; H takes a lock then, and loses it at once to the second. */
const TWICE: Partial<ScenarioInput> = {
  settings: { nodes: 1, ttl: '1s' },
  nodes: { persistence: 'aof-everysec' },
  clients: { A: null, H: null },
  faults: [
    { ...POWER_LOSS, at: '2s' },
    { fault: 'partition', clients: 'A', nodes: 'n1', after: { event: 'fault-started' } },
    { ...POWER_LOSS, after: { event: 'acquire-granted', client: 'H', delay: '50ms' } },
  ],
  workload: [
    {
      clients: 'A',
      repeat: 100_000,
      steps: [{ acquire: { resource: 'other', retryCount: 0 } }, 'release', { rest: '2ms' }],
    },
    {
      clients: 'H',
      after: { event: 'node-restarted' },
      steps: [{ acquire: { resource: 'held', ttl: '5s', retryCount: 600, retryDelay: '5ms', retryJitter: '0ms' } }],
    },
  ],
  limit: '6s',
};

/** Of two keys at the time of the power loss, one is older than a second and the other is younger. */
const OLD_AND_YOUNG: Partial<ScenarioInput> = {
  settings: { nodes: 1, ttl: '9s' },
  nodes: { persistence: 'aof-everysec' },
  faults: [{ ...POWER_LOSS, after: { event: 'acquire-granted', client: 'B', delay: '20ms' } }],
  workload: [
    { clients: 'A', steps: [{ acquire: { resource: 'old' } }] },
    {
      clients: 'B',
      after: { event: 'acquire-granted', client: 'A', delay: '1500ms' },
      steps: [{ acquire: { resource: 'young' } }],
    },
    { clients: 'A', after: { event: 'node-restarted' }, steps: [{ rest: '10ms' }] },
  ],
  limit: '20s',
};

describe.skipIf(obstacle !== null)(`power losses, for real${obstacle === null ? '' : `: ${obstacle}`}`, () => {
  let twice: RealStory;
  let oldAndYoung: RealStory;

  beforeAll(async () => {
    twice = await realStory(TWICE);
    oldAndYoung = await realStory(OLD_AND_YOUNG);
  });

  function lostKeys(story: RealStory): string[] {
    return story.all('key-lost', { cause: 'restart' }).map(({ key }) => key);
  }

  it('a second one loses what was written since the first, however little that is and however soon', () => {
    const restarts = twice.all('node-restarted');
    expect(restarts).toHaveLength(2);
    const [first, second] = restarts.map(({ timeUs }) => timeUs) as [number, number];
    expect(twice.one('acquire-granted', { client: 'H', phase: 'workload' }).timeUs).toBeGreaterThan(first);
    expect(lostKeys(twice)).toContain('lock:held');
    expect(twice.first('key-lost', { key: 'lock:held' }).timeUs).toBeLessThanOrEqual(second);
  });

  it('loses what was written in the last second, and keeps what is older', () => {
    expect(lostKeys(oldAndYoung)).toEqual(['lock:young']);
    expect(oldAndYoung.one('node-restarted').keys).toBe(1);
  });

  it('goes by what the server does, not by what the scenario says of it', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'distrilock-test-'));
    const script = join(folder, 'redis-server');
    writeFileSync(script, `#!/bin/sh\nexec ${redisServerProgram(null).path} "$@" --appendfsync no\n`);
    chmodSync(script, 0o755);
    try {
      const scenario = loadScenario('scenarios/power-loss-always.yaml');
      const testbed = await createProcessesTestbedWith(script);
      const { outcome, reasons } = judge(await testbed.run(scenario, { seed: 1 }), scenario, 'again');
      expect(outcome).not.toBe('as-expected');
      expect(reasons.join('\n')).toContain('mutual-exclusion');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
