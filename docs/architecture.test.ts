import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '..');
const text = readFileSync(join(root, 'ARCHITECTURE.md'), 'utf8');

/** What is kept in the repository below the folder, from the root. */
function keptBelow(folder: string): readonly string[] {
  return execFileSync('git', ['ls-files', folder], { cwd: root, encoding: 'utf8' }).trimEnd().split('\n');
}

/** The folders right below the folder. */
function foldersIn(folder: string): string[] {
  const depth = folder === '' ? 0 : folder.split('/').length;
  const parts = keptBelow(folder === '' ? '.' : folder).map((path) => path.split('/'));
  return [...new Set(parts.filter((path) => path.length > depth + 1).map((path) => path[depth] as string))];
}

it.each([
  ['of the library', keptBelow('src').filter((path) => /^src\/[\w-]+\.ts$/.test(path) && !path.endsWith('.test.ts'))],
  ['of the folders at the root', foldersIn('').map((name) => `${name}/`)],
  ['of the folders of the testbed', foldersIn('sim').map((name) => `${name}/`)],
  ['of the folders in those', foldersIn('sim').flatMap((name) => foldersIn(`sim/${name}`).map((each) => `${each}/`))],
])('ARCHITECTURE.md names every part %s', (_which, parts) => {
  const names = parts.map((path) => (path.endsWith('/') ? path : basename(path)));
  expect(names.length).toBeGreaterThan(5);
  expect(names.filter((name) => !text.includes(`\`${name}\``))).toEqual([]);
});
