import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, expect, it } from 'vitest';

const folder = mkdtempSync(join(tmpdir(), 'distrilock-reaper-'));
const started: number[] = [];

afterAll(() => {
  for (const pid of started) if (isRunning(pid)) process.kill(pid, 'SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** A process that starts others, has them watched, and says who they are. */
async function parent(code: string): Promise<{ process: ChildProcess; pids: number[] }> {
  const reaper = JSON.stringify(fileURLToPath(new URL('reaper.ts', import.meta.url)));
  const program = `
    import { spawn } from 'node:child_process';
    import { forgetRemains, leaveRemains, watchRemains } from ${reaper};
    const start = () => spawn(process.execPath, ['-e', 'setInterval(() => 0, 1000)'], { stdio: 'ignore', detached: true }).pid;
    const tell = (...pids) => console.log(JSON.stringify(pids));
    ${code}
  `;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string];
  const pids = JSON.parse(line) as number[];
  started.push(...pids, child.pid ?? 0);
  return { process: child, pids };
}

it.concurrent(
  'ends the processes and removes the folders of a process that is killed, but for those that were forgotten',
  async () => {
    const [kept, watched] = ['kept', 'watched'].map((name) => join(folder, name)) as [string, string];
    for (const path of [kept, watched]) mkdirSync(path);
    writeFileSync(join(watched, 'file'), '');
    const { process: run, pids } = await parent(`
    const pids = [start(), start(), start()];
    for (const pid of pids) watchRemains({ pid });
    for (const folder of ${JSON.stringify([kept, watched])}) watchRemains({ folder });
    forgetRemains({ pid: pids[0] });
    forgetRemains({ folder: ${JSON.stringify(kept)} });
    tell(...pids);
    setInterval(() => 0, 1000);
  `);
    const [keptPid = 0, ...watchedPids] = pids;
    expect(pids.every(isRunning)).toBe(true);
    run.kill('SIGKILL');
    // Folders go last.
    await until(() => !existsSync(watched) && !watchedPids.some(isRunning));
    expect(isRunning(keptPid)).toBe(true);
    expect(existsSync(kept)).toBe(true);
  },
);

/** A module that removes remains: it fails until it has been asked so often, and writes down every time. */
function moduleThatFails(name: string, times: number): string {
  const file = join(folder, `${name}.mjs`);
  writeFileSync(
    file,
    `import { appendFileSync, readFileSync } from 'node:fs';
     export async function removeRemains({ log }) {
       appendFileSync(log, 'asked\\n');
       if (readFileSync(log, 'utf8').split('\\n').length - 1 <= ${times}) throw new Error('out of order');
       appendFileSync(log, 'removed\\n');
     }`,
  );
  return pathToFileURL(file).href;
}

function lines(path: string): string[] {
  return existsSync(path) ? readFileSync(path, 'utf8').trimEnd().split('\n') : [];
}

it.concurrent('removes by a module what only that can, and tries again where that fails', async () => {
  const [watched, forgotten] = ['watched.log', 'forgotten.log'].map((name) => join(folder, name)) as [string, string];
  const last = join(folder, 'last');
  mkdirSync(last);
  const module = JSON.stringify(moduleThatFails('fails-twice', 2));
  const { process: run } = await parent(`
    watchRemains({ folder: ${JSON.stringify(last)} });
    for (const log of ${JSON.stringify([watched, forgotten])}) watchRemains({ module: ${module}, argument: { log } });
    forgetRemains({ module: ${module}, argument: { log: ${JSON.stringify(forgotten)} } });
    tell();
    setInterval(() => 0, 1000);
  `);
  expect(lines(watched)).toEqual([]);
  run.kill('SIGKILL');
  await until(() => !existsSync(last));
  expect(lines(watched)).toEqual(['asked', 'asked', 'asked', 'removed']);
  expect(lines(forgotten)).toEqual([]);
});

it.concurrent('removes what is left to it while the process goes on, once', async () => {
  const log = join(folder, 'left.log');
  const last = join(folder, 'last-of-left');
  mkdirSync(last);
  const remains = JSON.stringify({ module: moduleThatFails('fails-once', 1), argument: { log } });
  const { process: run } = await parent(`
    watchRemains({ folder: ${JSON.stringify(last)} });
    watchRemains(${remains});
    leaveRemains(${remains});
    tell();
    setInterval(() => 0, 1000);
  `);
  await until(() => lines(log).includes('removed'));
  expect(isRunning(run.pid ?? 0)).toBe(true);
  run.kill('SIGKILL');
  await until(() => !existsSync(last));
  expect(lines(log)).toEqual(['asked', 'asked', 'removed']);
});

it.concurrent('does not keep a process alive that is done, nor what it has watched', async () => {
  const { process: run, pids } = await parent(`
    const pid = start();
    watchRemains({ pid });
    tell(pid);
    for (const handle of process._getActiveHandles()) handle.unref?.();
  `);
  await once(run, 'exit');
  await until(() => !pids.some(isRunning));
});

it.concurrent('that is killed itself is missed by nobody', async () => {
  const { process: run } = await parent(`
    import { readdirSync, readFileSync } from 'node:fs';
    const pid = start();
    watchRemains({ pid });
    const reaper = readdirSync('/proc').find((name) => {
      try {
        return readFileSync('/proc/' + name + '/cmdline', 'utf8').includes('reaper-main') &&
          new RegExp('\\\\) . ' + process.pid + ' ').test(readFileSync('/proc/' + name + '/stat', 'utf8'));
      } catch {
        return false;
      }
    });
    process.kill(Number(reaper), 'SIGKILL');
    while (!/\\) Z/.test(readFileSync('/proc/' + reaper + '/stat', 'utf8'))) {}
    forgetRemains({ pid });
    await new Promise((resolve) => setTimeout(resolve, 50));
    watchRemains({ pid });
    await new Promise((resolve) => setTimeout(resolve, 50));
    tell(pid);
    process.exit(7);
  `);
  expect(run.exitCode ?? (await once(run, 'exit'))[0]).toBe(7);
});
