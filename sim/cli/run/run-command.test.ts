import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Judgement } from '../../judge/judgement.ts';
import type { HistoryEvent } from '../../history/event.ts';
import type { Summary } from '../../results/summary.ts';
import { distrilock, ended, start, writeScenario } from '../cli-testing.ts';

const BIN = fileURLToPath(new URL('../bin.mjs', import.meta.url));

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'distrilock-run-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function read(...parts: string[]): string {
  return readFileSync(join(folder, ...parts), 'utf8');
}

function readJson(...parts: string[]): unknown {
  return JSON.parse(read(...parts));
}

function readSummary(...parts: string[]): Summary {
  return readJson(...parts) as Summary;
}

function readEvents(...parts: string[]): HistoryEvent[] {
  return read(...parts)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as HistoryEvent);
}

describe('what is written', () => {
  it('is a folder for each scenario, and an index above them, in reports/ by default', async () => {
    writeScenario(folder, 'one', 'as-expected');
    writeScenario(folder, 'two', 'as-expected');
    const { code, stdout, stderr } = await distrilock(['run', 'one.yaml', './two.yaml'], { folder });
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(stdout).toContain('2 runs: 2 as expected, 0 not as expected, 0 unknown\nReport: reports/index.html\n');
    expect(readdirSync(join(folder, 'reports')).sort()).toEqual(['index.html', 'one', 'summary.json', 'two']);
    expect(readdirSync(join(folder, 'reports', 'one')).sort()).toEqual([
      'history.ndjson',
      'report.html',
      'verdict.json',
    ]);
    const events = readEvents('reports', 'one', 'history.ndjson');
    expect(events[0]).toMatchObject({ type: 'run-started', scenario: 'one', backend: 'simulated', seed: 1 });
    expect(events.at(-1)).toMatchObject({ type: 'run-ended', reason: 'completed' });
    const verdict = readJson('reports', 'one', 'verdict.json') as Judgement;
    expect(verdict).toMatchObject({ scenario: 'one', seed: 1, outcome: 'as-expected' });
    expect(verdict.counts.events).toBe(events.length);
    expect(read('reports', 'one', 'report.html')).toMatch(/^<!doctype html>/i);
    expect(read('reports', 'index.html')).toContain('one/report.html');
    expect(readSummary('reports', 'summary.json').totals).toEqual({
      runs: 2,
      asExpected: 2,
      notAsExpected: 0,
      unknown: 0,
      skipped: 0,
      missing: 0,
    });
  });

  it('is a folder for each seed where there are several', async () => {
    const file = writeScenario(folder, 'one', 'as-expected');
    const { code, stdout } = await distrilock(['run', file, '--seed', '7', '--runs', '3', '--out', 'x/y'], { folder });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^one +none +none +3 of 3 as expected /m);
    expect(readdirSync(join(folder, 'x/y/one')).sort()).toEqual(['seed-7', 'seed-8', 'seed-9']);
    for (const seed of [7, 8, 9]) {
      expect(readEvents('x/y/one', `seed-${seed}`, 'history.ndjson')[0]).toMatchObject({ seed });
      expect(readJson('x/y/one', `seed-${seed}`, 'verdict.json')).toMatchObject({ seed });
    }
    expect(readSummary('x/y/summary.json').scenarios[0]?.runs.map((run) => run.folder)).toEqual([
      'one/seed-7',
      'one/seed-8',
      'one/seed-9',
    ]);
  });

  it('is the same, byte for byte, when it is run again', async () => {
    const file = writeScenario(folder, 'one', 'as-expected');
    const words = ['run', file, 'kleppmann-gc-pause', '--seed', '42', '--runs', '2'];
    await distrilock([...words, '--out', 'first'], { folder });
    await distrilock([...words, '--out', 'second'], { folder });
    const files = readdirSync(join(folder, 'first'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
    expect(files).toHaveLength(2 + 2 * 2 * 3);
    for (const path of files) {
      const other = path.replace('/first/', '/second/');
      expect(readFileSync(other).equals(readFileSync(path)), path).toBe(true);
    }
  });

  it('differs with the seed', async () => {
    const file = writeScenario(folder, 'one', 'as-expected');
    await distrilock(['run', file, '--runs', '2'], { folder });
    const [first, second] = [1, 2].map((seed) => read('reports/one', `seed-${seed}`, 'history.ndjson'));
    expect(first).not.toBe(second);
  });

  it('takes the place of what earlier runs wrote, and of nothing else', async () => {
    const file = writeScenario(folder, 'one', 'as-expected');
    await distrilock(['run', file, '--runs', '2'], { folder });
    writeFileSync(join(folder, 'reports/one/notes.txt'), 'mine');
    writeFileSync(join(folder, 'reports/one/seed-2/notes.txt'), 'mine');
    mkdirSync(join(folder, 'reports/other'));
    const { code } = await distrilock(['run', file, '--runs', '1'], { folder });
    expect(code).toBe(0);
    expect(readdirSync(join(folder, 'reports')).sort()).toEqual(['index.html', 'one', 'other', 'summary.json']);
    expect(readdirSync(join(folder, 'reports/one')).sort()).toEqual([
      'history.ndjson',
      'notes.txt',
      'report.html',
      'seed-2',
      'verdict.json',
    ]);
    expect(readdirSync(join(folder, 'reports/one/seed-2'))).toEqual(['notes.txt']);
  });

  it('is JUnit too, in a folder that need not be there', async () => {
    const good = writeScenario(folder, 'good', 'as-expected');
    const bad = writeScenario(folder, 'bad', 'not-as-expected');
    const unknown = writeScenario(folder, 'unknown', 'unknown');
    const words = ['run', good, bad, unknown, '--junit', 'ci/results/junit.xml'];
    expect((await distrilock(words, { folder })).code).toBe(1);
    const xml = read('ci/results/junit.xml');
    expect(xml).toMatch(/^<\?xml /);
    expect(xml.match(/<testcase /g)).toHaveLength(3);
    expect(xml.match(/<failure/g)).toHaveLength(1);
    expect(xml.match(/<error/g)).toHaveLength(1);
  });
});

describe('what is printed', () => {
  it('is a line for each scenario, with reasons and a replay command where it is not as expected', async () => {
    const good = writeScenario(folder, 'good', 'as-expected');
    const bad = writeScenario(folder, 'bad', 'not-as-expected');
    const unknown = writeScenario(folder, 'unknown', 'unknown');
    const { stdout } = await distrilock(['run', good, bad, unknown, '--seed', '5'], { folder });
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^scenario +expected violations +found +outcome +time$/);
    expect(lines[1]).toMatch(/^bad +mutual-exclusion +none +not as expected +[\d.]+ m?s$/);
    expect(lines[2]).toMatch(/^ {4}seed 5: .*mutual-exclusion/);
    expect(lines[3]).toBe('    npx distrilock run bad.yaml --backend simulated --seed 5');
    expect(lines[4]).toMatch(/^good +none +none +as expected +[\d.]+ m?s$/);
    expect(lines[5]).toMatch(/^unknown +none +none +unknown +[\d.]+ m?s$/);
    expect(lines[6]).toMatch(/^ {4}seed 5: .*node-crashed/);
    expect(lines[7]).toBe('    npx distrilock run unknown.yaml --backend simulated --seed 5');
    expect(lines.slice(8)).toEqual([
      '',
      '3 runs: 1 as expected, 1 not as expected, 1 unknown',
      'Report: reports/index.html',
      '',
    ]);
  });

  it('spells out only some of many seeds', async () => {
    const bad = writeScenario(folder, 'bad', 'not-as-expected');
    const { stdout } = await distrilock(['run', bad, '--runs', '7'], { folder });
    expect(stdout.match(/--seed \d+/g)).toEqual(['--seed 1', '--seed 2', '--seed 3', '--seed 4', '--seed 5']);
    expect(stdout).toContain('    and 2 more seeds: see summary.json\n');
  });

  it('is a replay command that a shell takes as it is', async () => {
    const strange = `it's "my" $(folder)`;
    mkdirSync(join(folder, strange));
    const bad = join(strange, writeScenario(join(folder, strange), 'bad', 'not-as-expected'));
    const { stdout } = await distrilock(['run', bad, '--seed', '3'], { folder });
    const replay = / {4}npx distrilock (run .*)$/m.exec(stdout)?.[1] ?? '';
    expect(replay).toContain('--seed 3');
    const again = await new Promise<string>((resolve) => {
      execFile('sh', ['-c', `"${process.execPath}" "${BIN}" ${replay} --json`], { cwd: folder }, (_error, output) =>
        resolve(output),
      );
    });
    expect((JSON.parse(again) as Summary).scenarios[0]?.runs[0]).toMatchObject({ seed: 3, outcome: 'not-as-expected' });
  });

  it('is the summary and nothing else with --json', async () => {
    const bad = writeScenario(folder, 'bad', 'not-as-expected');
    const { code, stdout, stderr } = await distrilock(['run', bad, '--json'], { folder });
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    expect(stdout).toBe(read('reports/summary.json'));
    expect((JSON.parse(stdout) as Summary).totals.notAsExpected).toBe(1);
  });

  it('has no colours without a terminal, not even in CI', async () => {
    const file = writeScenario(folder, 'one', 'as-expected');
    const { stdout } = await distrilock(['run', file], { folder, environment: { CI: 'true' } });
    expect(stdout).not.toContain('\u001B');
  });

  it('has colours where FORCE_COLOR asks for them, unless NO_COLOR forbids them', async () => {
    const file = writeScenario(folder, 'one', 'as-expected');
    const forced = await distrilock(['run', file], { folder, environment: { FORCE_COLOR: '1' } });
    expect(forced.stdout).toContain('\u001B[32mas expected\u001B[39m');
    const both = await distrilock(['run', file], { folder, environment: { FORCE_COLOR: '1', NO_COLOR: '1' } });
    expect(both.stdout).not.toContain('\u001B');
  });

  it('hides nothing that a title could smuggle into the terminal or a page', async () => {
    const file = writeScenario(folder, 'one', 'as-expected', '\u001B[2J<script>alert(1)</script>\u202E');
    const shown = await distrilock(['show', file], { folder });
    expect(shown.stdout.split('\n')[0]).toBe('one: ␛[2J<script>alert(1)</script>⟨U+202E⟩');
    const { code, stdout } = await distrilock(['run', file, '--junit', 'junit.xml'], { folder });
    expect(code).toBe(0);
    expect(stdout).not.toContain('\u001B');
    for (const page of ['reports/index.html', 'reports/one/report.html', 'junit.xml']) {
      expect(read(page)).not.toContain('<script>alert(1)');
      expect(read(page)).not.toContain('\u001B');
    }
  });
});

