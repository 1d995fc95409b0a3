import type { IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { posix } from 'node:path';
import type Dockerode from 'dockerode';
import tar from 'tar-stream';
import { statusOf } from './docker.ts';

/** What Docker says of a file in a container, in the header of an answer. */
const STAT_HEADER = 'x-docker-container-path-stat';

/** The size of a file in the container, which may run, in bytes; null if it is not there. */
export async function sizeOf(container: Dockerode.Container, path: string): Promise<number | null> {
  return nullIfMissing(async () => {
    const answer = (await container.infoArchive({ path })) as unknown as IncomingMessage;
    // Until it is read to its end, though that is empty, it keeps its connection, and that keeps this process alive.
    answer.resume();
    const stat = Buffer.from(String(answer.headers[STAT_HEADER]), 'base64').toString();
    return (JSON.parse(stat) as { readonly size: number }).size;
  });
}

/** The text of a file in the container, which may run; null if it is not there. */
export async function readFile(container: Dockerode.Container, path: string): Promise<string | null> {
  return nullIfMissing(async () => {
    let text = '';
    await readArchive(container, path, (_header, content) => (text += content.toString()));
    return text;
  });
}

/** Cuts a file in the container, which is stopped, to the given size. Whose it is and who may read it stays the same. */
export async function truncateFile(container: Dockerode.Container, path: string, bytes: number): Promise<void> {
  const pack = tar.pack();
  await readArchive(container, path, (header, content) => {
    const kept = content.subarray(0, bytes);
    pack.entry({ ...header, size: kept.length }, kept);
  });
  pack.finalize();
  await container.putArchive(Readable.from(pack), { path: posix.dirname(path) });
}

/** Calls `onFile` with each file that there is at the path. */
async function readArchive(
  container: Dockerode.Container,
  path: string,
  onFile: (header: tar.Header, content: Buffer) => void,
): Promise<void> {
  const archive = Readable.from(await container.getArchive({ path }));
  const extract = tar.extract();
  extract.on('entry', (header, stream, next) => {
    buffer(stream).then(
      (content) => {
        onFile(header, content);
        next();
      },
      (error: unknown) => {
        next(error as Error);
      },
    );
  });
  await pipeline(archive, extract);
}

async function nullIfMissing<Result>(read: () => Promise<Result>): Promise<Result | null> {
  try {
    return await read();
  } catch (error) {
    if (statusOf(error) === 404) return null;
    throw error;
  }
}
