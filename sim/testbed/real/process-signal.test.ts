import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { stopLack } from './capabilities.ts';
import { signalAndSee } from './process-signal.ts';

const lack = stopLack('a client');
let child: ChildProcess;

beforeEach(() => {
  child = spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)'], { stdio: 'ignore' });
});

afterEach(() => {
  child.kill('SIGKILL');
});

function stateOf(pid: number): string {
  return /\) (.)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1] ?? '';
}

it.skipIf(lack !== null)(
  `a process is stopped, and goes on, when it is said to${lack === null ? '' : `: ${lack}`}`,
  async () => {
    const pid = child.pid ?? 0;
    for (let round = 0; round < 20; round += 1) {
      await signalAndSee(pid, 'SIGSTOP', true);
      expect(stateOf(pid)).toBe('T');
      await signalAndSee(pid, 'SIGCONT', false);
      expect(stateOf(pid)).not.toBe('T');
    }
  },
);

it.skipIf(lack !== null)(`a process that has ended cannot be stopped${lack === null ? '' : `: ${lack}`}`, async () => {
  const pid = child.pid ?? 0;
  child.kill('SIGKILL');
  await once(child, 'exit');
  await expect(signalAndSee(pid, 'SIGSTOP', true)).rejects.toThrow('ESRCH');
});
