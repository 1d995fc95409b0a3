import { describe, expect, it } from 'vitest';
import { simulatedTestbed } from '../../testbed/simulated/simulated-testbed.ts';
import { hostWith } from '../console/host-testing.ts';
import type { Host } from '../console/host.ts';
import { runCommandLine } from '../program.ts';

const FORGETFUL = ['--crashes', '1', '--restart', 'amnesiac'];

async function exhaustive(
  words: readonly string[],
  changes: Partial<Host> = {},
): Promise<{ code: number; stdout: string; stderr: string }> {
  const { host, printed } = hostWith(simulatedTestbed, changes);
  const code = await runCommandLine(['exhaustive', ...words], host);
  return { code, ...printed };
}

describe('distrilock exhaustive', () => {
  it('says how many states there were, how fast, and that it visited them all', async () => {
    const { code, stdout } = await exhaustive([]);
    expect(stdout).toMatch(
      /^Every state was visited\.\n\d+ unique states by [\d,]+ steps, [\d,]+ states\/s, \d+ steps deep, in \d+\.\d\d s\n/,
    );
    expect(stdout).toMatch(/^mutual-exclusion +holds in every state$/m);
    expect(stdout).toMatch(/^token-order +not judged: the world is without fencing tokens$/m);
    expect(code).toBe(0);
  });

  it.each([
    [['--max-states', '10'], '--max-states cut the search off. Nothing is proven.'],
    [['--depth', '4'], '--depth cut the search off. What holds, holds up to that depth only.'],
  ])('says loudly that %j cut it off', async (words, text) => {
    const { code, stdout } = await exhaustive(words);
    expect(stdout).toContain(`NOT every state was visited: ${text}`);
    expect(stdout).not.toContain('holds in every state');
    expect(code).toBe(3);
  });

  it('is not green where a fault that was asked for could never strike', async () => {
    const words = ['--nodes', '1', '--pauses', '1', '--ticks', '0'];
    const { code, stdout } = await exhaustive(words);
    expect(stdout).toMatch(/^Every state was visited, but NOT everything that was asked for could happen\./);
    expect(stdout).toMatch(/^mutual-exclusion +not judged: no client was paused: that takes a timer that is due/m);
    expect(code).toBe(3);
    const asJson = await exhaustive([...words, '--json']);
    expect(JSON.parse(asJson.stdout)).toMatchObject({
      ending: 'exhausted',
      missing: [expect.stringMatching(/^no client was paused: /)],
    });
    expect(asJson.code).toBe(3);
  });

  it('tells a violation step by step, and how to do it again', async () => {
    const { code, stdout } = await exhaustive(FORGETFUL);
    expect(code).toBe(1);
    expect(stdout).toContain('tick 0: A wants the lock and asks every node\n');
    expect(stdout).toMatch(/On "r", lease 2 of B was valid from/);
    const replay = /^ {2}npx distrilock exhaustive (.*) --replay '(.*)'$/m.exec(stdout);
    const words = [...(replay?.[1] ?? '').split(' '), '--replay', replay?.[2] ?? ''];
    const again = await exhaustive(words);
    expect(again.code).toBe(1);
    expect(again.stdout).toMatch(/^mutual-exclusion is violated: On "r", lease 2 of B/m);
  });

  it('prints JSON', async () => {
    const { stdout } = await exhaustive([...FORGETFUL, '--json']);
    const result = JSON.parse(stdout) as { ending: string; states: number; verdicts: { replay?: string }[] };
    expect(result.ending).toBe('violated');
    expect(result.states).toBeGreaterThan(0);
    expect(result.verdicts[0]?.replay).toMatch(/^npx distrilock exhaustive .* --replay 'acquire:A /);
  });

  it('finds the same without reductions', async () => {
    const world = ['--nodes', '2', '--json'];
    const [all, reduced] = await Promise.all([exhaustive([...world, '--no-reductions']), exhaustive(world)]);
    const [plain, few] = [all, reduced].map(
      ({ stdout }) => JSON.parse(stdout) as { states: number; ending: string; verdicts: unknown },
    );
    expect(plain?.states).toBeGreaterThan((few?.states ?? 0) * 10);
    expect({ ending: plain?.ending, verdicts: plain?.verdicts }).toEqual({
      ending: few?.ending,
      verdicts: few?.verdicts,
    });
  });

  it('ends as interrupted when it is', async () => {
    const { code, stdout } = await exhaustive(['--clients', '3'], { signal: AbortSignal.abort('SIGTERM') });
    expect(stdout).toContain('NOT every state was visited: the search was interrupted.');
    expect(code).toBe(143);
  });

  it.each([
    [['--nodes', '9'], '--nodes must be from 1 to 7, not 9: every interleaving is tried, so keep the world small.\n'],
    [
      ['--replay', 'acquire:A sing'],
      '--replay has "sing", which is no step: steps are written like acquire:A run:A@n1',
    ],
    [['--restart', 'never'], "error: option '--restart <policy>' argument 'never' is invalid"],
  ])('refuses %j', async (words, message) => {
    const { code, stdout, stderr } = await exhaustive(words);
    expect(stderr).toContain(message);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  });

  it('says which step of a replay is not possible', async () => {
    const { code, stdout } = await exhaustive(['--replay', 'acquire:A tell:A@n1']);
    expect(stdout).toContain('tell:A@n1 is not possible when its turn comes, in this world');
    expect(code).toBe(2);
  });
});
