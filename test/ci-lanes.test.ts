import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';

const LANES = fileURLToPath(new URL('../.ci/lanes', import.meta.url));
const PRINTED = [
  'scenario    expected violations  found             outcome          time',
  'contention  none                 none              as expected      1.2 s',
  'flush       mutual-exclusion     none              not as expected  3.4 s',
  '            critical-section',
  '    seed 1: mutual-exclusion was to be violated',
  '    npx distrilock run flush --seed 1',
  '',
  '2 runs: 1 as expected, 1 not as expected, 0 unknown',
];

describe('.ci/lanes', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'distrilock-lanes-'));
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  /** A script as .ci/run is, with these lines between its trap and its end. */
  function script(lines: string): ChildProcess & { readonly stdout: NonNullable<ChildProcess['stdout']> } {
    const whole = `set -euo pipefail
      . "${LANES}"
      trap 'status=$?; trap - EXIT TERM HUP; end_lanes; exit "$status"' EXIT
      trap 'exit 143' TERM
      trap 'exit 129' HUP
      ${lines}`;
    const child = spawn('bash', ['-c', whole], { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
    onTestFinished(() => void child.kill('SIGKILL'));
    return child;
  }

  it('prints every log, and of what failed the reasons once more; and fails', async () => {
    writeFileSync(join(folder, 'printed'), `${PRINTED.join('\n')}\n`);
    const child = script(`
      start_lane good good.log echo fine
      start_lane bad bad.log bash -c 'cat printed; exit 1'
      await_lanes`);
    const [output, ended] = await Promise.all([text(child.stdout), once(child, 'exit')]);
    expect(output).toContain('--- good\nfine\n');
    expect(output).toContain(`--- bad\n${PRINTED.join('\n')}\n`);
    expect(output.split('--- failed: ')).toEqual([
      expect.anything(),
      `bad\n${[PRINTED[2], PRINTED[4], PRINTED[5]].join('\n')}\n`,
    ]);
    expect(ended).toEqual([1, null]);
  });

  it('succeeds if all do', async () => {
    const child = script(`
      start_lane one one.log true
      start_lane other other.log true
      await_lanes`);
    expect(await once(child, 'exit')).toEqual([0, null]);
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
  ] as const)('%s ends what goes on, which cleans up first', async (signal, code) => {
    // The lane's own child must end too; bash hears a signal only when that has.
    const child = script(`
      start_lane one one.log bash -c 'trap "echo clean >cleaned; exit" TERM; echo $$ >pid; sleep 600; exit'
      until [ -s pid ]; do sleep 0.01; done
      cat pid
      await_lanes`);
    const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
    child.kill(signal);
    expect(await once(child, 'exit')).toEqual([code, null]);
    expect(readFileSync(join(folder, 'cleaned'), 'utf8')).toBe('clean\n');
    expect(() => process.kill(-Number(line), 0)).toThrow('ESRCH');
  });
});
