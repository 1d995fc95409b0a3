import { describe, expect, it } from 'vitest';
import { MUTANTS } from './mutants.ts';
import type { Mutant } from './mutant.ts';
import { buildSearchProgram, UNCHANGED } from './search-program.ts';
import { searchInWorker, type SearchLimits } from './search-worker.ts';

const ENDLESS: Mutant = {
  name: 'endless',
  broken: 'it counts votes for ever',
  patches: [{ file: 'src/quorum.ts', find: 'const quorum = quorumOf', replace: 'for (;;); const quorum = quorumOf' }],
};
const ALL = { seed: 1, from: 0, to: Number.MAX_SAFE_INTEGER, makesSmall: true };

function limits(changes: Partial<SearchLimits> = {}): SearchLimits {
  return {
    limitMs: Number.POSITIVE_INFINITY,
    signal: new AbortController().signal,
    onTried: () => undefined,
    ...changes,
  };
}

describe('searchInWorker', () => {
  it('tries the runs that it is given, and tells how far it is', async () => {
    const tried: number[] = [];
    const program = await buildSearchProgram(UNCHANGED);
    const outcome = await searchInWorker(
      program,
      { seed: 1, from: 7, to: 52, makesSmall: true },
      limits({ onTried: (runs) => tried.push(runs) }),
    );
    expect(outcome).toEqual({ kind: 'survived', runs: 45 });
    expect(tried).toEqual([20, 40, 45]);
  });

  it('finds a run by its number, wherever it begins', async () => {
    const mutant = MUTANTS.find(({ name }) => name === 'quorum-of-half') as Mutant;
    const program = await buildSearchProgram(mutant);
    const first = await searchInWorker(program, ALL, limits());
    if (first.kind !== 'caught') throw new Error('it was not caught');
    expect(first.runs).toBe(first.index + 1);
    const again = await searchInWorker(program, { ...ALL, from: first.index }, limits());
    expect(again).toEqual({ ...first, runs: 1 });
  });

  it('takes a library that holds virtual time still for caught', async () => {
    const outcome = await searchInWorker(await buildSearchProgram(ENDLESS), ALL, limits({ stuckMs: 1000 }));
    expect(outcome).toMatchObject({
      kind: 'caught',
      runs: 1,
      index: 0,
      finding: { symptom: 'run-failed' },
      smallest: null,
    });
  });

  it('ends when its time is up', async () => {
    const outcome = await searchInWorker(await buildSearchProgram(UNCHANGED), ALL, limits({ limitMs: 500 }));
    expect(outcome.kind).toBe('survived');
  });

  it('ends when it is interrupted, or does not even begin', async () => {
    const interruption = new AbortController();
    const program = await buildSearchProgram(UNCHANGED);
    const outcome = await searchInWorker(
      program,
      ALL,
      limits({ signal: interruption.signal, onTried: () => interruption.abort() }),
    );
    expect(outcome).toEqual({ kind: 'interrupted', runs: 20 });
    expect(await searchInWorker(program, ALL, limits({ signal: interruption.signal }))).toEqual({
      kind: 'interrupted',
      runs: 0,
    });
  });

  it('rejects if the program itself fails', async () => {
    await expect(searchInWorker("throw new Error('broken program')", ALL, limits())).rejects.toThrow('broken program');
  });
});
