import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Summary } from '../../results/summary.ts';
import { simulatedTestbed } from '../../testbed/simulated/simulated-testbed.ts';
import type { RunOptions, Testbed } from '../../testbed/testbed.ts';
import { TestbedUnavailableError } from '../../testbed/testbed-error.ts';
import { writeScenario } from '../cli-testing.ts';
import { CANNOT_RUN, fakeTestbed } from '../fake-testbed.ts';
import { hostWith, type HostChanges, testbedsOf } from '../console/host-testing.ts';
import type { Host } from '../console/host.ts';
import { runCommandLine } from '../program.ts';

const START = process.cwd();
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'distrilock-backends-'));
  process.chdir(folder);
});

afterEach(() => {
  process.chdir(START);
  rmSync(folder, { recursive: true });
});

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(words: readonly string[], testbeds: Host['testbeds'], changes: HostChanges = {}): Promise<Outcome> {
  const { host, printed } = hostWith(simulatedTestbed, { testbeds, ...changes });
  const code = await runCommandLine(['run', ...words], host);
  return { code, ...printed };
}

function readSummary(): Summary {
  return JSON.parse(readFileSync(join(folder, 'reports/summary.json'), 'utf8')) as Summary;
}

const lacksEverything = fakeTestbed({ lacks: () => 'it sees bytes, not messages' });

describe('--backend', () => {
  const three = testbedsOf(simulatedTestbed, fakeTestbed(), fakeTestbed({ name: 'containers' }));

  it.each([
    [[], ['simulated']],
    [['--backend', 'processes'], ['processes']],
    [
      ['--backend', 'simulated,processes'],
      ['simulated', 'processes'],
    ],
    [
      ['-b', 'containers', '-b', 'simulated'],
      ['containers', 'simulated'],
    ],
    [
      ['-b', 'processes, simulated', '-b', 'processes'],
      ['processes', 'simulated'],
    ],
    [
      ['--backend', 'all'],
      ['simulated', 'processes', 'containers'],
    ],
    [
      ['--backend', 'processes,all'],
      ['processes', 'simulated', 'containers'],
    ],
  ])('%j runs on %j', async (words, backends) => {
    const file = writeScenario(folder, 'one', 'as-expected');
    expect((await run([file, ...words], three)).code).toBe(0);
    const { scenarios, backends: summaries } = readSummary();
    expect(scenarios.map(({ backend }) => backend)).toEqual(backends);
    expect(summaries.map(({ backend }) => backend)).toEqual(backends);
  });

  it('gives each of several backends a folder of its own, with seeds below, and one alone none', async () => {
    const file = writeScenario(folder, 'one', 'as-expected');
    await run([file, '--backend', 'all', '--runs', '2'], three);
    expect(readdirSync('reports/one').sort()).toEqual(['containers', 'processes', 'simulated']);
    expect(readdirSync('reports/one/processes').sort()).toEqual(['seed-1', 'seed-2']);
    expect(readSummary().scenarios[1]?.runs.map((each) => each.folder)).toEqual([
      'one/processes/seed-1',
      'one/processes/seed-2',
    ]);
    await run([file, '--backend', 'processes'], three);
    expect(readdirSync('reports/one').sort()).toEqual(['history.ndjson', 'report.html', 'verdict.json']);
  });

  it('prints a column for each, how they agree, and how flaky each is', async () => {
    const file = writeScenario(folder, 'one', 'as-expected');
    const { stdout } = await run([file, '--backend', 'simulated,processes', '--runs', '2'], three);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^scenario +expected violations +simulated +processes +parity$/);
    expect(lines[1]).toMatch(/^one +none +2 of 2 as expected, [\d.]+ m?s +2 of 2 as expected, [\d.]+ m?s +agree$/);
    expect(lines.slice(3)).toEqual([
      '4 runs: 4 as expected, 0 not as expected, 0 unknown',
      '  simulated: 2 runs: 2 as expected, 0 not as expected, 0 unknown',
      '  processes: 2 runs: 2 as expected, 0 not as expected, 0 unknown',
      'Flakiness of simulated: 0 of 1 scenario came out differently between seeds; 0 of 2 runs were unlike the majority, 0.0 %',
      'Flakiness of processes: 0 of 1 scenario came out differently between repetitions; 0 of 2 runs were unlike the majority, 0.0 %',
      'Parity: the backends agree on every property of 1 of 1 scenario',
      'Report: reports/index.html',
      '',
    ]);
  });

  it('says of which backend a run is that is not as expected, and how to run that one again', async () => {
    const file = writeScenario(folder, 'bad', 'not-as-expected');
    const { code, stdout } = await run([file, '--backend', 'simulated,processes'], three);
    expect(code).toBe(1);
    expect(stdout).toMatch(/^ {4}processes, seed 1: .*mutual-exclusion/m);
    expect(stdout).toContain('\n    npx distrilock run bad.yaml --backend processes --seed 1\n');
    expect(stdout).toContain('\n    npx distrilock run bad.yaml --backend simulated --seed 1\n');
  });
});

