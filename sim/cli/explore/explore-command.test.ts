import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { propertiesBrokenOutside } from '../../explore/envelope/envelope.ts';
import { keysBetween, search } from '../../explore/search/search.ts';
import type { ExploreSummary } from '../../explore/counterexample/summary.ts';
import { simulatedTestbed } from '../../testbed/simulated/simulated-testbed.ts';
import { TestbedUnavailableError } from '../../testbed/testbed-error.ts';
import { distrilock, ended, start } from '../cli-testing.ts';
import { hostWith, testbedsOf } from '../console/host-testing.ts';
import { fakeTestbed } from '../fake-testbed.ts';
import { runCommandLine } from '../program.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'distrilock-explore-cli-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function json(path: string): unknown {
  return JSON.parse(readFileSync(join(folder, path), 'utf8'));
}

describe('distrilock explore', () => {
  it('says what it tried inside the envelope, and that nothing broke', async () => {
    const { code, stdout } = await distrilock(['explore', '--runs', '100', '--fingerprint'], { folder });
    expect(stdout).toMatch(/^fault +idle +voting +decided/);
    expect(stdout).toMatch(/\n100 runs \(\d+ events\) in .*runs\/s: no violation inside the envelope\n/);
    expect(stdout).toMatch(/\nFingerprint: [0-9a-f]{64}\n/);
    expect(code).toBe(0);
    expect(readdirSync(join(folder, 'reports/explore')).sort()).toEqual(['corpus.json', 'explore.json']);
    expect(json('reports/explore/explore.json')).toMatchObject({
      runs: 100,
      outside: [],
      found: null,
      interrupted: false,
    });
  });

  it('writes what it found outside as a scenario that run takes and replay repeats, and finds it again by its path', async () => {
    const words = ['explore', '--outside', 'promotion', '--seed', '2', '--out', 'out', '--json'];
    const found = await distrilock(words, { folder });
    expect(found.code).toBe(0);
    const summary = JSON.parse(found.stdout) as ExploreSummary;
    expect(summary).toEqual(json('out/explore.json'));
    expect(summary.found).toMatchObject({ symptom: 'mutual-exclusion', because: ['promotion'], clients: 2 });
    const guide = readFileSync(new URL('../../../reports/README.md', import.meta.url), 'utf8');
    for (const name of [...Object.keys(summary), ...Object.keys(summary.found ?? {}).map((each) => `found.${each}`)]) {
      expect(guide).toContain(`\`${name}\``);
    }
    const { scenario = '', replay = '' } = summary.found ?? {};
    expect(scenario).toBe('out/mutual-exclusion-without-promotion.yaml');
    const text = readFileSync(join(folder, scenario), 'utf8');
    expect(readdirSync(join(folder, 'out/mutual-exclusion-without-promotion')).sort()).toEqual([
      'history.ndjson',
      'report.html',
      'verdict.json',
    ]);
    expect(json('out/mutual-exclusion-without-promotion/verdict.json')).toMatchObject({ outcome: 'as-expected' });

    const repeated = await distrilock(['replay', 'out/mutual-exclusion-without-promotion'], { folder });
    expect(repeated.stdout).toMatch(/the same history, byte for byte \(\d+ events\)\n$/);
    expect(repeated.code).toBe(0);

    const run = await distrilock(['run', scenario, '--out', 'run'], { folder });
    expect(run.code).toBe(0);

    const again = replay.split(' ').slice(2);
    const byPath = await distrilock([...again, '--out', 'again'], { folder });
    expect(byPath.stdout).toContain('Run again: found how mutual-exclusion breaks with promotion left open');
    expect(byPath.code).toBe(0);
    expect(readFileSync(join(folder, 'again/mutual-exclusion-without-promotion.yaml'), 'utf8')).toBe(text);
  });

  it('fails where it finds nothing outside, for it shall', async () => {
    const words = ['explore', '--outside', 'message-delay', '--property', 'token-order', '--runs', '20'];
    const { code, stdout } = await distrilock(words, { folder });
    expect(stdout).toContain('no violation with message-delay left open, where one was to be found');
    expect(code).toBe(1);
  });

  it('keeps what it has when it is interrupted', async () => {
    const child = start(['explore', '--time', '1h', '--workers', '2'], { folder });
    const end = ended(child);
    // The folder is made just before the threads start; a signal is heeded from the first line of the program on.
    await untilThere(join(folder, 'reports'));
    child.kill('SIGINT');
    const { code, stderr } = await end;
    expect(stderr).toMatch(
      /Interrupted (before the first runs came to their end|after \d+ runs; their results are kept)\n$/,
    );
    expect(code).toBe(130);
    expect(json('reports/explore/explore.json')).toMatchObject({ interrupted: true, found: null });
  });

  it.each<[string[], string]>([
    [['--outside', 'gravity'], '--outside: there is no bound "gravity"; allowed: clock-rate, clock-jump'],
    [
      ['--outside', 'restart', '--property', 'speed'],
      '--property: there is no property "speed"; allowed: mutual-exclusion',
    ],
    [['--property', 'token-order'], 'add --outside with a bound'],
    [['--time', '5'], 'It must be a duration such as 500ms, 30s, 10m or 8h.'],
    [['--time', '0s'], 'It must be a duration such as 500ms, 30s, 10m or 8h.'],
    [['--runs', '0'], 'It must be a whole number from 1'],
    [['--workers', '257'], 'It must be a whole number from 1 to 256.'],
    [['--path', '1:x'], 'It must be numbers up to 9007199254740991 that are apart by colons'],
    [['--path', '9007199254740993'], 'It must be numbers up to 9007199254740991 that are apart by colons'],
    [['--path', '1:9007199254740993'], 'It must be numbers up to 9007199254740991 that are apart by colons'],
    [['--path', '1', '--runs', '5'], '--path runs one run again, and --runs and --time bound a search'],
    [['--path', '1', '--time', '5s'], '--path runs one run again, and --runs and --time bound a search'],
    [['--path', '1:99999'], '--path 1:99999 leads to nothing with --seed 1'],
    [['--confirm', 'simulated'], '--confirm is for real servers'],
    [['--confirm', 'cloud'], 'there is no backend "cloud"'],
    [['--corpus', 'bad.json', '--runs', '1'], 'bad.json: is no corpus that can be read'],
  ])('%j is refused', async (words, problem) => {
    writeFileSync(join(folder, 'bad.json'), '{');
    const { code, stderr } = await distrilock(['explore', ...words], { folder });
    expect(stderr).toContain(problem);
    expect(code).toBe(2);
  });
});

