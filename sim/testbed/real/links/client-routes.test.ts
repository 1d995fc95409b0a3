import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { freePorts } from '../../processes/free-port.ts';
import { toxiproxyServerProgram } from '../../processes/programs.ts';
import { startToxiproxy, type ToxiproxyProcess } from '../../processes/toxiproxy-process.ts';
import { TestbedUnavailableError } from '../../testbed-error.ts';
import { ClientRoutes } from './client-routes.ts';
import { LinkDisturbances } from './link-disturbances.ts';
import { linkEffect } from './link-toxics.ts';
import { replicaOf } from '../servers/server-requests.ts';
import { OBSERVER, Proxies, proxyCount } from './proxies.ts';
import type { Fleet, FleetServer } from '../servers/server-fleet.ts';

function whyNot(): string | null {
  try {
    toxiproxyServerProgram();
    return null;
  } catch (error) {
    if (!(error instanceof TestbedUnavailableError)) throw error;
    return `${error.message} (${error.remedy})`;
  }
}

const obstacle = whyNot();
const CUT = linkEffect({ fault: 'partition', clients: 'A', nodes: 'n1', direction: 'both' } as never);

/** A server that says its name and then repeats what it is told. */
async function echo(name: string): Promise<{ server: Server; upstream: string }> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    socket.write(`${name}:`);
    socket.pipe(socket);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, upstream: `127.0.0.1:${(server.address() as AddressInfo).port}` };
}

