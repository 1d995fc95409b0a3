import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadedFiles } from './loaded-files.ts';
import { furtherEntries } from './runtimes/project.ts';

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
  const events: string[] = [];
  const leave: () => void = redlock.on('acquired', ({ attempts, operation }) => events.push(operation.resource + attempts));
  const stopInstrumenting: () => void = instrumentRedlock(redlock);
  const result: number = await redlock.using('s', 1000, { retry: fixedRetry({ count: 1 }) }, async (signal, { resource }) => {
    return signal.aborted || resource !== 's' ? 0 : held.size;
  });
  {
    await using block = await redlock.acquire('t', 1000);
    events.push('block' + block.attempts);
  }
  leave();
  stopInstrumenting();
  await redlock.quit();
  // Options of ioredis are clients too; a lazy one needs no server.
  const client: RedlockClient = { host: 'localhost', port: 7000, lazyConnect: true };
  await new Redlock([client, new Redis({ port: 7001, lazyConnect: true })]).quit();
  console.log(JSON.stringify({ code: error.code, hasToken: token !== undefined, isHeld: held.size > 0, result, events }));
}

void main();
`;
const IMPORTS = `
import { Redis } from 'ioredis';
import {
  type AcquiredLock, ContendedError, fixedRetry, type LockCommand, LockError, type LockReply, nodeFromPromises, Redlock, type RedlockClient, type RedlockOptions,
} from 'distrilock';
import { instrumentRedlock } from 'distrilock/opentelemetry';
`;

/** How a project may let TypeScript look for modules, besides `nodenext`. */
const OTHER_RESOLUTIONS = [
  ['--module', 'node16'],
  ['--module', 'preserve', '--moduleResolution', 'bundler'],
];

/** A test that fails unless scenarios run the very library that the project imports. */
const SAME_LIBRARY = `
import { Redlock } from 'distrilock';
import { scenario } from 'distrilock/vitest';
import { expect, it, vi } from 'vitest';

