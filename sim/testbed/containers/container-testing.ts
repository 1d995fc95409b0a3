import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Toxiproxy } from 'toxiproxy-node-client';
import { missingOf } from '../readiness.ts';
import type { Address } from '../real/address.ts';
import type { Fleet } from '../real/servers/server-fleet.ts';
import { serverRequests } from '../real/servers/server-requests.ts';
import { type Scenario, scenarioSchema } from '../../scenario/schema.ts';
import { checkContainers } from './check-containers.ts';
import { containerFleetStarter } from './container-fleet.ts';
import { connectDocker } from './docker.ts';
import { PROCESS_LABEL } from './orphans.ts';

/** Why containers cannot be started here, and what would help; null if they can. Tests do not pull images. */
export async function whyNoContainers(): Promise<string | null> {
  const missing = missingOf(await checkContainers());
  if (missing.length === 0) return null;
  return missing.map(({ problem, remedy }) => `${problem} (${remedy})`).join('; ');
}

/** Images of Redis and Valkey, separated by commas, besides the one that all tests of containers run. */
const IMAGES_VARIABLE = 'DISTRILOCK_TEST_REDIS_IMAGES';
export const otherImages: readonly string[] = (process.env[IMAGES_VARIABLE] ?? '')
  .split(',')
  .filter((image) => image !== '');

/** Why nothing runs in containers of other servers, and what would help; null if something does. */
export async function whyNoOtherServers(): Promise<string | null> {
  const obstacle = await whyNoContainers();
  if (obstacle !== null || otherImages.length > 0) return obstacle;
  return (
    `${IMAGES_VARIABLE} names no images (a list like redis:6.2,valkey/valkey:8.1; local ones are made by ` +
    'eval "$(.ci/import-images $(.ci/install-redis-servers /tmp/servers | tr : \' \'))")'
  );
}

/** How many containers and networks there are of runs of a process, this one if no other. */
export async function countRemains(pid: number = process.pid): Promise<number> {
  const { engine } = await connectDocker();
  const filters = { label: [`${PROCESS_LABEL}=${pid}`] };
  const [containers, networks] = await Promise.all([
    engine.listContainers({ all: true, filters }),
    engine.listNetworks({ filters }),
  ]);
  return containers.length + networks.length;
}

export interface TestFleetOptions {
  readonly nodes?: Partial<Scenario['nodes']>;
  /** More arguments of the node's server. */
  readonly nodeArguments?: readonly string[];
  readonly losesPower?: boolean;
  readonly movesClocks?: boolean;
  readonly lineNames?: readonly string[];
  readonly signal?: AbortSignal;
  readonly onProgress?: (step: string) => void;
}

/** A fleet of few servers, with a client for each, and a folder that is removed with it. */
export class TestFleet {
  readonly fleet: Fleet;
  private readonly folder: string;
  private readonly clients = new Map<string, Redis>();
  private readonly addresses = new Map<string, Address>();

  private constructor(fleet: Fleet, folder: string) {
    this.fleet = fleet;
    this.folder = folder;
  }

  static async start(options: TestFleetOptions = {}): Promise<TestFleet> {
    const folder = mkdtempSync(join(tmpdir(), 'distrilock-test-'));
    const requests = serverRequests(scenarioOf(options), ['n1']);
    const serverNames = requests.servers.map(({ name }) => name);
    const more = options.nodeArguments ?? [];
    try {
      const fleet = await containerFleetStarter.start({
        ...requests,
        servers: requests.servers.map((server) =>
          server.name === 'n1' ? { ...server, args: [...server.args, ...more] } : server,
        ),
        lineNames: options.lineNames ?? [],
        proxyCount: serverNames.length,
        folder,
        signal: options.signal ?? new AbortController().signal,
        onProgress: options.onProgress ?? (() => undefined),
      });
      const started = new TestFleet(fleet, folder);
      await started.connect(serverNames);
      return started;
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** A client of the server, by way of its proxy; it connects again by itself. */
  client(server: string): Redis {
    return this.clients.get(server) as Redis;
  }

  /** Where the proxy of the server is. */
  address(server: string): Address {
    return this.addresses.get(server) as Address;
  }

  /** The file of this machine that the clock of the server follows; only if clocks move. */
  clockFile(server: string): string {
    const folder = join(this.folder, server);
    const [name, ...others] = readdirSync(folder);
    if (name === undefined || others.length > 0) throw new Error(`${folder} should hold one file`);
    return join(folder, name);
  }

  async close(): Promise<void> {
    for (const client of this.clients.values()) client.disconnect();
    await this.fleet.close();
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async connect(serverNames: readonly string[]): Promise<void> {
    const { fleet } = this;
    const proxies = await new Toxiproxy(fleet.toxiproxyUrl).populate(
      serverNames.map((name, number) => ({
        name,
        listen: fleet.proxyListen(number),
        upstream: fleet.servers.get(name)?.upstream ?? '',
        enabled: true,
      })),
    );
    serverNames.forEach((name, number) => {
      const address = fleet.proxyAddress(number, proxies[name]?.listen ?? '');
      this.addresses.set(name, address);
      const client = new Redis({ ...address, retryStrategy: () => 20, maxRetriesPerRequest: null });
      client.on('error', () => undefined);
      this.clients.set(name, client);
    });
  }
}

function scenarioOf({ nodes = {}, losesPower = false, movesClocks = false }: TestFleetOptions): Scenario {
  const scenario = scenarioSchema.parse({
    title: 'a test of containers',
    settings: { nodes: 1 },
    clients: 1,
    nodes,
    faults: [
      ...(losesPower ? [{ fault: 'crash', nodes: 'n1', how: 'power-loss', at: '1s' }] : []),
      ...(movesClocks ? [{ fault: 'clock-jump', nodes: 'n1', by: '1s' }] : []),
    ],
    workload: [{ steps: ['release'] }],
    expect: { 'mutual-exclusion': 'ok' },
    lesson: 'none',
  });
  return { ...scenario, name: 'containers' };
}
