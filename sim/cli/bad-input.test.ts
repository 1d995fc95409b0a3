import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { simulatedTestbed } from '../testbed/simulated/simulated-testbed.ts';
import { writeScenario } from './cli-testing.ts';
import { hostWith } from './console/host-testing.ts';
import { runCommandLine } from './program.ts';

const START = process.cwd();
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'distrilock-bad-input-'));
  process.chdir(folder);
});

afterEach(() => {
  process.chdir(START);
  rmSync(folder, { recursive: true });
});

/** What is printed on stderr by a command line that is refused, and prints nothing else. */
async function refusal(words: readonly string[]): Promise<string> {
  const { host, printed } = hostWith(simulatedTestbed);
  expect(await runCommandLine(words, host)).toBe(2);
  expect(printed.stdout).toBe('');
  return printed.stderr;
}

describe('distrilock', () => {
  it.each([
    [[], 'Usage: distrilock [options] [command]'],
    [['rum'], "error: unknown command 'rum'\n(Did you mean run?)"],
    [['--jsno'], "error: unknown option '--jsno'"],
    [['list', '--jsno'], "error: unknown option '--jsno'\n(Did you mean --json?)"],
    [['list', 'extra'], "error: too many arguments for 'list'. Expected 0 arguments but got 1."],
    [['show'], "error: missing required argument 'scenario'"],
    [
      ['show', 'kleppman-gc-pause'],
      'kleppman-gc-pause: there is no scenario of this name; did you mean kleppmann-gc-pause?',
    ],
    [['show', 'nowhere.yaml'], 'nowhere.yaml: there is no such file;'],
    [['show', '\u001B[2J.yaml'], '␛[2J.yaml: there is no such file;'],
  ])('%j', async (words, message) => {
    expect(await refusal(words)).toContain(message);
  });
});

describe('distrilock run one.yaml', () => {
  it.each([
    [['--seed', '1.5'], "option '-s, --seed <number>' argument '1.5' is invalid. It must be a whole number from 0 to"],
    [['--seed', '-1'], "option '-s, --seed <number>' argument '-1' is invalid."],
    [['--seed', '9007199254740992'], "argument '9007199254740992' is invalid."],
    [['--seed', '1e3'], "argument '1e3' is invalid."],
    [['--seed', ''], "argument '' is invalid."],
    [['--seed'], "option '-s, --seed <number>' argument missing"],
    [['--runs', '0'], "option '-n, --runs <number>' argument '0' is invalid. It must be a whole number from 1 to"],
    [['--runs', 'many'], "option '-n, --runs <number>' argument 'many' is invalid."],
    [
      ['--seed', '9007199254740991', '--runs', '2'],
      '--seed 9007199254740991 leaves no room for --runs 2; choose a smaller seed',
    ],
    [['--backend', 'processes'], '--backend: there is no backend "processes"; allowed: simulated, all'],
    [['--backend', 'containers'], '--backend: there is no backend "containers"; allowed: simulated, all'],
    [['--backend', 'constructor'], '--backend: there is no backend "constructor"; allowed: simulated, all'],
    [['--backend', 'simulated,'], 'It must be a name, or several that are apart by commas.'],
    [['--backend', ''], 'It must be a name, or several that are apart by commas.'],
    [['--redis-server', ''], 'It must be a path.'],
    [['--redis-server', '/bin/false'], '--redis-server is for the backend processes: add --backend processes'],
    [['--out', ''], "option '-o, --out <folder>' argument '' is invalid. It must be a path."],
    [['--out', 'one.yaml'], 'one.yaml: a file stands where a folder must be; remove it, or write somewhere else'],
    [['--out', 'one.yaml/below'], 'one.yaml/below: a file stands where a folder must be;'],
    [['--sed', '5'], "unknown option '--sed'\n(Did you mean --seed?)"],
    [['nowhere.yaml'], 'nowhere.yaml: there is no such file; check the path (it is taken from the working directory)'],
    [['no-such-name'], 'no-such-name: there is no scenario of this name;'],
    [['one.yaml'], 'one.yaml and one.yaml would both write to the folder one; run them one after the other'],
  ])('%j', async (words, message) => {
    const file = writeScenario(folder, 'one', 'as-expected');
    expect(await refusal(['run', file, ...words])).toContain(message);
  });
});

describe('scenarios', () => {
  it('of one name, or of names that differ in case alone', async () => {
    mkdirSync('sub');
    writeScenario(folder, 'one', 'as-expected');
    writeScenario(join(folder, 'sub'), 'One', 'as-expected');
    const message = 'one.yaml and sub/One.yaml would both write to the folder One;';
    expect(await refusal(['run', 'one.yaml', 'sub/One.yaml'])).toContain(message);
  });

  it('that are wrong are all told at once, and nothing runs', async () => {
    const good = writeScenario(folder, 'good', 'as-expected');
    writeFileSync('bad.yaml', 'title: 5\n');
    const printed = await refusal(['run', good, 'bad.yaml', 'nope']);
    expect(printed).toContain('bad.yaml:1:8: title: must be a text, not 5');
    expect(printed).toContain('nope: there is no scenario of this name;');
    expect(existsSync('reports')).toBe(false);
  });
});
