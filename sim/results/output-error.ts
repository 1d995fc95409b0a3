/** Results could not be written. The message names the file and the remedy. */
export class OutputError extends Error {
  readonly file: string;
  /** What is wrong with it, and the remedy. */
  readonly problem: string;

  constructor(file: string, problem: string, options?: ErrorOptions) {
    super(`${file}: ${problem}`, options);
    this.name = 'OutputError';
    this.file = file;
    this.problem = problem;
  }
}

/** What `write` returns; an error of the file system becomes an OutputError about `file`. */
export function writing<Result>(file: string, write: () => Result): Result {
  try {
    return write();
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === undefined) throw cause;
    throw new OutputError(file, problemOf(code), { cause });
  }
}

function problemOf(code: string): string {
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
      return 'the disk is full; free some space, or write somewhere else';
    case 'EACCES':
    case 'EPERM':
      return 'must not be written by this user; change the permissions, or write somewhere else';
    case 'EROFS':
      return 'is on a file system that cannot be written; write somewhere else';
    case 'ENOTDIR':
    case 'EEXIST':
      return 'a file stands where a folder must be; remove it, or write somewhere else';
    case 'EISDIR':
    case 'ERR_FS_EISDIR':
      return 'a folder stands where a file must be; remove it, or write somewhere else';
    case 'ELOOP':
      return 'its symbolic links lead in a circle; write somewhere else';
    case 'ENAMETOOLONG':
      return 'is too long a path; write somewhere else';
    default:
      return `cannot be written (${code}); write somewhere else`;
  }
}
