import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { Toxiproxy } from 'toxiproxy-node-client';
import { missingOf } from '../readiness.ts';
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

  private constructor(fleet: Fleet, folder: string) {
    this.fleet = fleet;
    this.folder = folder;
  }

  static async start(options: TestFleetOptions = {}): Promise<TestFleet> {
    const folder = mkdtempSync(join(tmpdir(), 'distrilock-test-'));
    const requests = serverRequests(scenarioOf(options), ['n1']);
    const serverNames = requests.servers.map(({ name }) => name);
    try {
      const fleet = await containerFleetStarter.start({
        ...requests,
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