describe('a backend that cannot run here', () => {
  const cannotRun = fakeTestbed({ availability: CANNOT_RUN });

  it('is bad input if it is the only one', async () => {
    const file = writeScenario(folder, 'one', 'as-expected');
    expect(await run([file, '--backend', 'processes'], testbedsOf(cannotRun))).toEqual({
      code: 2,
      stdout: '',
      stderr: 'processes cannot run here: there is no fake. Remedy: install one\n',
    });
    expect(existsSync('reports')).toBe(false);
  });

  it('is skipped loudly beside others, everywhere, and is not green', async () => {
    const file = writeScenario(folder, 'one', 'as-expected');
    const words = [file, '--backend', 'all', '--junit', 'junit.xml'];
    const { code, stdout } = await run(words, testbedsOf(simulatedTestbed, cannotRun));
    expect(code).toBe(0);
    expect(stdout).toMatch(/^one +none +as expected, [\d.]+ m?s +skipped$/m);
    expect(stdout).toContain('1 run: 1 as expected, 0 not as expected, 0 unknown, 1 skipped\n');
    expect(stdout).toContain('  processes: did not run\n');
    expect(stdout.trimEnd().split('\n').at(-1)).toBe(
      'Skipped, so not proven: processes cannot run here: there is no fake. Remedy: install one',
    );
    const { backends, skipped, totals } = readSummary();
    expect(backends[1]?.unavailable).toEqual({ problem: 'there is no fake', remedy: 'install one' });
    expect(backends[1]?.totals.runs).toBe(0);
    expect(skipped).toMatchObject([{ scenario: 'one', backend: 'processes', reason: 'there is no fake' }]);
    expect(totals).toMatchObject({ runs: 1, asExpected: 1, skipped: 1 });
    const page = readFileSync('reports/index.html', 'utf8');
    expect(page).toContain('processes could not run');
    expect(page).toContain('It cannot run here: there is no fake.');
    expect(readFileSync('junit.xml', 'utf8').match(/<skipped/g)).toHaveLength(1);
  });

  it('is told on stderr where stdout is for JSON', async () => {
    const file = writeScenario(folder, 'one', 'as-expected');
    const { stdout, stderr } = await run([file, '--backend', 'all', '--json'], testbedsOf(simulatedTestbed, cannotRun));
    expect((JSON.parse(stdout) as Summary).totals.skipped).toBe(1);
    expect(stderr).toBe('Skipped, so not proven: processes cannot run here: there is no fake. Remedy: install one\n');
  });

  it.each([
    ['all of several', testbedsOf(cannotRun, fakeTestbed({ name: 'containers', availability: CANNOT_RUN }))],
    ['all that there are', testbedsOf(cannotRun)],
    [
      'one that can, but lacks what the only scenario needs',
      testbedsOf(cannotRun, { ...lacksEverything, name: 'containers' }),
    ],
  ])('leaves nothing proven with %s', async (_which, testbeds) => {
    const file = writeScenario(folder, 'one', 'as-expected');
    const { code, stdout, stderr } = await run([file, '--backend', 'all', '--junit', 'junit.xml'], testbeds);
    expect(code).toBe(2);
    expect(stdout).toContain('0 runs: 0 as expected');
    expect(stderr).toBe('Nothing ran, and nothing is proven: every scenario was skipped, for the reasons above\n');
    expect(readFileSync('junit.xml', 'utf8')).toContain('<error');
  });

  it('after all, for it has no servers when it comes to it, is skipped for good, and not tried again', async () => {
    const tried: string[] = [];
    const broken = fakeTestbed({
      before: (scenario) => {
        tried.push(scenario);
        throw new TestbedUnavailableError('no image can be had', 'pull one');
      },
    });
    const files = ['one', 'two'].map((name) => writeScenario(folder, name, 'as-expected'));
    const { code, stdout } = await run([...files, '--backend', 'all'], testbedsOf(simulatedTestbed, broken));
    expect(code).toBe(0);
    expect(tried).toEqual(['one']);
    expect(stdout).toContain(
      'Skipped, so not proven: processes cannot run here: no image can be had. Remedy: pull one\n',
    );
    expect(readSummary().skipped.map(({ scenario }) => scenario)).toEqual(['one', 'two']);
  });
});

