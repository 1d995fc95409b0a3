import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';

/** Processes that work in this folder, or have it for temporary files. Redis writes over its environment, but works where its data are. */
export function processesIn(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && belongsTo(pid, folder));
}

/** What runs left in it. */
export function foldersIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.startsWith('distrilock-'));
}

/** Resolves once nothing is left; rejects with what is left after so many milliseconds. */
export async function untilNothingLeft(folder: string, withinMs: number): Promise<void> {
  const endMs = performance.now() + withinMs;
  for (;;) {
    const processes = processesIn(folder);
    const folders = foldersIn(folder);
    if (processes.length + folders.length === 0) return;
    if (performance.now() > endMs) {
      throw new Error(`left behind: processes ${processes.join(', ')}; folders ${folders.join(', ')}`);
    }
    // Nobody tells of a process that is not one's own child.
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function belongsTo(pid: number, folder: string): boolean {
  try {
    if (readlinkSync(join('/proc', String(pid), 'cwd')).startsWith(`${folder}/`)) return true;
    return readFileSync(join('/proc', String(pid), 'environ'), 'utf8')
      .split('\0')
      .includes(`TMPDIR=${folder}`);
  } catch {
    // It has ended meanwhile, or is somebody else's.
    return false;
  }
}
