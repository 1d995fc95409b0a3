import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { shellQuote } from './shell-quote.ts';

it.each([
  ['kleppmann-gc-pause', 'kleppmann-gc-pause'],
  ['./own/a_b.yaml', './own/a_b.yaml'],
  ['my file.yaml', "'my file.yaml'"],
  ["it's", `'it'\\''s'`],
  ['', "''"],
  ['~', "'~'"],
  ['a\nb', "$'a\\x0ab'"],
])('%j becomes %s', (text, quoted) => {
  expect(shellQuote(text)).toBe(quoted);
});

const AWKWARD = Array.from('\'"\\$`!*?#&;|<>(){}[]~ \t\n\r\u0001\u202E');

it('is one word of a shell, the same as before, whatever is in it', () => {
  const character = fc.oneof(fc.constantFrom(...AWKWARD), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }));
  const texts = fc.sample(fc.string({ unit: character, maxLength: 12 }), { numRuns: 300, seed: 1 });
  // No word of any shell can have a NUL in it.
  const words = texts.map((text) => text.replaceAll('\0', ''));
  const script = words.map((word) => `printf '%s\\0' ${shellQuote(word)}`).join('\n');
  const output = execFileSync('bash', ['--norc', '-c', script], { encoding: 'utf8', env: { LC_ALL: 'C.UTF-8' } });
  expect(output.split('\0').slice(0, -1)).toEqual(words);
});
