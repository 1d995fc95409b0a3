import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, type Plugin } from 'esbuild';
import { type Mutant, patchedText, PatchError } from './mutant.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const LIBRARY = resolve(ROOT, 'src');
const REFERENCE = 'reference';

/** What the testbed takes from the library that it tries; all else that it imports from `src/` are rules by which it judges. */
const UNDER_TEST = new Set(['redlock.ts', 'retry.ts', 'errors.ts'].map((name) => resolve(LIBRARY, name)));

/** The library as it is. */
export const UNCHANGED: Mutant = { name: 'unchanged', broken: 'nothing', patches: [] };

/**
 * Bundles the search together with a library that is broken as the mutant says, and returns the text of the program, for a worker thread. The testbed's
 * own arithmetic (what a quorum is, how long a lock is valid) comes from a second, unchanged copy of the library: a mutant must not
 * move the rule by which it is judged. Throws a PatchError where a patch does not fit.
 */
export async function buildSearchProgram(mutant: Mutant): Promise<string> {
  const texts = new Map<string, string>();
  for (const { file } of mutant.patches) {
    const path = resolve(ROOT, file);
    texts.set(path, patchedText(mutant, file, await readFile(path, 'utf8')));
  }
  const used = new Set<string>();
  const result = await build({
    entryPoints: [fileURLToPath(new URL('worker-main.ts', import.meta.url))],
    bundle: true,
    write: false,
    platform: 'node',
    // A worker runs text as CommonJS.
    format: 'cjs',
    target: 'node20',
    logLevel: 'silent',
    plugins: [mutation(texts, used)],
  });
  for (const path of texts.keys()) {
    if (!used.has(path)) {
      throw new PatchError(
        `The mutant ${mutant.name} patches ${path}, which the search does not load. Patch what it runs.`,
      );
    }
  }
  // Nothing is written: esbuild returns the one file that it made.
  return (result.outputFiles[0] as { readonly text: string }).text;
}

function mutation(texts: ReadonlyMap<string, string>, used: Set<string>): Plugin {
  return {
    name: 'mutation',
    setup(bundle) {
      bundle.onResolve({ filter: /^\..*\.ts$/ }, ({ path, importer, namespace }) => {
        const target = resolve(dirname(importer), path);
        if (dirname(target) !== LIBRARY) return null;
        const isReference = namespace === REFERENCE || (dirname(importer) !== LIBRARY && !UNDER_TEST.has(target));
        return { path: target, namespace: isReference ? REFERENCE : 'file' };
      });
      bundle.onLoad({ filter: /.*/, namespace: REFERENCE }, async ({ path }) => ({
        contents: await readFile(path, 'utf8'),
        loader: 'ts',
        resolveDir: dirname(path),
      }));
      bundle.onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const contents = texts.get(path);
        if (contents === undefined) return null;
        used.add(path);
        return { contents, loader: 'ts' };
      });
    },
  };
}
