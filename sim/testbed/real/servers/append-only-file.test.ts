import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it } from 'vitest';
import { AppendOnlyFile, type DataFolder } from './append-only-file.ts';

const MANIFEST = 'appendonlydir/appendonly.aof.manifest';

function manifest(...increments: readonly number[]): string {
  const lines = increments.map((number) => `file appendonly.aof.${number}.incr.aof seq ${number} type i\n`);
  return `file appendonly.aof.1.base.rdb seq 1 type b\n${lines.join('')}`;
}

function increment(number: number): string {
  return `appendonlydir/appendonly.aof.${number}.incr.aof`;
}

/** Files that are only as long as they are; each look at one is heard of. */
class FakeFolder implements DataFolder {
  readonly files = new Map<string, string>();
  failure: Error | null = null;
  private looked: () => void = () => undefined;

  read(path: string): Promise<string | null> {
    return Promise.resolve(this.files.get(path) ?? null);
  }

  sizeOf(path: string): Promise<number | null> {
    this.looked();
    if (this.failure !== null) return Promise.reject(this.failure);
    return Promise.resolve(this.files.get(path)?.length ?? null);
  }

  truncate(path: string, bytes: number): Promise<void> {
    this.files.set(path, this.files.get(path)?.slice(0, bytes) ?? '');
    return Promise.resolve();
  }

  /** Resolves once the file was looked for, looked at, and looked at again: then what the first look found is noted. */
  async seen(): Promise<void> {
    for (let looks = 0; looks < 3; looks += 1) await new Promise<void>((resolve) => (this.looked = resolve));
  }
}

describe('AppendOnlyFile', () => {
  let folder: FakeFolder;
  let file: AppendOnlyFile;

  beforeEach(() => {
    folder = new FakeFolder();
    file = new AppendOnlyFile(folder, 1);
  });

  /** Writes this, and waits until it was seen; returns when it was written at the latest. */
  async function write(path: string, text: string): Promise<number> {
    folder.files.set(path, text);
    await folder.seen();
    return performance.now();
  }

  async function stop(): Promise<number> {
    await file.endWatch();
    file.noteStop();
    return performance.now();
  }

  it.each([
    { since: 'since Redis 7.0', path: increment(1), others: { [MANIFEST]: manifest(1) } },
    { since: 'before', path: 'appendonly.aof', others: {} },
  ])('loses what was written last, $since', async ({ path, others }) => {
    for (const [name, text] of Object.entries(others)) folder.files.set(name, text);
    folder.files.set(path, '');
    await file.watch();
    const oldMs = await write(path, 'old');
    await write(path, 'old young');
    const stoppedMs = await stop();
    await file.loseUnsynced(stoppedMs - oldMs);
    expect(folder.files.get(path)).toBe('old');
  });

  it.each([
    { what: 'nothing that was written before', lastMs: 0, left: 'first second' },
    { what: 'no more than was written since it began', lastMs: 1_000_000_000, left: 'first' },
  ])('loses $what', async ({ lastMs, left }) => {
    folder.files.set('appendonly.aof', 'first');
    await file.watch();
    await folder.seen();
    await write('appendonly.aof', 'first second');
    await stop();
    await file.loseUnsynced(lastMs);
    expect(folder.files.get('appendonly.aof')).toBe(left);
  });

  it('takes the newest file, and remembers only how long that was', async () => {
    folder.files.set(MANIFEST, manifest(9));
    folder.files.set(increment(9), 'long, long ago');
    await file.watch();
    await folder.seen();
    // The server has rewritten it.
    folder.files.set(MANIFEST, manifest(9, 10));
    folder.files.set(increment(10), 'new');
    folder.files.delete(increment(9));
    await folder.seen();
    const newMs = await write(increment(10), 'new');
    await write(increment(10), 'new young');
    const stoppedMs = await stop();
    await file.loseUnsynced(stoppedMs - newMs);
    expect(folder.files.get(increment(10))).toBe('new');
  });

  it('forgets how long it was before the last power loss', async () => {
    folder.files.set('appendonly.aof', '');
    await file.watch();
    const oldMs = await write('appendonly.aof', 'old');
    await write('appendonly.aof', 'old young');
    const stoppedMs = await stop();
    await file.loseUnsynced(stoppedMs - oldMs);
    await file.watch();
    await write('appendonly.aof', 'old younger');
    const againMs = await stop();
    // So short a time after the first stop, no length of this life is older.
    await file.loseUnsynced(againMs - stoppedMs);
    expect(folder.files.get('appendonly.aof')).toBe('old');
  });

  it('was looked at before its watch has begun, however long that takes: what was written then is known to be there', async () => {
    folder.files.set('appendonly.aof', '');
    let answer: () => void = () => undefined;
    const slow = new Promise<void>((resolve) => (answer = resolve));
    const look = folder.sizeOf.bind(folder);
    folder.sizeOf = async (path) => {
      await slow;
      return look(path);
    };
    let isWatched = false;
    const watching = file.watch().then(() => (isWatched = true));
    await new Promise((resolve) => setImmediate(resolve));
    expect(isWatched).toBe(false);
    answer();
    await watching;
    await write('appendonly.aof', 'vote');
    await stop();
    await file.loseUnsynced(1_000_000_000);
    expect(folder.files.get('appendonly.aof')).toBe('');
  });

  it('tells that there is no file from which anything could be lost', async () => {
    await file.watch();
    await folder.seen();
    await stop();
    await expect(file.loseUnsynced(1000)).rejects.toThrow('a power loss has nothing to cut');
  });

  it('is waited for when its watch ends, although nothing else keeps the process alive', async () => {
    const module = JSON.stringify(fileURLToPath(new URL('append-only-file.ts', import.meta.url)));
    const program = `
      import { AppendOnlyFile } from ${module};
      const nothing = { read: async () => null, sizeOf: async () => null, truncate: async () => undefined };
      const file = new AppendOnlyFile(nothing, 50);
      await file.watch();
      await file.endWatch();
      console.log('ended');
    `;
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--import',
      'tsx',
      '--input-type=module',
      '-e',
      program,
    ]);
    expect(stdout).toBe('ended\n');
  });

  it('tells that it could not be watched', async () => {
    folder.files.set('appendonly.aof', '');
    folder.failure = new Error('no disk');
    await file.watch();
    await stop();
    await expect(file.loseUnsynced(0)).rejects.toThrow('no disk');
  });
});
