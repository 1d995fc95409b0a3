import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { bundleProgram } from './bundle-program.ts';
import { TestbedUnavailableError } from './testbed/testbed-error.ts';

let folder: string;
let entry: URL;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'distrilock-bundle-'));
  writeFileSync(join(folder, 'greeting.ts'), "export const greeting: string = 'hello';\n");
  writeFileSync(join(folder, 'program.ts'), "export { greeting } from './greeting.ts';\n");
  entry = pathToFileURL(join(folder, 'program.ts'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

it('makes one file of a program', async () => {
  const outfile = join(folder, 'program.mjs');
  await bundleProgram(entry, outfile);
  rmSync(join(folder, 'greeting.ts'));
  expect(await import(pathToFileURL(outfile).href)).toMatchObject({ greeting: 'hello' });
});

it.each([
  ['/dev/full', 'is full'],
  ['/dev/null/program.mjs', 'cannot be written (ENOTDIR)'],
])('says why it cannot write %s', async (outfile, problem) => {
  await expect(bundleProgram(entry, outfile)).rejects.toThrow(TestbedUnavailableError);
  await expect(bundleProgram(entry, outfile)).rejects.toThrow(
    `the folder for temporary files, ${tmpdir()}, ${problem}`,
  );
});
