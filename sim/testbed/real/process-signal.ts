import { readFileSync } from 'node:fs';

/** Sends the signal, and waits until the kernel says that the process is stopped, or that it is not. */
export async function signalAndSee(pid: number, signal: 'SIGSTOP' | 'SIGCONT', stopped: boolean): Promise<void> {
  process.kill(pid, signal);
  for (let looks = 0; isStopped(pid) !== stopped; looks += 1) {
    if (looks > 1000) throw new Error(`process ${pid} did not obey ${signal}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Linux tells the state of a process behind its name in /proc/<pid>/stat: T is stopped. */
function isStopped(pid: number): boolean {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  return text.slice(text.lastIndexOf(')') + 2).startsWith('T');
}
