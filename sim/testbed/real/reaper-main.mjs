// The program of the reaper: it reads what a run has started, line by line, and ends what is left of it when the run is gone.
import { rmSync } from 'node:fs';
import { createInterface } from 'node:readline';

const processes = new Set();
const folders = new Set();
const labels = new Map();

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const { watch, forget } = JSON.parse(line);
    if (watch?.pid !== undefined) processes.add(watch.pid);
    if (watch?.folder !== undefined) folders.add(watch.folder);
    if (watch?.label !== undefined) labels.set(watch.label, watch.docker);
    if (forget?.pid !== undefined) processes.delete(forget.pid);
    if (forget?.folder !== undefined) folders.delete(forget.folder);
    if (forget?.label !== undefined) labels.delete(forget.label);
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
    try {
      if (labels.size > 0) await removeContainers();
    } finally {
      // Last, for Docker makes the folder of a container that it starts.
      for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  });

async function removeContainers() {
  // Loaded only when it is needed: most runs leave no containers.
  const { removeRemains } = await import('./container-remains.mjs');
  await Promise.all([...labels].map(([label, docker]) => removeRemains(docker, label)));
}

// Ctrl-C on a terminal reaches everybody; the reaper stays until the run is gone.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('SIGHUP', () => undefined);