describe('exit codes', () => {
  it.each([
    [['as-expected'], 0],
    [['not-as-expected'], 1],
    [['unknown'], 3],
    [['as-expected', 'unknown'], 3],
    [['unknown', 'not-as-expected', 'as-expected'], 1],
  ] as const)('%j end with %i', async (kinds, code) => {
    const files = kinds.map((kind) => writeScenario(folder, kind, kind));
    expect((await distrilock(['run', ...files], { folder })).code).toBe(code);
  });
});

describe('bad input', () => {
  it.each([
    [['--seed', '1.5'], "option '-s, --seed <number>' argument '1.5' is invalid. It must be a whole number from 0 to"],
    [
      ['--backend', 'clouds'],
      '--backend: there is no backend "clouds"; allowed: simulated, processes, containers, all',
    ],
  ])('%j', async (words, message) => {
    const file = writeScenario(folder, 'one', 'as-expected');
    const { code, stdout, stderr } = await distrilock(['run', file, ...words], { folder });
    expect(stderr).toContain(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  it.each([
    ['.', 'a folder stands where a file must be; remove it, or write somewhere else'],
    ['/dev/full', 'the disk is full; free some space, or write somewhere else'],
  ])('of a file for JUnit (%s) comes after the results', async (junit, message) => {
    const file = writeScenario(folder, 'one', 'as-expected');
    const { code, stdout, stderr } = await distrilock(['run', file, '--junit', junit], { folder });
    expect({ code, stderr }).toEqual({ code: 2, stderr: `${junit}: ${message}\n` });
    expect(stdout).toContain('1 run: 1 as expected');
    expect(stdout).toContain('Report: reports/index.html\n');
  });

  it('of a folder for results keeps what is finished, and shows it', async () => {
    const one = writeScenario(folder, 'one', 'as-expected');
    const two = writeScenario(folder, 'two', 'as-expected');
    mkdirSync(join(folder, 'reports/two/verdict.json'), { recursive: true });
    const { code, stdout, stderr } = await distrilock(['run', one, two], { folder });
    expect(stderr).toBe(
      'Broken off after 1 of 2 runs; their results are kept\n' +
        'reports/two/verdict.json: a folder stands where a file must be; remove it, or write somewhere else\n',
    );
    expect(code).toBe(2);
    expect(stdout).toContain('1 run: 1 as expected');
    expect(readSummary('reports/summary.json').scenarios.map(({ scenario }) => scenario)).toEqual(['one']);
  });
});

describe('a signal', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('%s ends the run and keeps what there is', async (signal, code) => {
    const quick = writeScenario(folder, 'quick', 'as-expected');
    const long = writeScenario(folder, 'long', 'long');
    mkdirSync(join(folder, 'reports/long'), { recursive: true });
    const child = start(['run', quick, long], { folder });
    // The history of the long run is there: it goes on now.
    const watcher = watch(join(folder, 'reports/long'), (_event, file) => {
      if (file !== 'history.ndjson') return;
      watcher.close();
      child.kill(signal);
    });
    const outcome = await ended(child);
    expect(outcome.stderr).toBe(
      `Interrupted by ${signal} after 1 of 2 runs; their results are kept, and the history so far of the next in reports/long/history.ndjson\n`,
    );
    expect(outcome.code).toBe(code);
    expect(outcome.stdout).toContain('1 run: 1 as expected');
    expect(readSummary('reports/summary.json').scenarios.map(({ scenario }) => scenario)).toEqual(['quick']);
    expect(read('reports/index.html')).toContain('quick/report.html');
    expect(readdirSync(join(folder, 'reports/long'))).toEqual(['history.ndjson']);
    const events = readEvents('reports/long/history.ndjson');
    expect(events[0]).toMatchObject({ type: 'run-started', scenario: 'long' });
    expect(events.at(-1)).toMatchObject({ type: 'run-ended', reason: 'interrupted' });
  });
});
