import { readFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { DataFolder } from '../real/servers/append-only-file.ts';

/** The data of a server of this machine. */
export class LocalFolder implements DataFolder {
  private readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  read(path: string): Promise<string | null> {
    return nullIfMissing(() => readFile(join(this.folder, path), 'utf8'));
  }

  sizeOf(path: string): Promise<number | null> {
    return nullIfMissing(async () => (await stat(join(this.folder, path))).size);
  }

  async truncate(path: string, bytes: number): Promise<void> {
    const size = await this.sizeOf(path);
    if (size !== null && size > bytes) await truncate(join(this.folder, path), bytes);
  }
}

async function nullIfMissing<Result>(read: () => Promise<Result>): Promise<Result | null> {
  try {
    return await read();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
