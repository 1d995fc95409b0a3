import { execFile } from 'node:child_process';
import { promisify, stripVTControlCharacters } from 'node:util';

const run = promisify(execFile);
/** So many lines of what npm printed say what went wrong. */
const LINES_TOLD = 12;

/**
 * Runs npm in a folder.
 *
 * @throws Error that says what npm was to do, and what it printed to stderr
 */
export async function npm(folder: string, args: readonly string[], env = process.env): Promise<void> {
  await run('npm', ['--loglevel=error', ...args], { cwd: folder, env }).catch((error: unknown) => {
    const { stderr } = error as { readonly stderr?: string };
    const lines = stripVTControlCharacters(stderr ?? String(error))
      .trim()
      .split('\n');
    throw new Error(`"npm ${args.join(' ')}" failed: ${lines.slice(0, LINES_TOLD).join('\n  ')}`, { cause: error });
  });
}

/** Installs packages into a folder that has a package.json. */
export async function npmInstall(folder: string, packages: readonly string[], env = process.env): Promise<void> {
  await npm(folder, ['install', '--no-audit', '--no-fund', '--prefer-offline', ...packages], env);
}
