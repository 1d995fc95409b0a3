import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { GATHERED } from './gathered-script.ts';
import * as scripts from './scripts.ts';

const SCRIPTS = Object.entries({ ...scripts, GATHERED }).flatMap(([name, script]) =>
  typeof script === 'string' ? [] : [[name, script] as const],
);

describe('the scripts', () => {
  it.each(SCRIPTS)('%s is called by the hash of its text', (_name, { lua, sha1 }) => {
    expect(sha1).toBe(createHash('sha1').update(lua).digest('hex'));
  });
});
