import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Summary } from '../../results/summary.ts';
import { writeScenario } from '../cli-testing.ts';
import { fakeTestbed } from '../fake-testbed.ts';
import { hostWith } from '../console/host-testing.ts';
import { runCommandLine } from '../program.ts';

const START = process.cwd();
const LOSS = 'the redis-server of n2 was killed by SIGKILL';

describe('a run that was lost', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'distrilock-lost-'));
    process.chdir(folder);
  });

  afterEach(() => {
    process.chdir(START);
    rmSync(folder, { recursive: true });
  });

  it('is unknown, says why, counts as flaky, and lets all others run', async () => {
    const files = ['first', 'second'].map((name) => writeScenario(folder, name, 'as-expected'));
    const loses = (scenario: string, seed: number): string | null => (scenario === 'first' && seed === 2 ? LOSS : null);
    const { host, printed } = hostWith(fakeTestbed({ loses }));
    expect(await runCommandLine(['run', ...files, '-b', 'processes', '--runs', '3'], host)).toBe(3);
    expect(printed.stdout).toContain(`    seed 2: the run was lost: ${LOSS}\n    npx distrilock run first.yaml`);
    const { totals, backends, scenarios } = JSON.parse(readFileSync('reports/summary.json', 'utf8')) as Summary;
    expect(totals).toEqual({ runs: 6, asExpected: 5, notAsExpected: 0, unknown: 1, skipped: 0, missing: 0 });
    expect(backends[0]?.flakiness).toEqual({ scenarios: 2, flakyScenarios: ['first'], runs: 6, minorityRuns: 1 });
    expect(scenarios[0]?.runs[1]).toMatchObject({ outcome: 'unknown', reasons: [`the run was lost: ${LOSS}`] });
    expect(existsSync('reports/first/seed-2/report.html')).toBe(true);
  });
});
