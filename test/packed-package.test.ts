import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const root = new URL('..', import.meta.url).pathname;

/** A project's program: uses what the package exports, types included, on a node that needs no server. */
const PROGRAM = `
const held = new Map<string, string>();
const answer = async (command: LockCommand): Promise<LockReply> => {
  switch (command.kind) {
    case 'acquire':
      if (held.has(command.key)) return { kind: 'held' };
      held.set(command.key, command.value);
      return { kind: 'granted', token: command.tokenHint };
    case 'release':
      return held.get(command.key) === command.value && held.delete(command.key) ? { kind: 'released' } : { kind: 'absent' };
    default:
      return { kind: 'absent' };
  }
};

async function main(): Promise<void> {
  const options: RedlockOptions = { retryCount: 0, fencing: true };
  const redlock = new Redlock([nodeFromPromises('here', answer)], options);
  const lock: AcquiredLock = await redlock.acquire('r', 1000);
  const token: number | undefined = lock.token;
  const error: unknown = await redlock.acquire('r', 1000).catch((reason: unknown) => reason);
  if (!(error instanceof ContendedError) || !(error instanceof LockError)) throw new Error('not contended');
  await lock.release();
  await redlock.quit();
  // Options of ioredis are clients too; a lazy one needs no server.
  const client: RedlockClient = { host: 'localhost', port: 7000, lazyConnect: true };
  await new Redlock([client, new Redis({ port: 7001, lazyConnect: true })]).quit();
  console.log(JSON.stringify({ code: error.code, hasToken: token !== undefined, isHeld: held.size > 0 }));
}

void main();
`;
const IMPORTS = `
import { Redis } from 'ioredis';
import {
  type AcquiredLock, ContendedError, type LockCommand, LockError, type LockReply, nodeFromPromises, Redlock, type RedlockClient, type RedlockOptions,
} from 'distrilock';
`;

describe('the packed package', () => {
  let directory: string;
  let tarball: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'distrilock-package-'));
    // Packing builds first, by the script of the package itself.
    await run('npm', ['pack', '--pack-destination', directory], { cwd: root });
    const [name, ...others] = await readdir(directory);
    expect(others).toEqual([]);
    tarball = join(directory, String(name));
  }, 120_000);
  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  it('holds what users need, and nothing else', async () => {
    const { stdout } = await run('tar', ['--list', '--file', tarball]);
    const files = stdout.trim().split('\n').sort();
    const needed = [
      'LICENSE',
      'dist/index.cjs',
      'dist/index.d.cts',
      'dist/index.d.ts',
      'dist/index.js',
      'package.json',
    ];
    expect(files).toEqual(expect.arrayContaining(needed.map((file) => `package/${file}`)));
    const allowed = /^package\/(dist\/index\.(c?js|d\.c?ts)|README\.md|LICENSE|CHANGELOG\.md|package\.json)$/;
    expect(files.filter((file) => !allowed.test(file))).toEqual([]);
  });

  it.each([
    ['ES modules', 'ioredis@6', 'module'],
    ['CommonJS', 'ioredis@5', 'commonjs'],
  ])(
    'serves a project of %s with %s, its types included',
    async (_what, ioredis, type) => {
      const project = join(directory, type);
      await mkdir(project);
      await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'a-project', private: true, type }));
      await writeFile(join(project, 'main.ts'), IMPORTS + PROGRAM);
      const compilerOptions = { module: 'nodenext', target: 'es2022', strict: true, types: ['node'] };
      await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['main.ts'] }));
      const install = ['install', '--no-audit', '--no-fund', '--prefer-offline', tarball];
      await run('npm', [...install, ioredis, '@types/node@20'], { cwd: project });

      // Checks the package's declarations too, as `skipLibCheck` is off, and emits what runs next.
      const compiler = join(root, 'node_modules/typescript/bin/tsc');
      const compiled = await run(process.execPath, [compiler, '-p', project]).catch((error: unknown) => error);
      expect(compiled).toMatchObject({ stdout: '' });
      const { stdout, stderr } = await run(process.execPath, [join(project, 'main.js')]);
      expect(stderr).toBe('');
      expect(JSON.parse(stdout)).toEqual({ code: 'contended', hasToken: true, isHeld: false });
      expect(await readdir(join(project, 'node_modules/distrilock'))).not.toContain('node_modules');
    },
    240_000,
  );
});
