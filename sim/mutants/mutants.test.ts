import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { type Mutant, patchedText, PatchError } from './mutant.ts';
import { MUTANTS } from './mutants.ts';
import { buildSearchProgram } from './search-program.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

const QUORUM: Mutant = {
  name: 'test-mutant',
  broken: 'something',
  patches: [{ file: 'src/quorum.ts', find: 'one', replace: 'two' }],
};

describe('the set', () => {
  it('holds at least 25 mutants, each with a name of its own that can stand on a command line', () => {
    const names = MUTANTS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    expect(names.length).toBeGreaterThanOrEqual(25);
    for (const name of names) expect(name).toMatch(/^[a-z0-9]+(-[a-z0-9]+)*$/);
  });

  it.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))(
    '%s fits the sources, and changes them',
    (_, mutant) => {
      expect(mutant.patches.length).toBeGreaterThan(0);
      for (const { file } of mutant.patches) {
        const text = readFileSync(ROOT + file, 'utf8');
        expect(patchedText(mutant, file, text)).not.toBe(text);
      }
    },
  );
});

describe('patchedText', () => {
  it('replaces the text, in the file that the patch names only', () => {
    expect(patchedText(QUORUM, 'src/quorum.ts', 'just one.')).toBe('just two.');
    expect(patchedText(QUORUM, 'src/retry.ts', 'just one.')).toBe('just one.');
  });

  it('takes what stands in the replacement as it is', () => {
    const dollars = { ...QUORUM, patches: [{ file: 'f', find: 'one', replace: "$& $1 $'" }] };
    expect(patchedText(dollars, 'f', 'just one.')).toBe("just $& $1 $'.");
  });

  it.each([
    ['is not there', 'nothing'],
    ['is there 2 times', 'one and one'],
  ])('names the mutant, the file and the remedy where the text %s', (problem, text) => {
    const patched = (): string => patchedText(QUORUM, 'src/quorum.ts', text);
    expect(patched).toThrow(PatchError);
    expect(patched).toThrow(
      `The mutant test-mutant does not fit src/quorum.ts any more: "one" ${problem}, and must be there once`,
    );
    expect(patched).toThrow('Adapt its patch in sim/mutants/set/');
  });
});

describe('the program of the search', () => {
  it('holds the broken library and, for the testbed to judge by, the rules as they are', async () => {
    const mutant: Mutant = {
      ...QUORUM,
      patches: [{ file: 'src/quorum.ts', find: 'Math.floor(nodeCount / 2) + 1', replace: '"broken quorum"' }],
    };
    const program = await buildSearchProgram(mutant);
    expect(program.split('"broken quorum"')).toHaveLength(2);
    expect(program.split('Math.floor(nodeCount / 2) + 1')).toHaveLength(2);
  });

  it('is not made where a patch does not fit, or changes what the search does not run', async () => {
    await expect(
      buildSearchProgram({ ...QUORUM, patches: [{ file: 'src/quorum.ts', find: '§', replace: '' }] }),
    ).rejects.toThrow(PatchError);
    const idle = { file: 'sim/cli/console/lines.ts', find: 'const NO_BORDERS', replace: 'const NONE_AT_ALL' };
    await expect(buildSearchProgram({ ...QUORUM, patches: [idle] })).rejects.toThrow(
      /The mutant test-mutant patches .*sim\/cli\/console\/lines\.ts, which the search does not load/,
    );
  });
});
