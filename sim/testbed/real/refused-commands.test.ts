import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judge } from '../../judge/judge.ts';
import { createProcessesTestbedWith } from '../processes/processes-testbed.ts';
import { redisServerProgram } from '../processes/programs.ts';
import type { ScenarioInput } from '../simulated/simulated-testing.ts';
import { realScenario, RealStory, whyNoRealRuns } from './real-testing.ts';

const obstacle = whyNoRealRuns();
const title = 'a run on servers that refuse every write';

describe.skipIf(obstacle !== null)(obstacle === null ? title : `${title}: ${obstacle}`, { timeout: 40_000 }, () => {
  let folder: string;
  let redisServer: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'distrilock-refusals-'));
    redisServer = join(folder, 'refusing-redis-server');
    writeFileSync(redisServer, `#!/bin/sh\nexec '${redisServerProgram(null).path}' "$@" --min-replicas-to-write 1\n`, {
      mode: 0o755,
    });
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  async function lossOf(changes: Partial<ScenarioInput>): Promise<{ story: RealStory; loss: string }> {
    const scenario = realScenario({
      workload: [{ repeat: 2, steps: [{ acquire: { resource: 'r', retryCount: 0 } }, 'write', 'release'] }],
      expect: { 'mutual-exclusion': 'ok' },
      ...changes,
    });
    const testbed = await createProcessesTestbedWith(redisServer);
    const history = await testbed.run(scenario, { seed: 1 });
    const { outcome, lost } = judge(history, scenario, '');
    expect(outcome).toBe('unknown');
    return { story: RealStory.of(history), loss: lost ?? '' };
  }

  // A script is begun, and seen, before it is refused; a plain SET never is.
  it.concurrent.each([
    ['a script', true],
    ['a plain command', false],
  ])('of %s is lost, in the words of the server, and no lock is granted in its history', async (_what, fencing) => {
    const { story, loss } = await lossOf({ settings: { nodes: 3, ttl: '300ms', fencing } });
    expect(loss).toMatch(
      /^n\d refused command \d+ of [AB] \(acquire lock:r\), and \d+ more, with the error: NOREPLICAS .* \(the server lacks the replicas .*\)\. No fault of the scenario explains it: put the server right, or name another one$/,
    );
    const acquires = story.all('command-executed', { kind: 'acquire' });
    expect(acquires.length > 0).toBe(fencing);
    expect(acquires.filter(({ reply, changed }) => reply !== 'failed' || changed)).toEqual([]);
    expect(story.all('reply-received', { reply: 'failed' }).every(({ error }) => error?.startsWith('NOREPLICAS'))).toBe(
      true,
    );
  });

  it.concurrent('is lost where it is the run that is refused, as it lets the servers vote', async () => {
    const { loss } = await lossOf({ settings: { nodes: 3, ttl: '300ms', restartGuard: '300ms' } });
    expect(loss).toMatch(/^n\d refused what the run asked of it, with the error: NOREPLICAS /);
  });
});
