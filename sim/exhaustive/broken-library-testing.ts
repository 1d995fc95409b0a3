import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type LockMaker, type Parts, REAL_PARTS } from './settings.ts';

/** A change to the library: in this file of `src/`, this text becomes that one. */
export interface Patch {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

const SOURCE = fileURLToPath(new URL('../../src/', import.meta.url));

/** The library with patches, bundled apart from the real one. Throws if a patch does not fit, so that no test runs the library unharmed. */
export async function brokenLibrary(...patches: readonly Patch[]): Promise<Parts> {
  const applied = new Set<Patch>();
  const bundle = await build({
    entryPoints: [`${SOURCE}redlock.ts`],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    plugins: [
      {
        name: 'patches',
        setup: (hooks) => {
          // Nobody connects to servers here.
          hooks.onResolve({ filter: /^ioredis$/ }, () => ({ path: 'ioredis', namespace: 'none' }));
          hooks.onLoad({ filter: /./, namespace: 'none' }, () => ({
            contents: 'export const Redis = null, Cluster = null;',
          }));
          hooks.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
            let contents = await readFile(path, 'utf8');
            for (const patch of patches) {
              if (path !== SOURCE + patch.file || !contents.includes(patch.from)) continue;
              contents = contents.replace(patch.from, patch.to);
              applied.add(patch);
            }
            return { contents, loader: 'ts' };
          });
        },
      },
    ],
  });
  const misfit = patches.find((patch) => !applied.has(patch));
  if (misfit !== undefined) throw new Error(`src/${misfit.file} does not contain: ${misfit.from}`);
  const code = bundle.outputFiles[0]?.text ?? '';
  const { Redlock } = (await import(`data:text/javascript,${encodeURIComponent(code)}`)) as {
    Redlock: new (...options: Parameters<Parts['makeRedlock']>) => LockMaker;
  };
  return { ...REAL_PARTS, makeRedlock: (nodes, options) => new Redlock(nodes, options) };
}
