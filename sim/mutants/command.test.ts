import { describe, expect, it } from 'vitest';
import type { Output } from '../cli/console/host.ts';
import { runMutants } from './command.ts';
import type { Mutant } from './mutant.ts';
import { MUTANTS } from './mutants.ts';

/** Breaks nothing. */
const HARMLESS: Mutant = {
  name: 'harmless',
  broken: 'nothing, under another name',
  patches: [
    {
      file: 'src/quorum.ts',
      find: 'const quorum = quorumOf',
      replace: 'const harmless = 0, quorum = harmless + quorumOf',
    },
  ],
};

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function mutants(
  words: readonly string[],
  all: readonly Mutant[] = MUTANTS,
  signal: AbortSignal = new AbortController().signal,
): Promise<Ran> {
  const printed = { stdout: '', stderr: '' };
  const outputTo = (name: keyof typeof printed): Output => ({
    write: (text) => (printed[name] += text),
    isTTY: false,
    columns: undefined,
  });
  const host = { stdout: outputTo('stdout'), stderr: outputTo('stderr'), environment: {}, signal };
  return { code: await runMutants(words, host, all), ...printed };
}

interface Told {
  readonly seed: number;
  readonly mutants: readonly Readonly<Record<string, unknown>>[];
}

/** Without what differs from run to run. */
function told({ stdout }: Ran): Told {
  const { seed, mutants } = JSON.parse(stdout) as Told;
  return { seed, mutants: mutants.map((mutant) => ({ ...mutant, elapsedMs: 0 })) };
}

describe('mutants', () => {
  it('tells of each what caught it, after how many runs, and the smallest run that shows it', async () => {
    const { code, stdout } = await mutants(['--only', 'acquire-overwrites,extension-recreates']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^mutant +caught by +runs +time\n/);
    expect(stdout).toMatch(
      /\nacquire-overwrites +mutual-exclusion +\d+ +[\d.]+ m?s\n {4}a node stores a value .*\n {6}nodes \d, ttl /,
    );
    expect(stdout).toMatch(/at the start: [AB]: acquire "r"/);
    expect(stdout).toMatch(/On "r", lease \d of [AB] was valid from .* both of them for /);
    expect(stdout).toMatch(/\nextension-recreates +release-safety +\d+ /);
    expect(stdout).toMatch(/\n2 of 2 mutants were caught\n$/);
  });

  it('tells the same again with the same seed, on any number of threads', async () => {
    const words = [
      '--only',
      'tie-never-settles,no-clean-up-between-attempts,all-nodes-needed',
      '--seed',
      '3',
      '--json',
    ];
    const [one, other] = [await mutants([...words, '--threads', '1']), await mutants([...words, '--threads', '3'])];
    expect(told(one)).toEqual(told(other));
    expect(told(one)).toMatchObject({
      seed: 3,
      mutants: [
        {
          name: 'tie-never-settles',
          outcome: 'caught',
          caughtBy: expect.stringMatching(/^(timeliness|clean-up)$/) as string,
        },
        { name: 'no-clean-up-between-attempts', outcome: 'caught', caughtBy: 'clean-up' },
        { name: 'all-nodes-needed', outcome: 'caught', caughtBy: 'vote' },
      ],
    });
    // Small: at the most, a node that is not there, so that the others can be at odds.
    for (const { smallest } of told(one).mutants) {
      const { scenario } = smallest as { scenario: { faults: readonly unknown[] } };
      expect(scenario.faults.length).toBeLessThanOrEqual(1);
    }
  });

  it('makes nothing small, and explores as long as it is told, if it is to be quick', async () => {
    const { code, stdout } = await mutants(['--only', 'all-nodes-needed', '--quick', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      mutants: [{ name: 'all-nodes-needed', outcome: 'caught', caughtBy: 'vote', smallest: null }],
    });
    const few = await mutants(['--runs', '30', '--json'], [HARMLESS]);
    expect(few.code).toBe(1);
    expect(JSON.parse(few.stdout)).toMatchObject({ mutants: [{ outcome: 'survived', runs: 30 }] });
  });

  it('fails if one survives', async () => {
    const { code, stdout } = await mutants(['--seconds', '1'], [HARMLESS]);
    expect(code).toBe(1);
    expect(stdout).toMatch(/\nharmless +nothing: it survived +\d+ /);
    expect(stdout).toMatch(/\n0 of 1 mutants were caught, 1 survived\n$/);
  });

  it('ends at once when it is interrupted, and says so', async () => {
    const { code, stdout } = await mutants([], [HARMLESS], AbortSignal.abort('SIGINT'));
    expect(code).toBe(130);
    expect(stdout).toMatch(/\nharmless +interrupted +0 /);
    expect(stdout).toMatch(/1 were interrupted\n$/);
  });

  it.each([
    [['--only', 'no-such'], 'There is no mutant "no-such"; there are quorum-of-half, '],
    [['--seconds', '0'], "'--seconds <number>' argument '0' is invalid"],
    [['--threads', '257'], 'It must be a whole number from 1 to 256.'],
    [['--what'], "unknown option '--what'"],
  ])('refuses %j', async (words, message) => {
    const { code, stderr } = await mutants(words);
    expect(code).toBe(2);
    expect(stderr).toContain(message);
  });

  it('refuses a mutant that does not fit the sources', async () => {
    const { code, stderr } = await mutants(
      [],
      [{ ...HARMLESS, patches: [{ file: 'src/quorum.ts', find: '§', replace: '' }] }],
    );
    expect(code).toBe(2);
    expect(stderr).toContain('The mutant harmless does not fit src/quorum.ts any more');
  });
});

describe('mutants --control', () => {
  it('lets the library as it is survive what the mutants did not', async () => {
    const { code, stdout } = await mutants(['--control', '600', '--threads', '2']);
    expect(stdout).toMatch(/^The library as it is survived: 600 runs in [\d.]+ m?s, \d+ runs\/s\n$/);
    expect(code).toBe(0);
  });

  it('prints JSON', async () => {
    const { stdout } = await mutants(['--control', '20', '--json', '--seed', '4']);
    expect(JSON.parse(stdout)).toMatchObject({ seed: 4, outcome: 'survived', runs: 20 });
  });
});
