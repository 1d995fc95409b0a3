import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

/** Bundles the program of a client process into one file, so that many of them start quickly; returns its path. */
export async function buildClientProgram(folder: string): Promise<string> {
  const outfile = join(folder, 'client.mjs');
  await build({
    entryPoints: [fileURLToPath(new URL('client-main.ts', import.meta.url))],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    // ioredis is CommonJS, and asks for Node's modules by `require`.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'silent',
  });
  return outfile;
}
