import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { lossOf } from '../../history/loss.ts';
import { libfaketime } from '../processes/faketime.ts';
import { createProcessesTestbedWith } from '../processes/processes-testbed.ts';
import { redisServerProgram } from '../processes/programs.ts';
import { realScenario, realStory, whyNoRealRuns } from './real-testing.ts';

const obstacle = whyNoRealRuns() ?? (libfaketime() === null ? 'there is no libfaketime' : null);

describe.skipIf(obstacle !== null)(`what TIME says${obstacle === null ? '' : `: ${obstacle}`}`, () => {
  it('is in the history: how far the clock of a node is off', async () => {
    const story = await realStory({
      clients: { A: null },
      workload: [{ after: { event: 'fault-ended', nth: 4 }, steps: [{ rest: '1ms' }] }],
      faults: [
        { fault: 'clock-jump', nodes: 'n1', by: '5s' },
        { fault: 'clock-jump', nodes: 'n1', by: '-7s', after: { event: 'fault-ended' } },
        { fault: 'clock-drift', nodes: 'n1', rate: 3, for: '500ms', after: { event: 'fault-ended', nth: 2 } },
        { fault: 'crash', nodes: 'n2' },
        { fault: 'clock-jump', nodes: 'n2', by: '5s', after: { event: 'node-crashed' } },
      ],
      limit: '10s',
    });
    const [forth, back, fast, slow] = story.all('node-clock-changed', { node: 'n1' }).map(({ offsetMs }) => offsetMs);
    expect(Math.abs((forth ?? 0) - 5000)).toBeLessThanOrEqual(10);
    expect(Math.abs((back ?? 0) + 2000)).toBeLessThanOrEqual(10);
    // It gains two seconds in each, from the moment it is set on.
    expect(Math.abs((fast ?? 0) + 2000)).toBeLessThanOrEqual(150);
    const { timeUs: fromUs } = story.started('clock-drift');
    const { timeUs: untilUs } = story.one('node-clock-changed', { node: 'n1', rate: 1, byMs: 0 });
    expect(Math.abs((slow ?? 0) - (2 * (untilUs - fromUs)) / 1000 + 2000)).toBeLessThanOrEqual(150);
    expect(story.one('node-clock-changed', { node: 'n2' }).offsetMs).toBeNull();
  });

  it('makes the run of a server whose clock does not move a lost one', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'distrilock-test-'));
    const script = join(folder, 'redis-server');
    writeFileSync(script, `#!/bin/sh\nunset FAKETIME_TIMESTAMP_FILE\nexec ${redisServerProgram(null).path} "$@"\n`);
    chmodSync(script, 0o755);
    try {
      const testbed = await createProcessesTestbedWith(script);
      const scenario = realScenario({ faults: [{ fault: 'clock-jump', nodes: 'n1', by: '100ms', at: '100ms' }] });
      const history = await testbed.run(scenario, { seed: 1 });
      expect(lossOf(history)).toContain('the clock of n1 does not move as it is told');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