describe.skipIf(obstacle !== null)(`routes through Toxiproxy${obstacle === null ? '' : `: ${obstacle}`}`, () => {
  let toxiproxy: ToxiproxyProcess;
  let servers: Server[];
  let proxies: Proxies;
  let disturbances: LinkDisturbances;
  let routes: ClientRoutes;
  let failures: Error[];
  let passed: (() => void)[];
  const sockets = new Set<Socket>();
  let nowUs = 0;

  beforeAll(async () => {
    const [port = 0] = await freePorts(1);
    toxiproxy = await startToxiproxy(toxiproxyServerProgram(), port);
  });

  afterAll(() => toxiproxy.stop());

  beforeEach(async () => {
    const echoes = await Promise.all(['n1', 'n11', 'replica'].map(echo));
    servers = echoes.map(({ server }) => server);
    const [n1, n11, replica] = echoes.map(({ upstream }) => ({ upstream }) as FleetServer) as [
      FleetServer,
      FleetServer,
      FleetServer,
    ];
    const fleet = {
      servers: new Map([
        ['n1', n1],
        ['n11', n11],
      ]),
      replicas: new Map([['n1', replica]]),
      lines: new Map(),
      toxiproxyUrl: toxiproxy.url,
      proxyListen: () => '127.0.0.1:0',
      proxyAddress: (_number: number, listen: string) => ({ host: '127.0.0.1', port: Number(listen.split(':')[1]) }),
      proxyAddressForServers: (_number: number, listen: string) => ({
        host: '127.0.0.1',
        port: Number(listen.split(':')[1]),
      }),
      unaskedEnd: () => Promise.resolve(null),
      close: () => Promise.resolve(),
    } satisfies Fleet;
    await fetch(`${toxiproxy.url}/reset`, { method: 'POST' });
    proxies = await Proxies.create(fleet, ['A', 'B']);
    disturbances = new LinkDisturbances();
    failures = [];
    passed = [];
    nowUs = 0;
    routes = new ClientRoutes({
      proxies,
      disturbances,
      nowUs: () => (nowUs += 10),
      pass: () => new Promise((resolve) => passed.push(resolve)),
      fail: (error) => failures.push(error),
    });
  });

  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    for (const server of servers) server.close();
    expect(failures).toEqual([]);
    // The next test makes proxies with the same names.
    const made = (await (await fetch(`${toxiproxy.url}/proxies`)).json()) as Record<string, unknown>;
    await Promise.all(
      Object.keys(made).map((name) =>
        fetch(`${toxiproxy.url}/proxies/${encodeURIComponent(name)}`, { method: 'DELETE' }),
      ),
    );
  });

  /** Connects, and reads until the server has said its name. Rejects if that cannot be. */
  async function dial(
    from: string,
    server: string,
  ): Promise<{ socket: Socket; said: () => string; closed: Promise<unknown> }> {
    const socket = connect(proxies.address(from, server));
    sockets.add(socket);
    let text = '';
    const closed = new Promise((resolve) => socket.on('close', resolve));
    socket.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    await Promise.race([
      heard(() => text.includes(':')),
      closed.then(() => Promise.reject(new Error('it was closed'))),
    ]);
    return { socket, said: () => text, closed };
  }

  async function heard(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 2));
  }

  async function isOpen(from: string, server: string): Promise<boolean> {
    try {
      await dial(from, server);
      return true;
    } catch {
      return false;
    }
  }

  it('there is one for each client and server, and those of the run itself', async () => {
    for (const from of ['A', 'B', OBSERVER]) {
      for (const server of ['n1', 'n11']) expect((await dial(from, server)).said()).toBe(`${server}:`);
    }
    expect((await dial(OBSERVER, replicaOf('n1'))).said()).toBe('replica:');
    expect((await dial(replicaOf('n1'), 'n1')).said()).toBe('n1:');
    expect(() => proxies.address('C', 'n1')).toThrow('there is no route from C to n1');
    // Two clients and the run to two servers, the run to the replica, and that to its primary.
    expect(proxyCount(2, 2, 1)).toBe(8);
    expect(Object.keys((await (await fetch(`${toxiproxy.url}/proxies`)).json()) as object)).toHaveLength(8);
  });

  it('a toxic concerns its route in its directions alone, is remembered, and can be taken away', async () => {
    const cut = await dial('A', 'n1');
    const other = await dial('B', 'n1');
    const end = await routes.poison('A', 'n1', CUT, 5);
    cut.socket.write('lost');
    other.socket.write('heard');
    await heard(() => other.said() === 'n1:heard');
    expect(cut.said()).toBe('n1:');
    for (const direction of ['request', 'reply'] as const) {
      expect(disturbances.find('cut', { client: 'A', server: 'n1', direction }, 1000, 1000)).toMatchObject({
        fault: 5,
      });
    }
    const { fromUs = 0, inForceUs } =
      disturbances.find('cut', { client: 'A', server: 'n1', direction: 'request' }, 1000, 1000) ?? {};
    // It may bite as soon as it is asked for, and surely does once Toxiproxy has said so.
    expect(inForceUs).toBeGreaterThan(fromUs);
    await end();
    // What was dropped is missing: the connection cannot go on.
    await cut.closed;
    expect(disturbances.find('cut', { client: 'A', server: 'n1', direction: 'reply' }, 1000, 1000)).toBeNull();
    expect((await dial('A', 'n1')).said()).toBe('n1:');
  });

  it('reset breaks the connections of a route and no others, and lets new ones be made', async () => {
    const broken = await dial('A', 'n1');
    const whole = await dial('A', 'n11');
    await routes.reset('A', 'n1', 7);
    await broken.closed;
    whole.socket.write('x');
    await heard(() => whole.said() === 'n11:x');
    expect(await isOpen('A', 'n1')).toBe(true);
    const { untilUs, fault } =
      disturbances.find('cut', { client: 'A', server: 'n1', direction: 'reply' }, 0, 1000) ?? {};
    expect([untilUs, fault]).toEqual([expect.any(Number), 7]);
    expect(untilUs).toBeLessThan(1000);
  });

  it('close lets nobody in until open', async () => {
    const broken = await dial('A', 'n1');
    await routes.close('A', 'n1', null);
    await broken.closed;
    expect([await isOpen('A', 'n1'), await isOpen('B', 'n1')]).toEqual([false, true]);
    await routes.open('A', 'n1');
    expect(await isOpen('A', 'n1')).toBe(true);
  });

  it('with slow closing, a reset is heard of late, what is sent until then is lost, and new connections come only then', async () => {
    const end = await routes.slowClosing('A', 'n1', 50);
    const slow = await dial('A', 'n1');
    await routes.reset('A', 'n1', 7);
    slow.socket.write('lost');
    let isClosed = false;
    void slow.closed.then(() => (isClosed = true));
    // A message that goes around elsewhere.
    const other = await dial('B', 'n1');
    other.socket.write('x');
    await heard(() => other.said() === 'n1:x');
    expect([isClosed, slow.said()]).toEqual([false, 'n1:']);
    expect(disturbances.find('cut', { client: 'A', server: 'n1', direction: 'request' }, 5000, 5000)).toMatchObject({
      fault: 7,
    });
    expect(passed).toHaveLength(1);
    passed[0]?.();
    await slow.closed;
    await routes.open('A', 'n1');
    expect(await isOpen('A', 'n1')).toBe(true);
    expect(disturbances.find('cut', { client: 'A', server: 'n1', direction: 'request' }, 5000, 5000)).toBeNull();
    await end();
    await routes.reset('A', 'n1', 8);
    expect(passed).toHaveLength(1);
    expect(await isOpen('A', 'n1')).toBe(true);
  });

  it('open waits for connections that are about to close', async () => {
    await routes.slowClosing('A', 'n1', 50);
    const slow = await dial('A', 'n1');
    await routes.close('A', 'n1', null);
    let isOpened = false;
    const opened = routes.open('A', 'n1').then(() => (isOpened = true));
    await dial('B', 'n1');
    expect(isOpened).toBe(false);
    passed[0]?.();
    await opened;
    await slow.closed;
    expect(await isOpen('A', 'n1')).toBe(true);
  });

  it('leads to the replica from the next opening on, and that of no other node', async () => {
    proxies.redirectToReplica('n1');
    for (const from of ['A', OBSERVER]) {
      await proxies.setEnabled(from, 'n1', false);
      await proxies.setEnabled(from, 'n1', true);
      expect((await dial(from, 'n1')).said()).toBe('replica:');
    }
    await proxies.setEnabled('A', 'n11', false);
    await proxies.setEnabled('A', 'n11', true);
    expect((await dial('A', 'n11')).said()).toBe('n11:');
    expect(() => proxies.redirectToReplica('n11')).toThrow('n11 has no replica');
  });
});