describe('servers that cannot be had for one scenario', () => {
  const failsOn = (name: string): Testbed =>
    fakeTestbed({
      before: (scenario) => {
        if (scenario === name) throw new TestbedUnavailableError('the port is taken', 'run it again');
      },
    });

  it('end a run on one backend alone that has run nothing, without calling it a defect', async () => {
    const files = ['one', 'two'].map((name) => writeScenario(folder, name, 'as-expected'));
    const { code, stderr } = await run([...files, '--backend', 'processes'], testbedsOf(failsOn('one')));
    expect(code).toBe(2);
    expect(stderr).toBe('processes cannot run here: the port is taken. Remedy: run it again\n');
  });

  it('show what was printed in lines, and the remedy in one of its own', async () => {
    const fails = fakeTestbed({
      before: () => {
        throw new TestbedUnavailableError('it ended at once\n  bad option\n  try --help', 'name another image');
      },
    });
    const file = writeScenario(folder, 'one', 'as-expected');
    const said =
      'processes cannot run here: it ended at once\n  bad option\n  try --help\nRemedy: name another image\n';
    expect((await run([file, '--backend', 'processes'], testbedsOf(fails))).stderr).toBe(said);
    const { stdout } = await run([file, '--backend', 'all'], testbedsOf(simulatedTestbed, fails));
    expect(stdout).toContain(`Skipped, so not proven: ${said}`);
  });

  it('leave the others to run on one backend alone that has run before, and are not green', async () => {
    const files = ['one', 'two', 'three'].map((name) => writeScenario(folder, name, 'as-expected'));
    const { code, stdout } = await run([...files, '--backend', 'processes'], testbedsOf(failsOn('two')));
    expect(code).toBe(3);
    expect(stdout).toContain('Skipped, so not proven: two on processes: the port is taken. Remedy: run it again\n');
    expect(readSummary().scenarios.map(({ scenario }) => scenario)).toEqual(['one', 'three']);
  });

  it('leave the others to run on several backends, and are not green', async () => {
    const files = ['one', 'two', 'three'].map((name) => writeScenario(folder, name, 'as-expected'));
    const words = [...files, '--backend', 'all', '--junit', 'junit.xml'];
    const { code, stdout } = await run(words, testbedsOf(simulatedTestbed, failsOn('two')));
    expect(code).toBe(3);
    expect(stdout).toContain('Skipped, so not proven: two on processes: the port is taken. Remedy: run it again\n');
    expect(readSummary().scenarios).toHaveLength(5);
    expect(readFileSync('junit.xml', 'utf8')).toMatch(/<error message="the port is taken" type="unavailable"/);
  });
});

describe('a scenario that asks for what a backend lacks', () => {
  it('is skipped with the reason, and the others run', async () => {
    const lacksTwo = fakeTestbed({ lacks: ({ name }) => (name === 'two' ? 'it sees bytes, not messages' : null) });
    const files = ['one', 'two'].map((name) => writeScenario(folder, name, 'as-expected'));
    const { code, stdout } = await run(
      [...files, '--backend', 'processes', '--junit', 'junit.xml'],
      testbedsOf(lacksTwo),
    );
    expect(code).toBe(0);
    expect(stdout).toMatch(/^two +skipped$/m);
    expect(stdout).toContain('Skipped, so not proven: two on processes: it sees bytes, not messages\n');
    expect(readFileSync('reports/index.html', 'utf8')).toContain('it sees bytes, not messages');
    expect(readFileSync('junit.xml', 'utf8')).toContain('it sees bytes, not messages');
    expect(readSummary().skipped).toEqual([
      {
        scenario: 'two',
        title: 'Two clients want one lock',
        backend: 'processes',
        reason: 'it sees bytes, not messages',
        remedy: null,
        wasTried: false,
      },
    ]);
  });
});

