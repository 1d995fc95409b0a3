import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { BOUND_NAMES, BOUNDS } from '../sim/explore/envelope/envelope.ts';
import { PROTOCOL_PHASES } from '../sim/explore/search/coverage.ts';

const text = readFileSync(new URL('exploration.md', import.meta.url), 'utf8');

it.each(BOUND_NAMES)('the guide says what explore looks for outside %s', (bound) => {
  const row = text.split('\n').find((line) => line.startsWith(`| \`${bound}\``)) ?? '';
  const named = [...(row.split('|').at(-2) ?? '').matchAll(/`([a-z-]+)`/g)].map((match) => match[1]);
  expect(named).toEqual([...BOUNDS[bound].breaks]);
});

it('the guide explains every phase of the protocol', () => {
  for (const phase of PROTOCOL_PHASES) expect(text).toContain(`\`${phase}\``);
});