describe('interrupted', () => {
  it('before the first run, says that nothing was tried, and gives no verdict', async () => {
    const { host, printed } = hostWith(simulatedTestbed, { signal: AbortSignal.abort('SIGINT') });
    expect(await runCommandLine(['explore', '--out', join(folder, 'out')], host)).toBe(130);
    expect(printed.stdout).toContain('NOTHING was tried, and nothing is known');
    expect(printed.stdout).not.toContain('violation');
    expect(printed.stderr).toBe('Interrupted before the first runs came to their end\n');
  });

  it('while it makes small what it found, says so, writes the report, and confirms nothing', async () => {
    const { host, printed } = hostWith(simulatedTestbed, {
      signal: AbortSignal.abort('SIGINT'),
      testbeds: testbedsOf(fakeTestbed({ name: 'containers' })),
    });
    const envelope = { open: ['promotion'] } as const;
    const properties = propertiesBrokenOutside(envelope);
    const { hit } = await search({ keys: keysBetween(2, 0, 5000), envelope, properties });
    const words = ['--outside', 'promotion', '--seed', '2', '--path', `${hit?.key.index}`, '--confirm', 'containers'];
    expect(await runCommandLine(['explore', ...words, '--out', join(folder, 'out')], host)).toBe(130);
    expect(printed.stdout).toMatch(/\n {2}Made smaller until it was interrupted: .*; it may not be the smallest\n/);
    expect(printed.stdout).toContain('\n  On containers: not confirmed (it was interrupted)\n');
    const { found } = json('out/explore.json') as ExploreSummary;
    expect(found).toMatchObject({ cutShort: true, confirmations: [{ verdict: 'interrupted' }] });
    expect(readFileSync(found?.report ?? '', 'utf8')).toContain('<html');
    expect(readFileSync(found?.scenario ?? '', 'utf8')).toContain('until it was interrupted');
    expect(printed.stderr).toBe('Interrupted after 1 run; its results are kept\n');
  });
});

it('says that there was nothing to confirm where nothing was found', async () => {
  const { host, printed } = hostWith(simulatedTestbed, { testbeds: testbedsOf(fakeTestbed({ name: 'containers' })) });
  const words = ['--runs', '3', '--workers', '1', '--confirm', 'containers', '--out', join(folder, 'out')];
  expect(await runCommandLine(['explore', ...words], host)).toBe(0);
  expect(printed.stdout).toContain('\nNothing was found, so that there was nothing to confirm\n');
});

it('says on which backend what was found cannot be confirmed, and the remedy', async () => {
  const testbed = fakeTestbed({
    name: 'containers',
    before: () => {
      throw new TestbedUnavailableError('there is no image', 'pull it');
    },
  });
  const { host, printed } = hostWith(testbed, { testbeds: testbedsOf(testbed) });
  const words = ['--outside', 'promotion', '--seed', '2', '--workers', '1', '--out', join(folder, 'out')];
  expect(await runCommandLine(['explore', ...words, '--confirm', 'containers'], host)).toBe(3);
  expect(printed.stdout).toContain(
    '\n  On containers: cannot run (containers cannot run here: there is no image. Remedy: pull it)\n',
  );
});

/** Resolves when something is at the path; the test's own time is the limit. */
async function untilThere(path: string): Promise<void> {
  for (;;) {
    try {
      readdirSync(path);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }
}