describe('--redis-server', () => {
  const byPath = (versions: Readonly<Record<string, string>>): Host['testbeds'] => ({
    ...testbedsOf(simulatedTestbed),
    processes: ({ redisServer }) => {
      if (redisServer === null) return Promise.resolve(fakeTestbed());
      const version = versions[redisServer];
      if (version === undefined) return Promise.reject(new TestbedUnavailableError('it is none', 'name another'));
      return Promise.resolve(fakeTestbed({ name: `processes-${version}` }));
    },
  });

  it('given several times makes several columns, and replay commands that name the server', async () => {
    const file = writeScenario(folder, 'unknown', 'unknown');
    const words = [file, '-b', 'processes', '--redis-server', '/old/redis-server', '--redis-server', "it's new"];
    const { code, stdout } = await run(words, byPath({ '/old/redis-server': '6.2.0', "it's new": '7.4.1' }));
    expect(code).toBe(3);
    expect(stdout).toMatch(/^scenario +expected violations +processes-6\.2\.0 +processes-7\.4\.1 +parity$/m);
    expect(stdout).toContain('--backend processes --redis-server /old/redis-server --seed 1\n');
    expect(stdout).toContain(`--backend processes --redis-server 'it'\\''s new' --seed 1\n`);
    expect(readdirSync('reports/unknown').sort()).toEqual(['processes-6.2.0', 'processes-7.4.1']);
  });

  it.each([
    [['/none'], '--redis-server /none: it is none. Remedy: name another\n'],
    [
      ['/a', '/b'],
      '--redis-server /a and /b would both be called processes-7.0.0; run them one after the other with different --out\n',
    ],
  ])('%j is refused', async (servers, message) => {
    const file = writeScenario(folder, 'one', 'as-expected');
    const words = [file, '-b', 'processes', ...servers.flatMap((path) => ['--redis-server', path])];
    const { code, stderr } = await run(words, byPath({ '/a': '7.0.0', '/b': '7.0.0' }));
    expect({ code, stderr }).toEqual({ code: 2, stderr: message });
  });
});

describe('--strict', () => {
  it.each([
    ['skipped by one that lacks something', fakeTestbed({ lacks: () => 'it sees bytes' }), '1 scenario was skipped'],
    ['that cannot run here', fakeTestbed({ availability: CANNOT_RUN }), '1 scenario was skipped'],
    [
      'that fails before its first run',
      fakeTestbed({
        before: () => {
          throw new TestbedUnavailableError('there is no image', 'pull it');
        },
      }),
      '1 scenario was skipped',
    ],
    [
      'that sees another thing in what the scenario does not name',
      fakeTestbed({ sees: ({ type }) => type !== 'healed' }),
      'not all runs agree on one in deadlock-freedom: simulated ok, processes unknown',
    ],
  ])('ends with 3 for a backend %s, which is 0 without it', async (_what, other, lack) => {
    const file = writeScenario(folder, 'one', 'as-expected');
    const words = [file, '--backend', 'simulated,processes'];
    const testbeds = testbedsOf(simulatedTestbed, other);
    expect((await run(words, testbeds)).code).toBe(0);
    const { code, stderr } = await run([...words, '--strict'], testbeds);
    expect({ code, told: stderr.includes(`--strict: ${lack}\n`) }).toEqual({ code: 3, told: true });
  });

  it('ends with 3 for one run of three that is not like the others in what the scenario does not name', async () => {
    const file = writeScenario(folder, 'one', 'as-expected');
    const words = [file, '--backend', 'simulated,processes', '--runs', '3'];
    let sees = true;
    const before = (_scenario: string, { seed }: RunOptions): void => void (sees = seed !== 2);
    const other = fakeTestbed({ before, sees: ({ type }) => sees || type !== 'healed' });
    const testbeds = testbedsOf(simulatedTestbed, other);
    const without = await run(words, testbeds);
    expect(without.code).toBe(0);
    expect(without.stdout).toContain('Parity: the backends agree on every property of 1 of 1 scenario\n');
    const { code, stderr } = await run([...words, '--strict'], testbeds);
    expect(stderr).toContain(
      '--strict: not all runs agree on one in deadlock-freedom: simulated ok, processes ok (2 of 3)\n',
    );
    expect(code).toBe(3);
  });

  it('is content with a backend that runs all, and agrees', async () => {
    const file = writeScenario(folder, 'one', 'as-expected');
    const words = [file, '--backend', 'simulated,processes', '--strict'];
    expect((await run(words, testbedsOf(simulatedTestbed, fakeTestbed()))).code).toBe(0);
  });
});

