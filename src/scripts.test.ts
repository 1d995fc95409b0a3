import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { GATHERED } from './gathered-script.ts';
import * as scripts from './scripts.ts';

describe('the scripts', () => {
  it.each(Object.entries({ ...scripts, GATHERED }))('%s is called by the hash of its text', (_name, { lua, sha1 }) => {
    expect(sha1).toBe(createHash('sha1').update(lua).digest('hex'));
  });
});
