import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Testbed } from '../testbed.ts';

/** testcontainers keeps the daemon that it found: each test has modules of its own. */
async function containersTestbed(): Promise<Testbed> {
  vi.resetModules();
  return (await import('./containers-testbed.ts')).containersTestbed;
}

/** A Docker daemon that says of itself what it is told to; returns where it is. */
async function daemon(answer: (path: string) => { readonly status: number; readonly body: unknown }): Promise<string> {
  const server = createServer(({ url = '' }: IncomingMessage, response: ServerResponse) => {
    const { status, body } = answer(url.replace(/^\/v[\d.]+/, ''));
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('a Docker daemon that cannot be used', () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'distrilock-docker-'));
  });

  afterEach(() => {
    vi.doUnmock('testcontainers');
    vi.unstubAllEnvs();
    rmSync(folder, { recursive: true });
  });

  it('because it is not there, is told with where it was looked for and how to start it', async () => {
    vi.stubEnv('DOCKER_HOST', `unix://${folder}/docker.sock`);
    const testbed = await containersTestbed();
    expect(await testbed.check()).toEqual({
      canRun: false,
      parts: [
        {
          name: 'docker',
          problem: `no Docker daemon answers at DOCKER_HOST=unix://${folder}/docker.sock`,
          remedy: expect.stringContaining('start Docker, or name its socket in DOCKER_HOST') as string,
          blocks: 'all',
        },
      ],
    });
  });

  it.each(['unix:///run/mine.sock', 'tcp://127.0.0.1:1', 'mine.sock'])(
    'because it is not at %s, is not another one that happens to be here',
    async (host) => {
      vi.stubEnv('DOCKER_HOST', host);
      const dockerode = { modem: { socketPath: '/var/run/docker.sock' } };
      vi.doMock('testcontainers', async (original) => ({
        ...(await original<object>()),
        getContainerRuntimeClient: () => ({
          info: { containerRuntime: { operatingSystemType: 'linux' } },
          container: { dockerode },
        }),
      }));
      const { parts } = await (await containersTestbed()).check();
      expect(parts).toMatchObject([{ problem: `no Docker daemon answers at DOCKER_HOST=${host}` }]);
    },
  );

  it('because it answers with errors, is as good as none', async () => {
    const host = await daemon(() => ({ status: 500, body: { message: 'out of order' } }));
    vi.stubEnv('DOCKER_HOST', host);
    const { parts } = await (await containersTestbed()).check();
    expect(parts).toMatchObject([{ problem: `no Docker daemon answers at DOCKER_HOST=${host}` }]);
  });

  it('because it runs containers of Windows, is told so', async () => {
    const host = await daemon((path) => ({
      status: 200,
      body: path.startsWith('/info') ? { OSType: 'windows', Architecture: 'x86_64', Images: 0, Labels: [] } : {},
    }));
    vi.stubEnv('DOCKER_HOST', host);
    const { parts } = await (await containersTestbed()).check();
    expect(parts).toMatchObject([
      { problem: 'the Docker daemon runs containers of windows', remedy: 'switch it to Linux containers' },
    ]);
  });
});
