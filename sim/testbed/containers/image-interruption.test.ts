import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Dockerode from 'dockerode';
import { describe, expect, it, onTestFinished } from 'vitest';
import { buildFaketimeImage, type ImageUser, provideImage } from './images.ts';

const BASE = 'base:1';
const NAMED = { variable: 'DISTRILOCK_REDIS_IMAGE', image: 'registry.invalid/slow:1' };

interface Daemon {
  readonly engine: Dockerode;
  /** Resolves once it was asked to do what takes long; what it resolves to tells when it is not waited for any more. */
  readonly asked: Promise<{ readonly abandoned: Promise<unknown> }>;
}

/** A Docker daemon that has one image, and is never done with what takes long: it begins as `begin` does. */
async function slowDaemon(begin: (response: ServerResponse) => void): Promise<Daemon> {
  let ask: (asked: { readonly abandoned: Promise<unknown> }) => void = () => undefined;
  const asked = new Promise<{ readonly abandoned: Promise<unknown> }>((resolve) => (ask = resolve));
  const server = createServer((request, response) => {
    const { url = '', method } = request;
    request.resume();
    if (method === 'POST') {
      ask({ abandoned: once(response, 'close') });
      begin(response);
      return;
    }
    if (url === '/info') {
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
      return;
    }
    const isKnown = url === `/images/${encodeURIComponent(BASE)}/json` || url === `/images/${BASE}/json`;
    response.writeHead(isKnown ? 200 : 404, { 'content-type': 'application/json' });
    response.end(JSON.stringify(isKnown ? { Id: 'sha256:0' } : { message: 'no such image' }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { engine: new Dockerode({ host: '127.0.0.1', port, protocol: 'http' }), asked };
}

describe.each([
  ['before it answers', (): void => undefined],
  [
    'while it tells of its progress',
    (response: ServerResponse): void => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.write(`${JSON.stringify({ stream: 'Step 1/2', status: 'Pulling' })}\n`);
    },
  ],
])('an image that is not wanted any more, %s', (_when, begin) => {
  it.each([
    ['pulled', (engine: Dockerode, user: ImageUser) => provideImage(engine, NAMED, user)],
    ['built', (engine: Dockerode, user: ImageUser) => buildFaketimeImage(engine, BASE, user)],
  ])('is not %s on', async (_how, provide) => {
    const { engine, asked } = await slowDaemon(begin);
    const controller = new AbortController();
    const steps: string[] = [];
    const provided = provide(engine, { signal: controller.signal, onProgress: (step) => steps.push(step) });
    provided.catch(() => undefined);
    const { abandoned } = await asked;
    const reason = new Error('Ctrl-C');
    controller.abort(reason);
    await expect(provided).rejects.toBe(reason);
    // The daemon gives up what nobody listens to.
    await abandoned;
    expect(steps).toHaveLength(1);
  });
});
