import { execFile } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const INSTALLED = '/node_modules/';

interface Coverage {
  readonly result: readonly { readonly url: string }[];
}

/**
 * Which installed files a fresh process loads for one import. V8 is asked, whose coverage names every script that it compiled, whatever loaded it.
 *
 * @param project folder of a project, whose `node_modules` are looked into
 * @param specifier what is imported: `distrilock`
 * @param how by `import` or by `require`
 * @returns paths below `node_modules`, sorted: `ioredis/built/index.js`
 */
export async function loadedFiles(project: string, specifier: string, how: 'import' | 'require'): Promise<string[]> {
  const directory = await mkdtemp(join(tmpdir(), 'distrilock-coverage-'));
  try {
    const load = `${how}(${JSON.stringify(specifier)})`;
    const args =
      how === 'import' ? ['--input-type=module', '-e', `await ${load}`] : ['--input-type=commonjs', '-e', load];
    await run(process.execPath, args, { cwd: project, env: { ...process.env, NODE_V8_COVERAGE: directory } });
    const files = new Set<string>();
    for (const name of await readdir(directory)) {
      const { result } = JSON.parse(await readFile(join(directory, name), 'utf8')) as Coverage;
      for (const { url } of result) {
        if (!url.startsWith('file:') || !url.includes(INSTALLED)) continue;
        const path = fileURLToPath(url);
        files.add(path.slice(path.lastIndexOf(INSTALLED) + INSTALLED.length));
      }
    }
    return [...files].sort();
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
