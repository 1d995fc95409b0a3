import { readFileSync } from 'node:fs';

/** A process that nothing holds up obeys at once; on a busy machine it may have to wait for its turn. */
const OBEYS_WITHIN_MS = 10_000;

/** Sends the signal, and waits until the kernel says that the process is stopped, or that it is not. */
export async function signalAndSee(pid: number, signal: 'SIGSTOP' | 'SIGCONT', stopped: boolean): Promise<void> {
  process.kill(pid, signal);
  const untilMs = performance.now() + OBEYS_WITHIN_MS;
  for (let state = stateOf(pid); (state === STOPPED) !== stopped; state = stateOf(pid)) {
    if (state === ENDED) throw new Error(`process ${pid} has ended, and cannot be sent ${signal}`);
    if (performance.now() > untilMs) throw new Error(`process ${pid} did not obey ${signal}`);
    // Nobody tells who is no parent: one has to look.
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Kills all that is left of the process group that this process began. */
export function killGroup(pid: number): void {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left.
  }
}

const STOPPED = 'T';
const ENDED = 'Z';

/** Linux tells the state of a process behind its name in /proc/<pid>/stat. */
export function stateOf(pid: number): string {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.charAt(text.lastIndexOf(')') + 2);
}
