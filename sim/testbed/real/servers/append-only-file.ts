import { setTimeout } from 'node:timers/promises';

/** Since Redis 7.0 the file is one of several, of which the newest grows; this one names them. */
const MANIFEST = 'appendonlydir/appendonly.aof.manifest';
const BEFORE_REDIS_7 = 'appendonly.aof';

/** The files of a server's data, by their paths in its folder. */
export interface DataFolder {
  /** Null if there is no such file. */
  read(path: string): Promise<string | null>;
  /** In bytes, of a server that may run; null if there is no such file. */
  sizeOf(path: string): Promise<number | null>;
  /** Leaves no more than the first bytes of a file. */
  truncate(path: string, bytes: number): Promise<void>;
}

interface Look {
  readonly path: string;
  readonly atMs: number;
  readonly bytes: number;
}

/** The append-only file of a server that is to lose power: it is watched, so that what was not synced can be taken away. */
export class AppendOnlyFile {
  private readonly folder: DataFolder;
  private readonly lookEveryMs: number;
  /** Oldest first. */
  private looks: Look[] = [];
  private isLooking = false;
  private looking: Promise<void> = Promise.resolve();
  private lookError: unknown = null;
  private stoppedMs = 0;

  constructor(folder: DataFolder, lookEveryMs: number) {
    this.folder = folder;
    this.lookEveryMs = lookEveryMs;
  }

  /**
   * Watches how long the file is, while the server runs. Resolves once it was looked at: whoever writes earlier could not be told from what the
   * file began with, and would not be lost.
   */
  async watch(): Promise<void> {
    this.isLooking = true;
    await new Promise<void>((resolve) => {
      this.looking = this.keepLooking(resolve)
        .catch((error: unknown) => {
          this.lookError = error;
        })
        .finally(resolve);
    });
  }

  /** Resolves once nobody looks any more. */
  async endWatch(): Promise<void> {
    this.isLooking = false;
    await this.looking;
  }

  /** The server writes no more from now on. */
  noteStop(): void {
    this.stoppedMs = performance.now();
  }

  /** Cuts off what was written in the last `lastMs` milliseconds before the server stopped. Rejects if the file is not there, or could not be watched. */
  async loseUnsynced(lastMs: number): Promise<void> {
    if (this.lookError !== null) throw this.lookError as Error;
    const path = await this.find();
    const sinceMs = this.stoppedMs - lastMs;
    const looks = this.looks.filter((look) => look.path === path);
    // The last length that was surely reached by then; the file as it began, if it is younger.
    const kept = looks.findLast(({ atMs }) => atMs <= sinceMs) ?? looks[0];
    if (kept === undefined) throw new Error(`a power loss has nothing to cut: ${path ?? MANIFEST} was never seen`);
    await this.folder.truncate(kept.path, kept.bytes);
    // From here it grows again, and how long it was before counts no more.
    this.looks = [{ ...kept, atMs: this.stoppedMs }];
  }

  private async keepLooking(onLook: () => void): Promise<void> {
    let path: string | null = null;
    while (this.isLooking) {
      // When it is rewritten, another one takes its place, and it goes.
      path ??= await this.find();
      const bytes = path === null ? null : await this.folder.sizeOf(path);
      // By the time of the answer it had been that long already.
      if (path !== null && bytes !== null) this.looks.push({ path, atMs: performance.now(), bytes });
      else path = null;
      onLook();
      // It must keep the process alive: whoever ends the watch waits for it.
      await setTimeout(this.lookEveryMs);
    }
  }

  /** The file that grows; null without any. */
  private async find(): Promise<string | null> {
    const manifest = await this.folder.read(MANIFEST);
    if (manifest === null) return (await this.folder.sizeOf(BEFORE_REDIS_7)) === null ? null : BEFORE_REDIS_7;
    const newest = [...manifest.matchAll(/^file (\S+) seq \d+ type i\b/gm)].at(-1)?.[1];
    return newest === undefined ? null : `${MANIFEST.slice(0, MANIFEST.indexOf('/'))}/${newest}`;
  }
}
