import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** Something that must not outlive the run: a process, a folder, or what only a module knows how to remove. */
export type Remains = { readonly pid: number } | { readonly folder: string } | ModuleRemains;

/** What the function `removeRemains` of a module of plain JavaScript removes. */
export interface ModuleRemains {
  /** The URL of its file. */
  readonly module: string;
  /** What the function is given; it travels as JSON. */
  readonly argument: unknown;
}

let reaper: ChildProcess | null = null;

/** Has these removed when this process is gone, however it went: by Ctrl-C, by a crash, or killed. */
export function watchRemains(remains: Remains): void {
  tell({ watch: remains });
}

/** What was removed in good order is nobody's business any more; its number may soon be somebody else's. */
export function forgetRemains(remains: Remains): void {
  tell({ forget: remains });
}

/** Has these removed from now on, by a process that goes on trying for some minutes when this one is gone. */
export function leaveRemains(remains: ModuleRemains): void {
  tell({ leave: remains });
}

function tell(message: object): void {
  reaper ??= startReaper();
  reaper.stdin?.write(`${JSON.stringify(message)}\n`);
}

/** In a process group of its own, so that what ends this process does not end it too. Its input closes when this process does. */
function startReaper(): ChildProcess {
  const child = spawn(process.execPath, [fileURLToPath(new URL('reaper-main.mjs', import.meta.url))], {
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  child.unref();
  // Without it a run goes on: it is for the worst case.
  child.on('error', () => undefined);
  child.stdin.on('error', () => undefined);
  (child.stdin as unknown as { unref?: () => void } | null)?.unref?.();
  return child;
}
