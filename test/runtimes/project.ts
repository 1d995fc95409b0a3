import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { transform } from 'esbuild';
import { npm, npmInstall } from './npm.ts';

const ROOT = new URL('../..', import.meta.url).pathname;

export type ModuleSystem = 'ESM' | 'CommonJS';

/** A project that has installed the packed package, with the program in two versions: as it is, and for runtimes without `await using`. */
export interface Project {
  readonly folder: string;
  readonly modules: ModuleSystem;
  /** The version that npm installed. */
  readonly ioredis: string;
}

/** Packs the package, as for publication, into the folder. Resolves to the path of the file. */
export async function packPackage(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  // Packing builds first, by the script of the package itself.
  await npm(ROOT, ['pack', '--pack-destination', folder]);
  const [name, ...others] = await readdir(folder);
  if (name === undefined || others.length > 0) throw new Error(`${folder} should hold the package, and nothing else`);
  return join(folder, name);
}

/** The further entry points that both ES modules and CommonJS can load: `distrilock/opentelemetry`. */
export async function furtherEntries(): Promise<string[]> {
  const { exports } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    readonly exports: Readonly<Record<string, string | Readonly<Record<string, unknown>>>>;
  };
  return Object.entries(exports)
    .filter(([name, target]) => name !== '.' && typeof target === 'object' && 'require' in target)
    .map(([name]) => name.replace('.', 'distrilock'));
}

/** The file of a project that runs the program for a runtime. */
export function programFile(hasAwaitUsing: boolean): string {
  return join(hasAwaitUsing ? 'as-written' : 'lowered', 'main.js');
}

async function writeProgram(folder: string, modules: ModuleSystem): Promise<void> {
  const entries = await furtherEntries();
  const main = `
    ${entries.map((entry, index) => `import * as entry${index} from '${entry}';`).join('\n')}
    import { main } from './program.js';
    void main({ ${entries.map((entry, index) => `'${entry}': entry${index}`).join(', ')} });
  `;
  const program = await readFile(join(ROOT, 'test/runtimes/program.ts'), 'utf8');
  for (const hasAwaitUsing of [true, false]) {
    const target = hasAwaitUsing ? 'esnext' : 'node20.0';
    const directory = join(folder, programFile(hasAwaitUsing), '..');
    await mkdir(directory);
    for (const [name, source] of Object.entries({ main, program })) {
      const { code } = await transform(source, {
        loader: 'ts',
        target,
        platform: 'node',
        format: modules === 'ESM' ? 'esm' : 'cjs',
      });
      await writeFile(join(directory, `${name}.js`), code);
    }
  }
}

/**
 * Makes an empty project, and installs the packed package and ioredis into it.
 *
 * @param tarball path of the packed package
 * @param ioredis the version that npm shall install: `5`
 */
export async function createProject(
  folder: string,
  tarball: string,
  ioredis: string,
  modules: ModuleSystem,
): Promise<Project> {
  await mkdir(folder, { recursive: true });
  const manifest = { private: true, type: modules === 'ESM' ? 'module' : 'commonjs' };
  await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
  await npmInstall(folder, [tarball, `ioredis@${ioredis}`, '@opentelemetry/api@1.9']);
  const installed = await readFile(join(folder, 'node_modules/ioredis/package.json'), 'utf8');
  const { version } = JSON.parse(installed) as { readonly version: string };
  await writeProgram(folder, modules);
  return { folder, modules, ioredis: version };
}
