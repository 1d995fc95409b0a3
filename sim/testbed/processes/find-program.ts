import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where a program is: the path that a setting names, or the first of these names on the PATH; null if it is not there. */
export function findProgram(setting: string | undefined, names: readonly string[]): string | null {
  if (setting !== undefined && setting !== '') return isExecutable(setting) ? setting : null;
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    for (const name of names) if (isExecutable(join(folder, name))) return join(folder, name);
  }
  return null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
