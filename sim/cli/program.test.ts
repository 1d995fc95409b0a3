import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Summary } from '../results/summary.ts';
import { simulatedTestbed } from '../testbed/simulated/simulated-testbed.ts';
import type { Testbed } from '../testbed/testbed.ts';
import { writeScenario } from './cli-testing.ts';
import { hostWith } from './console/host-testing.ts';
import type { Host } from './console/host.ts';
import { runCommandLine } from './program.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'distrilock-program-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

/** Runs the scenarios of these names in the test's folder, with their results there. */
function run(host: Host, ...names: string[]): Promise<number> {
  const files = names.map((name) => join(folder, writeScenario(folder, name, 'as-expected')));
  return runCommandLine(['run', ...files, '--out', join(folder, 'out')], host);
}

/** The simulated testbed, but for the scenario `broken`, where it records some events and then fails. */
function failingWith(error: Error): Testbed {
  return {
    ...simulatedTestbed,
    run: (scenario, options) => {
      if (scenario.name !== 'broken') return simulatedTestbed.run(scenario, options);
      options.onEvents?.([{ type: 'healed', timeUs: 5 }]);
      return Promise.reject(error);
    },
  };
}

describe('a defect', () => {
  it('ends with its stack, a request to report it, the replay command and exit code 70', async () => {
    const { host, printed } = hostWith(failingWith(new Error('the sky has fallen')));
    expect(await run(host, 'good', 'broken', 'never')).toBe(70);
    expect(printed.stderr).toContain('distrilock has a defect. Please report it');
    expect(printed.stderr).toContain('Error: the sky has fallen\n    at ');
    expect(printed.stderr).toContain(
      `\nThis runs it again:\n  npx distrilock run ${join(folder, 'broken.yaml')} --backend simulated --seed 1\n`,
    );
    expect(printed.stdout).toContain('1 run: 1 as expected');
  });

  it('keeps what was written before', async () => {
    const { host } = hostWith(failingWith(new Error('the sky has fallen')));
    await run(host, 'good', 'broken', 'never');
    const out = join(folder, 'out');
    expect(readdirSync(out).sort()).toEqual(['broken', 'good', 'index.html', 'summary.json']);
    expect(readFileSync(join(out, 'broken', 'history.ndjson'), 'utf8')).toBe('{"type":"healed","timeUs":5}\n');
    expect(readdirSync(join(out, 'broken'))).toEqual(['history.ndjson']);
    const summary = JSON.parse(readFileSync(join(out, 'summary.json'), 'utf8')) as Summary;
    expect(summary.scenarios.map(({ scenario }) => scenario)).toEqual(['good']);
  });

  it('that a signal made is none: Ctrl-C reaches what this program started as well', async () => {
    const controller = new AbortController();
    const load = (): Promise<Testbed> => {
      controller.abort('SIGINT');
      return Promise.reject(new Error('The service was stopped'));
    };
    const { host, printed } = hostWith(simulatedTestbed, { testbeds: { simulated: load }, signal: controller.signal });
    expect(await runCommandLine(['run'], host)).toBe(130);
    expect(printed.stderr).toBe('Interrupted by SIGINT\n');
  });

  it('outside of any run names the command line as it was', async () => {
    const load = (): Promise<Testbed> => Promise.reject(new Error('it cannot be loaded'));
    const { host, printed } = hostWith(simulatedTestbed, { testbeds: { simulated: load } });
    mkdirSync(join(folder, "it's"));
    const file = join(folder, "it's", writeScenario(join(folder, "it's"), 'one', 'as-expected'));
    expect(await runCommandLine(['run', file, '--seed', '5'], host)).toBe(70);
    const quoted = `'${file.replace("'", `'\\''`)}'`;
    expect(printed.stderr).toContain(`This runs it again:\n  npx distrilock run ${quoted} --seed 5\n`);
  });
});

describe('progress', () => {
  it('is one line of a terminal, written over and over and erased at the end', async () => {
    const { host, printed } = hostWith(simulatedTestbed, { isTTY: true, columns: 200 });
    expect(await run(host, 'one', 'two')).toBe(0);
    const lines = printed.stderr.split('\r\u001B[2K');
    expect(lines[1]).toMatch(/^1 of 2: one, at [\d.]+ m?s, \d+ events$/);
    expect(lines.at(-2)).toMatch(/^2 of 2: two, at [\d.]+ m?s, \d+ events$/);
    expect(lines.at(-1)).toBe('');
    expect(printed.stderr).not.toContain('\n');
  });

  it('fits a narrow terminal', async () => {
    const { host, printed } = hostWith(simulatedTestbed, { isTTY: true, columns: 12 });
    await run(host, 'one');
    for (const line of printed.stderr.split('\r\u001B[2K')) expect(line.length).toBeLessThan(12);
  });

  it('names the seed where there are several', async () => {
    const { host, printed } = hostWith(simulatedTestbed, { isTTY: true, columns: 200 });
    const file = join(folder, writeScenario(folder, 'one', 'as-expected'));
    await runCommandLine(['run', file, '--runs', '2', '--out', join(folder, 'out')], host);
    expect(printed.stderr).toContain('1 of 1: one, seed 2, at ');
  });

  it('is nothing where there is no terminal', async () => {
    const { host, printed } = hostWith(simulatedTestbed);
    await run(host, 'one');
    expect(printed.stderr).toBe('');
  });
});

describe('colours', () => {
  it.each([
    [{ isTTY: true }, {}, true],
    [{ isTTY: true }, { NO_COLOR: '1' }, false],
    [{ isTTY: true }, { TERM: 'dumb' }, false],
    [{ isTTY: true }, { FORCE_COLOR: '0' }, false],
    [{ isTTY: false }, { FORCE_COLOR: 'true' }, true],
    [{ isTTY: false }, {}, false],
  ])('on %j with %j: %s', async (terminal, environment, isColored) => {
    const { host, printed } = hostWith(simulatedTestbed, { ...terminal, environment });
    await run(host, 'one');
    expect(printed.stdout.includes('\u001B[32m')).toBe(isColored);
  });
});

describe('an interruption', () => {
  it('before the first run leaves the results of earlier ones alone', async () => {
    const { host } = hostWith(simulatedTestbed);
    await run(host, 'one');
    const { host: interrupted, printed } = hostWith(simulatedTestbed, { signal: AbortSignal.abort('SIGINT') });
    expect(await run(interrupted, 'one')).toBe(130);
    expect(readdirSync(join(folder, 'out', 'one')).sort()).toEqual(['history.ndjson', 'report.html', 'verdict.json']);
    expect(printed.stderr).toBe('Interrupted by SIGINT before anything was finished (0 of 1 runs)\n');
    expect(printed.stdout).toBe('');
  });

  it('that comes too late changes nothing', async () => {
    const controller = new AbortController();
    const late: Testbed = {
      ...simulatedTestbed,
      run: async (scenario, options) => {
        const history = await simulatedTestbed.run(scenario, options);
        controller.abort('SIGINT');
        return history;
      },
    };
    const { host, printed } = hostWith(late, { signal: controller.signal });
    expect(await run(host, 'one')).toBe(0);
    expect(printed.stderr).toBe('');
  });
});
