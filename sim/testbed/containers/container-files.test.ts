import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type Dockerode from 'dockerode';
import tar from 'tar-stream';
import { describe, expect, it } from 'vitest';
import { readFile, sizeOf, truncateFile } from './container-files.ts';

const OLD = '/data/appendonly.aof';
const NEW = '/data/appendonlydir/appendonly.aof.1.incr.aof';
const OWNER = { uid: 999, gid: 1000, mode: 0o640 };

/** A container with these files, as far as its archives go. */
class FakeContainer {
  readonly files: Map<string, string>;
  owner: object = OWNER;

  constructor(files: Readonly<Record<string, string>>) {
    this.files = new Map(Object.entries(files));
  }

  infoArchive({ path }: { readonly path: string }): Promise<Readable> {
    const stat = JSON.stringify({ name: path, size: this.contentOf(path).length });
    const headers = { 'x-docker-container-path-stat': Buffer.from(stat).toString('base64') };
    return Promise.resolve(Object.assign(Readable.from([]), { headers }));
  }

  async getArchive({ path }: { readonly path: string }): Promise<Readable> {
    const pack = tar.pack();
    pack.entry({ name: path.slice(path.lastIndexOf('/') + 1), ...OWNER }, this.contentOf(path));
    pack.finalize();
    return await Promise.resolve(Readable.from(pack));
  }

  async putArchive(archive: Readable, { path }: { readonly path: string }): Promise<void> {
    const extract = tar.extract();
    archive.pipe(extract);
    for await (const entry of extract) {
      const { name, uid, gid, mode } = entry.header;
      this.owner = { uid, gid, mode };
      this.files.set(`${path}/${name}`, (await buffer(entry)).toString());
    }
  }

  private contentOf(path: string): string {
    const content = this.files.get(path);
    if (content === undefined) throw Object.assign(new Error('no such file'), { statusCode: 404 });
    return content;
  }
}

function containerWith(files: Readonly<Record<string, string>>): FakeContainer & Dockerode.Container {
  return new FakeContainer(files) as unknown as FakeContainer & Dockerode.Container;
}

describe('a file in a container', () => {
  it('tells its text', async () => {
    expect(await readFile(containerWith({ [NEW]: 'twelve bytes' }), NEW)).toBe('twelve bytes');
    expect(await readFile(containerWith({}), NEW)).toBeNull();
  });

  it('tells its size', async () => {
    expect(await sizeOf(containerWith({ [NEW]: 'twelve bytes' }), NEW)).toBe(12);
    expect(await sizeOf(containerWith({}), NEW)).toBeNull();
  });

  it.each([
    { bytes: 0, left: '' },
    { bytes: 6, left: 'twelve' },
    { bytes: 12, left: 'twelve bytes' },
    { bytes: 99, left: 'twelve bytes' },
  ])('keeps no more than its first $bytes bytes, and its owner', async ({ bytes, left }) => {
    const container = containerWith({ [NEW]: 'twelve bytes', [OLD]: 'another' });
    await truncateFile(container, NEW, bytes);
    expect(Object.fromEntries(container.files)).toEqual({ [NEW]: left, [OLD]: 'another' });
    expect(container.owner).toEqual(OWNER);
  });
});
