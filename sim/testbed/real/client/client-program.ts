import { join } from 'node:path';
import { bundleProgram } from '../../../bundle-program.ts';

/** Bundles the program of a client process, so that many of them start quickly; returns its path. */
export async function buildClientProgram(folder: string): Promise<string> {
  const outfile = join(folder, 'client.mjs');
  await bundleProgram(new URL('client-main.ts', import.meta.url), outfile);
  return outfile;
}
