import type { IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { posix } from 'node:path';
import type Dockerode from 'dockerode';
import tar from 'tar-stream';
import { statusOf } from './docker.ts';

export const DATA_FOLDER = '/data';
/** Where writes go, unless the file is rewritten, which it is only from 64 MB on: since Redis 7.0, and before. */
const APPEND_ONLY_FILES = [
  `${DATA_FOLDER}/appendonlydir/appendonly.aof.1.incr.aof`,
  `${DATA_FOLDER}/appendonly.aof`,
] as const;

/** What Docker says of a file in a container, in the header of an answer. */
const STAT_HEADER = 'x-docker-container-path-stat';

/** The append-only file that the server in the container writes to; null if there is none. */
export async function findAppendOnlyFile(container: Dockerode.Container): Promise<string | null> {
  for (const path of APPEND_ONLY_FILES) if ((await sizeOf(container, path)) !== null) return path;
  return null;
}

/** The size of a file in the container, which may run, in bytes; null if it is not there. */
export async function sizeOf(container: Dockerode.Container, path: string): Promise<number | null> {
  try {
    const answer = (await container.infoArchive({ path })) as unknown as IncomingMessage;
    // Until it is read to its end, though that is empty, it keeps its connection, and that keeps this process alive.
    answer.resume();
    const stat = Buffer.from(String(answer.headers[STAT_HEADER]), 'base64').toString();
    return (JSON.parse(stat) as { readonly size: number }).size;
  } catch (error) {
    if (statusOf(error) === 404) return null;
    throw error;
  }
}

/** Cuts a file in the container, which is stopped, to the given size. Whose it is and who may read it stays the same. */
export async function truncateFile(container: Dockerode.Container, path: string, bytes: number): Promise<void> {
  const archive = Readable.from(await container.getArchive({ path }));
  const extract = tar.extract();
  const pack = tar.pack();
  extract.on('entry', (header, stream, next) => {
    buffer(stream).then(
      (content) => {
        const kept = content.subarray(0, bytes);
        pack.entry({ ...header, size: kept.length }, kept);
        next();
      },
      (error: unknown) => {
        next(error as Error);
      },
    );
  });
  await pipeline(archive, extract);
  pack.finalize();
  await container.putArchive(Readable.from(pack), { path: posix.dirname(path) });
}
