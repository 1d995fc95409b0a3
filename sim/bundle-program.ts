import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { writing } from './results/output-error.ts';

/**
 * Bundles the program of another process or thread into one file: it starts quickly, and runs faster than what tsx makes of each module. Rejects with
 * an OutputError if the file cannot be written.
 */
export async function bundleProgram(entry: URL, outfile: string): Promise<void> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(entry)],
    // What esbuild writes itself fails with an error that does not tell a full disk from a mistake in the program.
    write: false,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    sourcemap: 'inline',
    // ioredis is CommonJS, and asks for Node's modules by `require`.
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    logLevel: 'silent',
  });
  writing(outfile, () => {
    for (const { contents } of outputFiles) writeFileSync(outfile, contents);
  });
}
