import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Summary } from '../../results/summary.ts';
import { redisServerProgram } from '../../testbed/processes/programs.ts';
import { whyNoRealRuns } from '../../testbed/real/real-testing.ts';
import { distrilock, type Ended, ended, start } from '../cli-testing.ts';
import { foldersIn, processesIn, untilNothingLeft } from './left-behind.ts';

const obstacle = whyNoRealRuns();
const TITLE = obstacle === null ? 'runs on real servers' : `runs on real servers: ${obstacle}`;

/** Two clients on three nodes, with time enough for a machine that is busy; A stays for `rest` when it is done. */
function scenarioWith(rest: string): string {
  return `title: Two clients, one after the other
settings: { nodes: 3, ttl: 2s, nodeTimeout: 800ms }
clients: { A: , B: }
workload:
  - { clients: A, steps: [{ acquire: { resource: r } }, write, release, { rest: ${rest} }] }
  - { clients: B, after: { event: release-done, client: A }, steps: [{ acquire: { resource: r } }, write, release] }
happened: [{ event: write-accepted, client: B }]
expect: { mutual-exclusion: ok, resource-integrity: ok }
lesson: One at a time.
`;
}

let folder: string;
/** Where all that runs start has its temporary files. */
let temporary: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'distrilock-real-'));
  temporary = join(folder, 'tmp');
  mkdirSync(temporary);
  writeFileSync(join(folder, 'quick.yaml'), scenarioWith('1ms'));
  writeFileSync(join(folder, 'long.yaml'), scenarioWith('50s'));
});

afterEach(() => {
  for (const pid of processesIn(temporary)) process.kill(pid, 'SIGKILL');
  rmSync(folder, { recursive: true });
});

function run(words: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return distrilock(['run', ...words], { folder, environment: { TMPDIR: temporary, ...environment } });
}

function readSummary(): Summary {
  return JSON.parse(readFileSync(join(folder, 'reports/summary.json'), 'utf8')) as Summary;
}

describe.skipIf(obstacle !== null)(TITLE, { timeout: 60_000 }, () => {
  it('agree with simulated ones, and leave nothing behind', async () => {
    const { code, stdout, stderr } = await run(['quick.yaml', '--backend', 'simulated,processes']);
    expect(stdout).toMatch(/^quick +none +as expected, [\d.]+ m?s +as expected, [\d.]+ m?s +agree$/m);
    expect(stderr).toMatch(/^1 of 1: quick on processes: as expected, [\d.]+ m?s\n$/);
    expect(code).toBe(0);
    expect(readSummary().parity).toMatchObject([{ agree: true, backends: ['simulated', 'processes'] }]);
    await untilNothingLeft(temporary, 2000);
  });

  it('are named by the version of the server that was asked for', async () => {
    const { path } = redisServerProgram(null);
    const { code } = await run(['quick.yaml', '--backend', 'processes', '--redis-server', path]);
    expect(code).toBe(0);
    expect(readSummary().scenarios[0]?.backend).toMatch(/^processes-(valkey-)?\d+\.\d+\.\d+$/);
  });

  it('that never begin say why, and leave nothing behind', async () => {
    const environment = { DISTRILOCK_TOXIPROXY_SERVER: '/bin/false' };
    const { code, stdout, stderr } = await run(['quick.yaml', '--backend', 'processes'], environment);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^processes cannot run here: \/bin\/false ended at once \(exit code 1\)\. Remedy: .*\n$/);
    await untilNothingLeft(temporary, 2000);
  });

  // Ctrl-C on a terminal is sent to the whole group.
  it.each([
    ['SIGINT', 130, 'the run alone'],
    ['SIGINT', 130, 'its whole group'],
    ['SIGTERM', 143, 'the run alone'],
  ] as const)(
    'are ended by %s, with exit code %i, sent to %s, and leave nothing behind',
    async (signal, code, whom) => {
      const child = start(['run', 'long.yaml', '--backend', 'processes'], {
        folder,
        environment: { TMPDIR: temporary },
        detached: true,
      });
      const outcome = ended(child);
      await untilClientsRun();
      process.kill(whom === 'the run alone' ? (child.pid ?? 0) : -(child.pid ?? 0), signal);
      expect(await outcome).toMatchObject({
        code,
        stderr: `Interrupted by ${signal} before anything was finished (0 of 1 runs); the history so far of the first is in reports/long/history.ndjson\n`,
      });
      await untilNothingLeft(temporary, 2000);
      const history = readFileSync(join(folder, 'reports/long/history.ndjson'), 'utf8').trimEnd().split('\n');
      expect(JSON.parse(history.at(-1) ?? '')).toMatchObject({ type: 'run-ended', reason: 'interrupted' });
    },
  );

  it('that are killed are cleaned up by somebody else', async () => {
    const child = start(['run', 'long.yaml', '--backend', 'processes'], {
      folder,
      environment: { TMPDIR: temporary },
    });
    const outcome = ended(child);
    await untilClientsRun();
    // Three nodes, the resource, Toxiproxy, two clients, the run itself and its reaper.
    expect(processesIn(temporary).length).toBeGreaterThanOrEqual(9);
    expect(foldersIn(temporary)).toHaveLength(1);
    child.kill('SIGKILL');
    expect((await outcome).code).toBeNull();
    await untilNothingLeft(temporary, 5000);
  });
});

/** Resolves once both clients of the scenario are there: then all that can be left behind is there too. */
async function untilClientsRun(): Promise<void> {
  const isClient = (pid: number): boolean => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('client.mjs');
    } catch {
      return false;
    }
  };
  while (processesIn(temporary).filter(isClient).length < 2) await new Promise((resolve) => setTimeout(resolve, 20));
}
