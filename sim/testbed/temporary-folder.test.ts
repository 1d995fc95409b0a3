import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { bundleProgram } from '../bundle-program.ts';
import { inTemporaryFolder, makeTemporaryFolder } from './temporary-folder.ts';
import { TestbedUnavailableError } from './testbed-error.ts';

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'distrilock-temporary-'));
  vi.stubEnv('TMPDIR', folder);
});

afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

function refusalOf(write: () => unknown): TestbedUnavailableError {
  try {
    inTemporaryFolder(write);
  } catch (error) {
    if (error instanceof TestbedUnavailableError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

it('makes a folder where TMPDIR says', () => {
  const made = makeTemporaryFolder('distrilock-x-');
  expect(made.startsWith(join(folder, 'distrilock-x-'))).toBe(true);
  expect(existsSync(made)).toBe(true);
});

it('names the folder that is not there, and the variable', () => {
  vi.stubEnv('TMPDIR', join(folder, 'none'));
  const { message, remedy } = refusalOf(() => makeTemporaryFolder('distrilock-x-'));
  expect(message).toBe(`the folder for temporary files, ${join(folder, 'none')}, cannot be written (ENOENT)`);
  expect(remedy).toContain('TMPDIR');
});

// Whatever is written to it finds no space left.
it.runIf(existsSync('/dev/full'))('names the folder that is full, and the remedy', () => {
  expect(refusalOf(() => writeFileSync('/dev/full', 'x'))).toMatchObject({
    message: `the folder for temporary files, ${folder}, is full`,
    remedy: 'free some space there, or name another folder in TMPDIR',
  });
});

it.runIf(existsSync('/dev/full'))('says so of a program that finds no space', async () => {
  const program = new URL('testbed-error.ts', import.meta.url);
  await expect(bundleProgram(program, '/dev/full')).rejects.toThrow(`${folder}, is full`);
});

it('lets an error pass that is none of the file system', () => {
  const bug = new TypeError('x is undefined');
  expect(() =>
    inTemporaryFolder(() => {
      throw bug;
    }),
  ).toThrow(bug);
});
