// The program of the reaper: it reads what a run has started, line by line, and ends what is left of it when the run is gone.
import { rmSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';

const FIRST_PAUSE_MS = 200;
const LONGEST_PAUSE_MS = 5000;
const TRY_FOR_MS = 300_000;

const processes = new Set();
const folders = new Set();
const modules = new Map();
const removals = [];

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const { watch, forget, leave } = JSON.parse(line);
    if (watch?.pid !== undefined) processes.add(watch.pid);
    if (watch?.folder !== undefined) folders.add(watch.folder);
    if (watch?.module !== undefined) modules.set(JSON.stringify(watch), watch);
    if (forget?.pid !== undefined) processes.delete(forget.pid);
    if (forget?.folder !== undefined) folders.delete(forget.folder);
    modules.delete(JSON.stringify(forget));
    if (leave !== undefined) {
      modules.delete(JSON.stringify(leave));
      removals.push(remove(leave));
    }
  })
  .on('close', async () => {
    // Its whole group first, if it began one.
    for (const pid of [...processes].flatMap((pid) => [-pid, pid])) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // It has ended by itself.
      }
    }
    await Promise.all([...removals, ...[...modules.values()].map(remove)]);
    // Last, for Docker makes the folder of a container that it starts.
    for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

/** Tries again for a while: what removes the remains may itself be out of order just now, and be the reason why they are left. */
async function remove({ module, argument }) {
  const endMs = performance.now() + TRY_FOR_MS;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      // Loaded only when it is needed: most runs leave nothing of the kind.
      const { removeRemains } = await import(module);
      await removeRemains(argument);
      return;
    } catch {
      if (performance.now() > endMs) return;
      await setTimeout(pauseMs);
    }
  }
}

// Ctrl-C on a terminal reaches everybody; the reaper stays until the run is gone.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('SIGHUP', () => undefined);