it('runs the library of the package', async () => {
  const acquire = vi.spyOn(Redlock.prototype, 'acquire');
  expect(await scenario({ clients: 1 })).toHoldMutualExclusion();
  // Ten rounds, and the probe in the end.
  expect(acquire).toHaveBeenCalledTimes(11);
});
`;

/** The blocks of code in docs/vitest.md that are marked with this language. */
async function codeInGuide(language: string): Promise<string[]> {
  const text = await readFile(join(root, 'docs/vitest.md'), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))].map((match) => match[1] ?? '');
}

/** The text with every number and time alike: a message of the guide stays true if the simulator draws otherwise. */
function withoutNumbers(text: string): string {
  return text.replaceAll(/\d+(\.\d+)?( m?s\b)?/g, '#').replaceAll(/ +/g, ' ');
}

/** What a program printed, and how it ended. */
interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function ended(file: string, args: readonly string[], cwd: string): Promise<Ended> {
  // The vitest that runs this test has variables which would mislead the one below.
  const inherited = Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST'));
  const env = { ...Object.fromEntries(inherited), NO_COLOR: '1' };
  return run(file, args, { cwd, env }).then(
    (output) => ({ code: 0, ...output }),
    (error: unknown) => error as Ended,
  );
}

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
      'dist/opentelemetry.cjs',
      'dist/opentelemetry.d.cts',
      'dist/opentelemetry.d.ts',
      'dist/opentelemetry.js',
      'dist/redlock-4.cjs',
      'dist/redlock-4.d.cts',
      'dist/redlock-4.d.ts',
      'dist/redlock-4.js',
      'dist/redlock-5.cjs',
      'dist/redlock-5.d.cts',
      'dist/redlock-5.d.ts',
      'dist/redlock-5.js',
      'dist/sesamecare-redlock.cjs',
      'dist/sesamecare-redlock.d.cts',
      'dist/sesamecare-redlock.d.ts',
      'dist/sesamecare-redlock.js',
      'dist/fast-check.d.ts',
      'dist/fast-check.js',
      'dist/testbed.d.ts',
      'dist/testbed.js',
      'dist/testbed.licences.txt',
      'dist/vitest.d.ts',
      'dist/vitest.js',
      'package.json',
    ];
    expect(files).toEqual(expect.arrayContaining(needed.map((file) => `package/${file}`)));
    const allowed =
      /^package\/(dist\/((index|opentelemetry|redlock-[45]|sesamecare-redlock)\.(c?js|d\.c?ts)|(fast-check|testbed|vitest)\.(js|d\.ts)|testbed\.licences\.txt)|README\.md|LICENSE|CHANGELOG\.md|package\.json)$/;
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
      const entries = await furtherEntries();
      const further = entries.map(
        (entry, index) => `import * as entry${index} from '${entry}';\nvoid entry${index};\n`,
      );
      await writeFile(join(project, 'main.ts'), IMPORTS + PROGRAM + further.join(''));
      const compilerOptions = { module: 'nodenext', target: 'es2022', strict: true, types: ['node'] };
      await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['main.ts'] }));
      const install = ['install', '--no-audit', '--no-fund', '--prefer-offline', tarball];
      await run('npm', [...install, ioredis, '@opentelemetry/api@1.9', '@types/node@20'], { cwd: project });

      // Checks the package's declarations too, as `skipLibCheck` is off, and emits what runs next.
      const compiler = join(root, 'node_modules/typescript/bin/tsc');
      const compiled = await run(process.execPath, [compiler, '-p', project]).catch((error: unknown) => error);
      expect(compiled).toMatchObject({ stdout: '' });
      for (const flags of OTHER_RESOLUTIONS) {
        const checked = await ended(process.execPath, [compiler, '-p', project, '--noEmit', ...flags], project);
        expect(checked).toEqual({ code: 0, stdout: '', stderr: '' });
      }
      const { stdout, stderr } = await run(process.execPath, [join(project, 'main.js')]);
      expect(stderr).toBe('');
      expect(JSON.parse(stdout)).toEqual({
        code: 'contended',
        hasToken: true,
        isHeld: false,
        result: 1,
        events: ['s1', 't1', 'block1'],
      });

      // An import costs one file more than ioredis does by itself.
      const how = type === 'module' ? 'import' : 'require';
      const ofIoredis = await loadedFiles(project, 'ioredis', how);
      expect(ofIoredis).toContain('ioredis/built/index.js');
      const loaded = await loadedFiles(project, 'distrilock', how);
      const file = type === 'module' ? 'index.js' : 'index.cjs';
      expect(loaded.filter((each) => !ofIoredis.includes(each))).toEqual([`distrilock/dist/${file}`]);
      expect(await readdir(join(project, 'node_modules/distrilock'))).not.toContain('node_modules');
      expect(await readdir(join(project, 'node_modules'))).not.toContain('vitest');
    },
    240_000,
  );

  it('needs ioredis, brings nothing of its own, and takes the rest where it is there', async () => {
    const { stdout } = await run('tar', ['--extract', '--to-stdout', '--file', tarball, 'package/package.json']);
    const manifest = JSON.parse(stdout) as Readonly<Record<string, Readonly<Record<string, object>> | undefined>>;
    expect(manifest).not.toHaveProperty('dependencies');
    expect(manifest).not.toHaveProperty('optionalDependencies');
    expect(manifest).not.toHaveProperty('bundleDependencies');
    const optional = manifest.peerDependenciesMeta ?? {};
    expect(Object.keys(manifest.peerDependencies ?? {}).filter((name) => !(name in optional))).toEqual(['ioredis']);
    // Nothing runs on the machine of whoever installs it.
    for (const script of ['preinstall', 'install', 'postinstall']) expect(manifest.scripts).not.toHaveProperty(script);
  });

  it('keeps what only tests need out of the library', async () => {
    await run('tar', ['--extract', '--file', tarball, '--directory', directory]);
    const library = await readFile(join(directory, 'package/dist/index.js'), 'utf8');
    const forTests = await readFile(join(directory, 'package/dist/testbed.js'), 'utf8');
    const forVitest = await readFile(join(directory, 'package/dist/vitest.js'), 'utf8');
    const forFastCheck = await readFile(join(directory, 'package/dist/fast-check.js'), 'utf8');
    const importsOf = (code: string): string[] =>
      [...code.matchAll(/^import .* from "([^"]+)";$/gm)].map((match) => match[1] ?? '').sort();
    expect(importsOf(library).filter((name) => !name.startsWith('node:'))).toEqual(['ioredis']);
    const forTelemetry = await readFile(join(directory, 'package/dist/opentelemetry.js'), 'utf8');
    expect(importsOf(forTelemetry)).toEqual(['@opentelemetry/api']);
    // The adapters use the library of their module system: an error of the one is an error of the other.
    for (const name of ['redlock-4', 'redlock-5', 'sesamecare-redlock']) {
      const adapter = await readFile(join(directory, `package/dist/${name}.js`), 'utf8');
      expect(importsOf(adapter)).toEqual(['./index.js', 'node:events']);
      const inCommonJs = await readFile(join(directory, `package/dist/${name}.cjs`), 'utf8');
      const required = [...inCommonJs.matchAll(/require\("(.*?)"\)/g)].map((match) => match[1]);
      expect(required.sort()).toEqual(['./index.cjs', 'node:events']);
    }
    const packagesOf = (code: string): string[] => importsOf(code).filter((name) => !name.startsWith('node:'));
    expect(packagesOf(forTests)).toEqual(['./index.js']);
    expect(packagesOf(forVitest)).toEqual(['./testbed.js', 'vitest']);
    expect(packagesOf(forFastCheck)).toEqual(['./testbed.js', 'fast-check']);
    const definition = /Redlock = class|class Redlock/;
    expect(definition.test(library)).toBe(true);
    for (const code of [forTests, forVitest, forFastCheck]) expect(definition.test(code)).toBe(false);
    const licences = await readFile(join(directory, 'package/dist/testbed.licences.txt'), 'utf8');
    for (const name of ['fastest-levenshtein', 'pure-rand', 'yaml', 'zod']) expect(licences).toMatch(`\n${name}\n`);
  });

  it.each(['vitest@4', 'vitest@3.2'])(
    'puts settings under test with %s, as the guide says',
    async (vitest) => {
      const project = join(directory, vitest);
      const [settings, pause, folder, property, ...others] = await codeInGuide('ts');
      const examples = [settings, pause, folder, property];
      if (settings === undefined || pause === undefined || examples.includes(undefined) || others.length > 0) {
        throw new Error('docs/vitest.md has other examples than this test knows: run them, too');
      }
      await mkdir(join(project, 'scenarios'), { recursive: true });
      const gallery = join(root, 'scenarios');
      for (const file of ['contention.yaml', 'kleppmann-gc-pause.yaml']) {
        await copyFile(join(gallery, file), join(project, 'scenarios', file));
      }
      const own = pause
        .replace(/it\('.*?'/, "it('a pause is harmless'")
        .replace('.not.toHoldCriticalSection', '.toHoldCriticalSection');
      const files = { settings, pause, folder, property, own, library: SAME_LIBRARY };
      for (const [name, code = ''] of Object.entries(files)) await writeFile(join(project, `${name}.test.ts`), code);
      await writeFile(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
      const compilerOptions = { module: 'nodenext', target: 'es2022', strict: true, types: ['node'], noEmit: true };
      await writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
      const install = ['install', '--no-audit', '--no-fund', '--prefer-offline', tarball];
      await run('npm', [...install, 'ioredis@6', vitest, 'fast-check@4', '@types/node@20'], { cwd: project });

      const compiler = join(root, 'node_modules/typescript/bin/tsc');
      expect(await ended(process.execPath, [compiler, '-p', project], project)).toMatchObject({ stdout: '', code: 0 });

      const good = ['settings', 'pause', 'folder', 'property', 'library'].map((name) => `${name}.test.ts`);
      const passed = await ended('npx', ['vitest', 'run', '--testTimeout=60000', ...good], project);
      expect(passed).toMatchObject({ code: 0, stdout: expect.stringMatching(/Tests {2}7 passed \(7\)/) as string });

      const failed = await ended('npx', ['vitest', 'run', '--testTimeout=60000', 'own.test.ts'], project);
      expect(failed.code).toBe(1);
      const [message = 'none'] = await codeInGuide('text');
      expect(withoutNumbers(failed.stderr)).toContain(withoutNumbers(message));

      // The command that the message names runs the one seed again, and that fails in the same way.
      const [, replay = 'false'] = /^replay: (.*)$/m.exec(failed.stderr) ?? [];
      const replayed = await ended('sh', ['-c', replay], project);
      expect(replayed.code).toBe(1);
      expect(replayed.stderr).toContain('critical-section should hold, and is violated with seed 1\n');
    },
    480_000,
  );
});
