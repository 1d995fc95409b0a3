import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { installRuntime, type Runtime, RUNTIMES } from './runtimes.ts';

const root = new URL('../..', import.meta.url).pathname;
let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'distrilock-runtime-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

describe('runtimes', () => {
  it('begin with the oldest Node that the package admits', async () => {
    const { engines } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { engines: { node: string } };
    const [, oldest] = /^>=(\d+)$/.exec(engines.node) ?? [];
    expect(RUNTIMES[0]?.package).toBe(`node@${oldest}.0.0`);
  });

  it('are not fetched where they run already', async () => {
    const [major] = process.versions.node.split('.');
    const runtime: Runtime = {
      package: 'no-such-package',
      command: ['node'],
      calledPrefix: `node ${major}.`,
      hasAwaitUsing: false,
    };
    expect(await installRuntime(runtime, directory)).toEqual([process.execPath]);
  });

  it('that cannot be had say why, and what would help', async () => {
    const runtime: Runtime = { package: 'bun@1', command: ['bun'], calledPrefix: 'bun ', hasAwaitUsing: true };
    // A registry that nobody runs, and an empty cache.
    const env = {
      ...process.env,
      npm_config_registry: 'http://127.0.0.1:9',
      npm_config_cache: directory,
      npm_config_fetch_retries: '0',
    };
    const refused = installRuntime(runtime, join(directory, 'bun'), env);
    await expect(refused).rejects.toThrow(/ECONNREFUSED[^]*Remedy: make "npm install bun@1" work here/);
  });
});
