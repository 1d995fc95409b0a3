import { execFile } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { npmInstall } from './npm.ts';

/** A runtime that npm has a package of. */
export interface Runtime {
  /** What npm installs: `node@22`. */
  readonly package: string;
  /** The name of its program, and what goes before the file to run. */
  readonly command: readonly [program: string, ...args: string[]];
  /** How the name begins that it gives itself: `node 22.`. */
  readonly calledPrefix: string;
  /** Whether it knows `await using`. For the others a compiler has to take it away. */
  readonly hasAwaitUsing: boolean;
}

function nodeVersion(version: string, hasAwaitUsing: boolean): Runtime {
  const isExact = version.includes('.');
  const calledPrefix = isExact ? `node ${version}` : `node ${version}.`;
  return { package: `node@${version}`, command: ['node'], calledPrefix, hasAwaitUsing };
}

/** What distrilock works on: the oldest Node that the package admits, the versions with long support, Bun and Deno. */
export const RUNTIMES: readonly Runtime[] = [
  nodeVersion('20.0.0', false),
  nodeVersion('20', false),
  nodeVersion('22', false),
  nodeVersion('24', true),
  { package: 'bun', command: ['bun'], calledPrefix: 'bun ', hasAwaitUsing: true },
  {
    package: 'deno',
    // These permissions are all that the library wants.
    command: ['deno', 'run', '--no-prompt', '--allow-net', '--allow-env', '--allow-read'],
    calledPrefix: 'deno ',
    hasAwaitUsing: true,
  },
];

const run = promisify(execFile);

/**
 * Gets a runtime from npm, unless it is the one that runs this, and looks whether it starts.
 *
 * @param folder where to, made for it alone: npm runs the scripts of packages by whatever `node` it finds beside them
 * @returns its command, with the path of its program
 * @throws Error that says why it cannot be had, and what would help
 */
export async function installRuntime(runtime: Runtime, folder: string, env = process.env): Promise<readonly string[]> {
  const [program, ...args] = runtime.command;
  // No need to fetch the one that runs this.
  if (`node ${process.versions.node}`.startsWith(runtime.calledPrefix)) return [process.execPath];
  try {
    await mkdir(folder, { recursive: true });
    // The packages fetch the program for this system by a script, which newer versions of npm want to be allowed.
    const manifest = { private: true, allowScripts: { [program]: true } };
    await writeFile(join(folder, 'package.json'), JSON.stringify(manifest));
    await npmInstall(folder, [runtime.package], env);
    const path = join(folder, 'node_modules/.bin', program);
    await run(path, ['--version']);
    return [path, ...args];
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const remedy = `make "npm install ${runtime.package}" work here, its install script included (registry, proxy, ignore-scripts)`;
    throw new Error(`${reason}\n  Remedy: ${remedy}`, { cause: error });
  }
}
