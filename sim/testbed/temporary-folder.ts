import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestbedUnavailableError } from './testbed-error.ts';

/** What to do where programs find no space for their temporary files. */
export const SPACE_REMEDY = 'free some space there, or name another folder in TMPDIR';

/** A new folder for temporary files; its name begins with `prefix`. Throws a TestbedUnavailableError if there can be none. */
export function makeTemporaryFolder(prefix: string): string {
  return inTemporaryFolder(() => mkdtempSync(join(tmpdir(), prefix)));
}

/** What `write` returns, which writes only there; an error of the file system becomes a TestbedUnavailableError that names the folder. */
export function inTemporaryFolder<Result>(write: () => Result): Result {
  try {
    return write();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === undefined) throw cause;
    const folder = `the folder for temporary files, ${tmpdir()},`;
    if (code === 'ENOSPC' || code === 'EDQUOT') {
      throw new TestbedUnavailableError(`${folder} is full`, SPACE_REMEDY, { cause });
    }
    const remedy = 'name a folder in TMPDIR that is there, and that this user may write to';
    throw new TestbedUnavailableError(`${folder} cannot be written (${code})`, remedy, { cause });
  }
}
