import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Testbed } from '../../testbed/testbed.ts';
import { TestbedUnavailableError } from '../../testbed/testbed-error.ts';
import { distrilock, type Ended, writeScenario } from '../cli-testing.ts';
import { fakeTestbed } from '../fake-testbed.ts';
import { hostWith } from '../console/host-testing.ts';
import type { Host } from '../console/host.ts';
import { runCommandLine } from '../program.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'distrilock-replay-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('distrilock replay', () => {
  it('says where a history differs', async () => {
    await distrilock(['run', 'contention', '--out', 'out'], { folder });
    const path = join(folder, 'out/contention/history.ndjson');
    const lines = readFileSync(path, 'utf8').split('\n');
    writeFileSync(path, [...lines.slice(0, 1), '{"type":"healed","timeUs":1}', ...lines.slice(2)].join('\n'));
    const { code, stdout } = await distrilock(['replay', 'out/contention'], { folder });
    expect(stdout).toContain('not the same. Event 2 was {"type":"healed","timeUs":1} and is now {');
    expect(code).toBe(1);
  });

  it('asks for a scenario that it cannot find', async () => {
    writeFileSync(
      join(folder, 'own.yaml'),
      readFileSync(new URL('../../../scenarios/contention.yaml', import.meta.url)),
    );
    await distrilock(['run', 'own.yaml', '--out', 'out'], { folder });
    const asked = await distrilock(['replay', 'out/own'], { folder });
    expect(asked.stderr).toContain('name its file with --scenario');
    expect(asked.code).toBe(2);
    const told = await distrilock(['replay', 'out/own', '--scenario', 'own.yaml'], { folder });
    expect(told.code).toBe(0);
    const wrong = await distrilock(['replay', 'out/own', '--scenario', 'contention'], { folder });
    expect(wrong.stderr).toContain('out/own is about the scenario own, and --scenario names contention');
    expect(wrong.code).toBe(2);
  });

  it('names the runs in a folder of several', async () => {
    await distrilock(['run', 'contention', '--runs', '2', '--out', 'out'], { folder });
    const { code, stderr } = await distrilock(['replay', 'out/contention'], { folder });
    const runs = ['out/contention/seed-1', 'out/contention/seed-2'];
    expect(stderr).toBe(`out/contention: is the folder of several runs; name one of them: ${runs.join(', ')}\n`);
    expect(code).toBe(2);
    const named = await distrilock(['replay', 'out/contention/seed-2'], { folder });
    expect(named.code).toBe(0);
  });

  it.each([
    ['nothing', '', 'verdict.json: there is no such file'],
    ['no JSON', '{', 'verdict.json: is no JSON'],
    ['another file', '[]', 'verdict.json: is no verdict on a run'],
  ])('refuses %s', async (_what, text, problem) => {
    if (text !== '') writeFileSync(join(folder, 'verdict.json'), text);
    const { code, stderr } = await distrilock(['replay', '.'], { folder });
    expect(stderr).toContain(problem);
    expect(code).toBe(2);
  });

  describe('of a run on real servers', () => {
    const SERVERS: Readonly<Record<string, string>> = {
      '/opt/old': 'processes-6.2.14',
      '/opt/new': 'processes-7.0.15',
    };
    const served: string[] = [];
    let loss: string | null;
    let obstacle: TestbedUnavailableError | null;

    const begin = (name: string): void => {
      if (obstacle !== null) throw obstacle;
      served.push(name);
    };
    const testbedCalled = (name: string): Testbed =>
      fakeTestbed({ name, before: () => begin(name), loses: () => loss });
    const testbeds: Host['testbeds'] = {
      processes: ({ redisServer }) =>
        Promise.resolve(testbedCalled(redisServer === null ? 'processes' : (SERVERS[redisServer] ?? ''))),
      containers: () => Promise.resolve(testbedCalled('containers')),
    };

    /** Runs the command line in this process; paths are below the test's folder. */
    async function here(...words: readonly string[]): Promise<Ended> {
      const { host, printed } = hostWith(fakeTestbed(), { testbeds });
      const code = await runCommandLine(words, host);
      return { code, ...printed };
    }

    /** Records a run; what follows is the command that replays it. */
    async function record(...words: readonly string[]): Promise<readonly string[]> {
      const scenario = join(folder, writeScenario(folder, 'own', 'as-expected'));
      expect((await here('run', scenario, '--out', join(folder, 'out'), ...words)).code).toBe(0);
      served.length = 0;
      return ['replay', join(folder, 'out/own'), '--scenario', scenario];
    }

    beforeEach(() => {
      loss = null;
      obstacle = null;
      served.length = 0;
    });

    it('compares verdicts', async () => {
      const replay = await record('--backend', 'containers');
      expect(await here(...replay)).toMatchObject({
        code: 0,
        stdout: 'own on containers, seed 1: the same verdicts\n',
      });
      expect(served).toEqual(['containers']);
    });

    it('runs on the redis-server that is named', async () => {
      const replay = await record('--backend', 'processes', '--redis-server', '/opt/old');
      expect(await here(...replay, '--redis-server', '/opt/old')).toMatchObject({
        code: 0,
        stdout: 'own on processes-6.2.14, seed 1: the same verdicts\n',
      });
      expect(served).toEqual(['processes-6.2.14']);
    });

    it.each([
      {
        recorded: ['--redis-server', '/opt/old'],
        named: [],
        problem:
          'was recorded on processes-6.2.14, and this would run on processes; name the redis-server of that version',
      },
      {
        recorded: ['--redis-server', '/opt/old'],
        named: ['--redis-server', '/opt/new'],
        problem:
          'was recorded on processes-6.2.14, and this would run on processes-7.0.15; name the redis-server of that version',
      },
      {
        recorded: [],
        named: ['--redis-server', '/opt/new'],
        problem: 'was recorded on processes, and this would run on processes-7.0.15; leave out --redis-server',
      },
    ])('recorded with $recorded is not run with $named', async ({ recorded, named, problem }) => {
      const replay = await record('--backend', 'processes', ...recorded);
      const { code, stderr } = await here(...replay, ...named);
      expect(stderr).toContain(problem);
      expect(code).toBe(2);
      expect(served).toEqual([]);
    });

    it('that is lost is unknown, and says why', async () => {
      const replay = await record('--backend', 'processes');
      loss = 'the redis-server of n2 was killed by SIGKILL';
      expect(await here(...replay)).toMatchObject({
        code: 3,
        stdout: `own on processes, seed 1: nothing was compared, for the run was lost: ${loss}\n`,
      });
    });

    it('that cannot begin says on which backend, and the remedy', async () => {
      const replay = await record('--backend', 'processes', '--redis-server', '/opt/old');
      obstacle = new TestbedUnavailableError('there is no port left', 'end some programs');
      expect(await here(...replay, '--redis-server', '/opt/old')).toEqual({
        code: 2,
        stdout: '',
        stderr: 'processes-6.2.14 cannot run here: there is no port left. Remedy: end some programs\n',
      });
    });

    it('of a backend that there is not is refused', async () => {
      const [words, path = '', ...rest] = await record('--backend', 'processes');
      const verdict = join(path, 'verdict.json');
      writeFileSync(verdict, readFileSync(verdict, 'utf8').replace('"processes"', '"processed"'));
      const { code, stderr } = await here(words ?? '', path, ...rest);
      expect(stderr).toContain('there is no backend processed; allowed: processes, containers');
      expect(code).toBe(2);
    });
  });
});
