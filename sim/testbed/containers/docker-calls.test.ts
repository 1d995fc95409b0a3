import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import Dockerode from 'dockerode';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { RunLostError } from '../testbed-error.ts';
import { DockerCalls } from './docker-calls.ts';

interface Daemon {
  readonly engine: Dockerode;
  readonly calls: DockerCalls;
  /** Resolves when the next request comes; what that resolves to, when its connection is closed. */
  readonly asked: () => Promise<{ readonly closed: Promise<unknown> }>;
  readonly vanish: () => Promise<unknown>;
}

async function daemonThat(answers: RequestListener): Promise<Daemon> {
  const server = createServer(answers).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const vanish = async (): Promise<void> => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, 'close');
  };
  onTestFinished(vanish);
  const { port } = server.address() as AddressInfo;
  const engine = new Dockerode({ host: '127.0.0.1', port, protocol: 'http' });
  const asked = async (): Promise<{ readonly closed: Promise<unknown> }> => {
    const [, response] = (await once(server, 'request')) as Parameters<RequestListener>;
    return { closed: once(response, 'close') };
  };
  return { engine, calls: DockerCalls.of(engine, 'here'), asked, vanish };
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => null,
    (error: unknown) => error,
  );
}

describe('a call of Docker', () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('that is not answered fails when its time is over, and lets go of the daemon', async () => {
    const { engine, asked } = await daemonThat(() => undefined);
    const coming = asked();
    const failure = failureOf(engine.listContainers());
    const { closed } = await coming;
    await vi.advanceTimersByTimeAsync(29_999);
    expect(await Promise.race([failure, Promise.resolve('pending')])).toBe('pending');
    await vi.advanceTimersByTimeAsync(1);
    expect(await failure).toMatchObject({ name: 'RunLostError', message: 'Docker at here did not answer within 30 s' });
    await closed;
  });

  it('that breaks off in the middle of its answer fails no later', async () => {
    const { engine, asked } = await daemonThat((_request, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('[');
    });
    const coming = asked();
    const failure = failureOf(engine.listContainers());
    await coming;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(await failure).toBeInstanceOf(RunLostError);
  });

  it('that finds nobody says so', async () => {
    const { engine, vanish } = await daemonThat(() => undefined);
    await vanish();
    const failure = await failureOf(engine.listContainers());
    expect(failure).toBeInstanceOf(RunLostError);
    expect((failure as Error).message).toMatch(/^Docker at here is gone: .*ECONNREFUSED/);
  });

  it('that the daemon refuses fails as the daemon says', async () => {
    const { engine } = await daemonThat((_request, response) => {
      response.writeHead(404, { 'content-type': 'application/json' }).end('{"message":"no such container"}');
    });
    expect(await failureOf(engine.getContainer('c').inspect())).toMatchObject({ name: 'Error', statusCode: 404 });
  });

  it('that the caller calls off fails as the caller says', async () => {
    const { engine, asked } = await daemonThat(() => undefined);
    const controller = new AbortController();
    const coming = asked();
    const failure = failureOf(engine.pull('image', { abortSignal: controller.signal }));
    await coming;
    controller.abort();
    expect(await failure).toMatchObject({ name: 'AbortError' });
  });

  it('that nobody waits for any more fails at once, and so do those that follow, until the daemon is wanted again', async () => {
    const { engine, calls, asked } = await daemonThat(({ url = '' }, response) => {
      if (url.startsWith('/_ping')) response.end('OK');
    });
    const coming = asked();
    const failure = failureOf(engine.listContainers());
    const { closed } = await coming;
    calls.abandon();
    expect(await failure).toBeInstanceOf(RunLostError);
    await closed;
    expect(await failureOf(engine.ping())).toBeInstanceOf(RunLostError);
    calls.reopen();
    expect(String(await engine.ping())).toBe('OK');
  });

  it('that goes on telling has no deadline, but ends when nobody waits any more', async () => {
    const { engine, calls } = await daemonThat((_request, response) => {
      response.writeHead(200).write('told');
    });
    const stream = await engine.getContainer('c').logs({ follow: true, stdout: true });
    await vi.advanceTimersByTimeAsync(100_000);
    expect((stream as unknown as { readonly destroyed: boolean }).destroyed).toBe(false);
    const failure = failureOf(text(stream));
    calls.abandon();
    expect(await failure).toBeInstanceOf(RunLostError);
  });
});
