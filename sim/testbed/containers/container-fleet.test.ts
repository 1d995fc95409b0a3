import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import tar from 'tar-stream';
import { Toxiproxy } from 'toxiproxy-node-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { FleetServer } from '../real/servers/server-fleet.ts';
import { makeCertificate, whyNoCertificate } from '../real/servers/tls-testing.ts';
import { TestbedUnavailableError } from '../testbed-error.ts';
import { removeLabelled } from './container-remains.mjs';
import { countRemains, TestFleet, whyNoContainers } from './container-testing.ts';
import { connectDocker } from './docker.ts';
import { redisImage, toxiproxyImage } from './images.ts';
import { PROCESS_LABEL, RUN_LABEL } from './orphans.ts';
import { ToxiproxyContainer } from './toxiproxy-container.ts';

const obstacle = await whyNoContainers();
const title = obstacle === null ? 'a fleet of containers' : `a fleet of containers: ${obstacle}`;
/** How long a power loss reaches back, in these tests. */
const UNSYNCED_MS = 400;
/** Longer than any test takes. */
const LONG_MS = 600_000;

describe.skipIf(obstacle !== null)(title, { timeout: 60_000 }, () => {
  afterAll(async () => {
    expect(await countRemains()).toBe(0);
  });

  describe('that keeps nothing', () => {
    let test: TestFleet;
    let node: FleetServer;
    const steps: string[] = [];

    beforeAll(async () => {
      test = await TestFleet.start({ onProgress: (step) => steps.push(step) });
      node = test.fleet.servers.get('n1') as FleetServer;
    });

    afterAll(async () => {
      await test.close();
    });

    it('says what it does while it starts', () => {
      expect(steps).toEqual([
        'starting 2 containers of Redis and one of Toxiproxy',
        expect.stringMatching(/^the containers are ready after \d+\.\d s$/),
      ]);
    });

    it('has a server for each name, behind a proxy', async () => {
      await test.client('n1').set('name', 'n1');
      await test.client('resource').set('name', 'resource');
      expect(await test.client('n1').get('name')).toBe('n1');
      expect(await test.client('resource').get('name')).toBe('resource');
      // Three containers and their network.
      expect(await countRemains()).toBe(4);
    });

    it('forgets all in a crash, and is found where it was', async () => {
      await test.client('n1').set('key', 'value');
      const { upstream } = node;
      const client = test.client('n1');
      const lost = once(client, 'close');
      await node.stop('SIGKILL');
      await lost;
      await node.start();
      expect(node.upstream).toBe(upstream);
      expect(await client.get('key')).toBeNull();
      expect(await test.client('resource').get('name')).toBe('resource');
    });

    it('stands still while it is paused', async () => {
      const client = test.client('n1');
      await client.set('key', 'before');
      await node.pause();
      let isDone = false;
      const written = client.set('key', 'after').then(() => (isDone = true));
      // Another server answers several times meanwhile.
      for (let turn = 0; turn < 20; turn += 1) await test.client('resource').ping();
      expect(isDone).toBe(false);
      await node.resume();
      await written;
      expect(await client.get('key')).toBe('after');
    });

    it('can be killed while it is paused', async () => {
      await node.pause();
      await node.stop('SIGKILL');
      await node.start();
      expect(await test.client('n1').ping()).toBe('PONG');
    });
  });

  describe.each([
    { persistence: 'rdb', signal: 'SIGTERM', kept: 'value' },
    { persistence: 'rdb', signal: 'SIGKILL', kept: null },
    { persistence: 'aof-everysec', signal: 'SIGKILL', kept: 'value' },
    { persistence: 'aof-always', signal: 'SIGKILL', kept: 'value' },
  ] as const)('with persistence $persistence', ({ persistence, signal, kept }) => {
    it(`${kept === null ? 'loses' : 'keeps'} a key through ${signal}`, async () => {
      const test = await TestFleet.start({ nodes: { persistence } });
      onTestFinished(() => test.close());
      const node = test.fleet.servers.get('n1') as FleetServer;
      await test.client('n1').set('key', 'value');
      await node.stop(signal);
      await node.start();
      expect(await test.client('n1').get('key')).toBe(kept);
    });
  });

  it('loses in a power loss what it wrote last, and nothing else, twice over', async () => {
    const test = await TestFleet.start({ nodes: { persistence: 'aof-everysec' }, losesPower: true });
    onTestFinished(() => test.close());
    const node = test.fleet.servers.get('n1') as FleetServer;
    for (const round of ['first', 'second']) {
      await test.client('n1').set(`${round} old`, 'value');
      await passed(2 * UNSYNCED_MS);
      await test.client('n1').set(`${round} young`, 'value');
      await node.stop('SIGKILL');
      await node.loseUnsynced(UNSYNCED_MS);
      await node.start();
      expect(await test.client('n1').mget('first old', `${round} old`, `${round} young`)).toEqual([
        'value',
        'value',
        null,
      ]);
    }
    // So soon after a start that all of this life is lost, and far less was written in it than before.
    await test.client('n1').set('third', 'value');
    await node.stop('SIGKILL');
    await node.loseUnsynced(LONG_MS);
    await node.start();
    expect(await test.client('n1').mget('second old', 'third')).toEqual(['value', null]);
  });

  it('tells which of its containers has ended although nobody stopped it', async () => {
    const test = await TestFleet.start();
    onTestFinished(() => test.close());
    const { engine } = await connectDocker();
    const kill = async (name: string): Promise<void> => {
      const found = await engine.listContainers({ filters: { label: [`${PROCESS_LABEL}=${process.pid}`] } });
      const { Id = '' } = found.find(({ Names }) => Names[0]?.endsWith(`-${name}`)) ?? {};
      await engine.getContainer(Id).kill();
      await engine.getContainer(Id).wait();
    };
    const node = test.fleet.servers.get('n1') as FleetServer;
    await node.pause();
    expect(await test.fleet.unaskedEnd()).toBeNull();
    await node.stop('SIGKILL');
    expect(await test.fleet.unaskedEnd()).toBeNull();
    await node.start();
    await kill('n1');
    expect(await test.fleet.unaskedEnd()).toBe('the redis-server of n1 was killed by signal 9');
    await kill('toxiproxy');
    expect(await test.fleet.unaskedEnd()).toBe('Toxiproxy was killed by signal 9');
  });

  describe('with clocks that move', () => {
    let test: TestFleet;
    let node: FleetServer;

    beforeAll(async () => {
      test = await TestFleet.start({ movesClocks: true });
      node = test.fleet.servers.get('n1') as FleetServer;
    });

    afterAll(async () => {
      await test.close();
    });

    /** How far the clock of a server is ahead of this host's, in milliseconds. */
    async function skewMs(server: string): Promise<number> {
      // Once it is connected, an answer takes no time.
      await test.client(server).ping();
      const beforeMs = Date.now();
      const [seconds, microseconds] = await test.client(server).time();
      return Number(seconds) * 1000 + Number(microseconds) / 1000 - (beforeMs + Date.now()) / 2;
    }

    it('moves the clock of the running server, and no other', async () => {
      expect(Math.abs(await skewMs('n1'))).toBeLessThan(250);
      await test.client('n1').set('key', 'value', 'PX', 10_000);
      await node.setClock({ offsetMs: 20_000, rate: 1 });
      expect(Math.abs((await skewMs('n1')) - 20_000)).toBeLessThan(250);
      expect(await test.client('n1').get('key')).toBeNull();
      expect(Math.abs(await skewMs('resource'))).toBeLessThan(250);
      await node.setClock({ offsetMs: -20_000, rate: 1 });
      expect(Math.abs((await skewMs('n1')) + 20_000)).toBeLessThan(250);
    });

    it('keeps its offset through a restart', async () => {
      await node.setClock({ offsetMs: -60_000, rate: 1 });
      await node.stop('SIGKILL');
      await node.start();
      expect(Math.abs((await skewMs('n1')) + 60_000)).toBeLessThan(250);
    });

    it('runs at another rate from the moment on that it is set, and at the true one again', async () => {
      await node.setClock({ offsetMs: 0, rate: 3 });
      const sinceMs = Date.now();
      const fromMs = await skewMs('n1');
      expect(Math.abs(fromMs)).toBeLessThan(250);
      await passed(500);
      const gainedMs = (await skewMs('n1')) - fromMs;
      const expectedMs = 2 * (Date.now() - sinceMs);
      expect(gainedMs).toBeGreaterThan(2 * 500 - 250);
      expect(gainedMs).toBeLessThan(expectedMs + 250);
      await node.setClock({ offsetMs: 0, rate: 1 });
      await passed(500);
      expect(Math.abs(await skewMs('n1'))).toBeLessThan(250);
    });
  });

  describe('that cannot be used', () => {
    beforeEach(() => {
      vi.unstubAllEnvs();
    });

    afterEach(async () => {
      vi.unstubAllEnvs();
      expect(await countRemains()).toBe(0);
    });

    async function failure(): Promise<TestbedUnavailableError> {
      const error = await TestFleet.start().then(
        async (test) => {
          await test.close();
          return null;
        },
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(TestbedUnavailableError);
      return error as TestbedUnavailableError;
    }

    it('names the image that cannot be had, and its variable', async () => {
      vi.stubEnv('DISTRILOCK_REDIS_IMAGE', 'localhost:1/nobody/redis:0');
      const { message, remedy } = await failure();
      expect(message).toContain('the image localhost:1/nobody/redis:0 is not here, and cannot be pulled: ');
      expect(remedy).toContain('name another image in DISTRILOCK_REDIS_IMAGE');
    });

    it('tells an image of something else from Redis, with what it printed', async () => {
      vi.stubEnv('DISTRILOCK_REDIS_IMAGE', toxiproxyImage().image);
      const { message, remedy } = await failure();
      expect(message).toMatch(
        /^the container of (n1|resource) \(image .*\) is no Redis or Valkey that works: it ended at once\n {2}./,
      );
      expect(remedy).toContain('DISTRILOCK_REDIS_IMAGE');
    });

    it('tells an image of something else from Toxiproxy, with what it printed', async () => {
      vi.stubEnv('DISTRILOCK_TOXIPROXY_IMAGE', redisImage().image);
      const { message, remedy } = await failure();
      // A Redis runs on, but nobody answers at the port.
      expect(message).toMatch(/^the image .* is no Toxiproxy that works: it did not answer at http/);
      expect(message).toContain('Ready to accept connections');
      expect(remedy).toContain('DISTRILOCK_TOXIPROXY_IMAGE');
    });

    it('says that a server demands a password', async () => {
      const image = await commitImage('--requirepass secret');
      vi.stubEnv('DISTRILOCK_REDIS_IMAGE', image);
      const { message, remedy } = await failure();
      expect(message).toContain(`(image ${image}) demands a password`);
      expect(remedy).toContain('without requirepass');
    });

    it.skipIf(whyNoCertificate !== null)(
      `says that a server speaks nothing but TLS (${whyNoCertificate ?? 'with a certificate of openssl'})`,
      async () => {
        const files = '--tls-cert-file /certificate.pem --tls-ca-cert-file /certificate.pem --tls-key-file /key.pem';
        const image = await commitImage(`--port 0 --tls-port 6379 ${files}`, makeCertificate);
        vi.stubEnv('DISTRILOCK_REDIS_IMAGE', image);
        const { message, remedy } = await failure();
        expect(message).toContain(`(image ${image}) speaks nothing but TLS`);
        expect(remedy).toContain('without tls-port');
      },
    );
  });

  it('reaches Toxiproxy by published ports where this host is not on its network', async () => {
    const { engine, client } = await connectDocker();
    const label = `${RUN_LABEL}=published`;
    const toxiproxy = await ToxiproxyContainer.start({
      engine,
      image: toxiproxyImage().image,
      containerName: 'distrilock-test-published',
      network: 'bridge',
      labels: { [RUN_LABEL]: 'published' },
      proxyCount: 2,
      isDirect: false,
      host: client.info.containerRuntime.host,
    });
    onTestFinished(async () => {
      await removeLabelled(engine, [label]);
    });
    const upstream = '127.0.0.1:8474';
    await new Toxiproxy(toxiproxy.url).populate(
      [0, 1].map((number) => ({ name: `p${number}`, listen: toxiproxy.proxyListen(number), upstream, enabled: true })),
    );
    // Its own API, by way of itself.
    for (const number of [0, 1]) {
      const { host, port } = toxiproxy.proxyAddress(number);
      expect(host).toBe(client.info.containerRuntime.host);
      const response = await fetch(`http://${host}:${port}/version`, { headers: { connection: 'close' } });
      expect(await response.json()).toHaveProperty('version');
    }
    expect(toxiproxy.proxyAddress(0).port).not.toBe(toxiproxy.proxyAddress(1).port);
  });

  it('is removed when the run is killed, at whatever moment', async () => {
    const early = await startElsewhere();
    early.process.kill('SIGKILL');
    const late = await startElsewhere();
    await late.isReady;
    expect(await countRemains(late.pid)).toBe(4);
    late.process.kill('SIGKILL');
    for (const { process, pid, folder } of [early, late]) {
      if (process.exitCode === null && process.signalCode === null) await once(process, 'exit');
      await vi.waitUntil(async () => !existsSync(folder) && (await countRemains(pid)) === 0, {
        timeout: 20_000,
        interval: 200,
      });
    }
  });
});

/** An image of the same Redis with more arguments, and with the files that `write` writes into a folder. It goes with the test. */
async function commitImage(args: string, write: (folder: string) => unknown = () => undefined): Promise<string> {
  const { engine } = await connectDocker();
  const container = await engine.createContainer({
    Image: redisImage().image,
    Entrypoint: ['sh', '-c', `exec redis-server "$@" ${args}`, 'sh'],
    Cmd: [],
  });
  const folder = mkdtempSync(join(tmpdir(), 'distrilock-test-'));
  write(folder);
  const pack = tar.pack();
  for (const name of readdirSync(folder)) pack.entry({ name, mode: 0o644 }, readFileSync(join(folder, name)));
  pack.finalize();
  rmSync(folder, { recursive: true });
  await container.putArchive(Readable.from(pack), { path: '/' });
  await container.commit({ repo: 'distrilock/test-image', tag: 'local' });
  await container.remove({ v: true });
  const image = 'distrilock/test-image:local';
  onTestFinished(() => engine.getImage(image).remove());
  return image;
}

/** A process of its own that starts a fleet and holds it; resolves once it has begun. */
async function startElsewhere(): Promise<{
  readonly process: ChildProcess;
  readonly pid: number;
  readonly folder: string;
  readonly isReady: Promise<unknown>;
}> {
  const program = fileURLToPath(new URL('hold-fleet.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', 'tsx', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const [folder] = (await once(lines, 'line')) as [string];
  return { process: child, pid: child.pid as number, folder, isReady: once(lines, 'line') };
}

/** True time that has to pass: what happens meanwhile, happens by the clocks of servers. */
async function passed(milliseconds: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
}