describe('progress on real servers', () => {
  const starting = fakeTestbed({ before: (_scenario, { onStep }) => onStep?.('starting 6 redis-servers') });

  it('is what is being started and for how long, on a terminal', async () => {
    const file = writeScenario(folder, 'one', 'as-expected');
    const terminal = { isTTY: true, columns: 200 };
    const { stderr } = await run(
      [file, '--backend', 'simulated,processes'],
      testbedsOf(simulatedTestbed, starting),
      terminal,
    );
    const lines = stderr.split('\r\u001B[2K');
    expect(lines).toContain('1 of 1: one on processes, 0 s');
    expect(lines).toContain('1 of 1: one on processes, starting 6 redis-servers, 0 s');
    expect(stderr).not.toContain('\n');
  });

  it('is a line for each run in a log', async () => {
    const file = writeScenario(folder, 'one', 'as-expected');
    const words = [file, '--backend', 'simulated,processes', '--runs', '2'];
    const { stderr } = await run(words, testbedsOf(simulatedTestbed, starting));
    const lines = stderr.split('\n');
    expect(lines[0]).toMatch(/^1 of 1: one on processes, seed 1: as expected, [\d.]+ m?s$/);
    expect(lines[1]).toMatch(/^1 of 1: one on processes, seed 2: as expected, [\d.]+ m?s$/);
    expect(lines.slice(2)).toEqual(['']);
  });
});

describe('an interruption', () => {
  it('is none of the servers’ defects, and keeps what is finished', async () => {
    const controller = new AbortController();
    const interrupted = fakeTestbed({
      before: (scenario) => {
        if (scenario !== 'two') return;
        controller.abort('SIGINT');
        // Ctrl-C on a terminal reaches them too.
        throw new Error('a server died');
      },
    });
    const files = ['one', 'two', 'three'].map((name) => writeScenario(folder, name, 'as-expected'));
    const words = [...files, '--backend', 'simulated,processes'];
    const { code, stderr } = await run(words, testbedsOf(simulatedTestbed, interrupted), { signal: controller.signal });
    expect(code).toBe(130);
    expect(stderr).toMatch(
      /Interrupted by SIGINT after 3 of 6 runs; their results are kept, and the history so far of the next in \S+two\S+history.ndjson\n/,
    );
    expect(stderr).not.toContain('defect');
    expect(readSummary().totals.runs).toBe(3);
  });

  it('while backends are tried out says nothing about them', async () => {
    const file = writeScenario(folder, 'one', 'as-expected');
    const cannotRun = fakeTestbed({ availability: CANNOT_RUN });
    const signal = AbortSignal.abort('SIGINT');
    const { code, stderr } = await run([file, '--backend', 'processes'], testbedsOf(cannotRun), { signal });
    expect(code).toBe(130);
    expect(stderr).toBe('Interrupted by SIGINT before anything was finished (0 of 1 runs)\n');
  });

  it('that comes again is told where the history of the run is, as long as one goes on', async () => {
    const said: (string | null)[] = [];
    let lastWords = (): string | null => null;
    const fake = fakeTestbed({
      before: (_scenario, { partsFolder }) => {
        said.push(lastWords());
        mkdirSync(partsFolder ?? '');
        said.push(lastWords());
        rmSync(partsFolder ?? '', { recursive: true });
      },
    });
    const file = writeScenario(folder, 'one', 'as-expected');
    await run([file, '--backend', 'processes', '--out', join(folder, 'out')], testbedsOf(fake), {
      setLastWords: (words) => (lastWords = words),
    });
    expect(said).toEqual([
      `the history of the run so far is in ${join(folder, 'out', 'one', 'history.ndjson')}`,
      `the parts of the history of the run are in ${join(folder, 'out', 'one', 'history.parts')}`,
    ]);
    expect(lastWords()).toBeNull();
  });
});
