import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { join } from 'node:path';
import type { Address } from '../real/address.ts';
import { within } from '../real/deadline.ts';
import { forgetRemains, leaveRemains, type ModuleRemains, watchRemains } from '../real/reaper.ts';
import type { Fleet, FleetRequest, FleetStarter, ServerRequest } from '../real/servers/server-fleet.ts';
import { settleAll } from '../real/settle-all.ts';
import { askServers } from './ask-servers.ts';
import { removeLabelled } from './container-remains.mjs';
import { connectDocker, type Docker } from './docker.ts';
import { addressOfEngine } from './engine-address.ts';
import { buildFaketimeImage, clockFileOf, faketimeImage, provideImage, redisImage, toxiproxyImage } from './images.ts';
import { createNetwork } from './networks.ts';
import { labelsOf, removeOrphans, RUN_LABEL } from './orphans.ts';
import { RedisContainer } from './redis-container.ts';
import { ToxiproxyContainer } from './toxiproxy-container.ts';
import { ToxiproxyLine } from './toxiproxy-line.ts';

/** Who has ended a run does not wait longer than this for Docker to be done with what it was asked before. */
const ABANDON_AFTER_MS = 10_000;
/** Nor than this for it to remove everything. */
const CLOSE_WITHIN_MS = 15_000;
/** By which the reaper finds what removes containers. */
const REMOVER = new URL('container-remains.mjs', import.meta.url).href;

/** Starts Redis servers and Toxiproxy in containers on a network of their own. */
export const containerFleetStarter: FleetStarter = {
  backend: 'containers',
  start: async (request) => {
    const docker = await connectDocker();
    let timer: NodeJS.Timeout | undefined;
    const abandonLater = (): void => {
      timer = setTimeout(() => docker.calls.abandon(), ABANDON_AFTER_MS);
    };
    request.signal.addEventListener('abort', abandonLater, { once: true });
    try {
      const images = await provideImages(docker, request);
      request.signal.throwIfAborted();
      // If that fails, it is no reason not to run.
      await removeOrphans(docker.engine).catch(() => undefined);
      return await startFleet(request, docker, images);
    } finally {
      clearTimeout(timer);
      request.signal.removeEventListener('abort', abandonLater);
    }
  },
};

async function startFleet(request: FleetRequest, docker: Docker, images: FleetImages): Promise<Fleet> {
  const fleet = new ContainerFleet(request, docker);
  try {
    await fleet.launch(images);
  } catch (error) {
    await fleet.close();
    throw error;
  }
  return fleet;
}

interface FleetImages {
  readonly redis: string;
  readonly toxiproxy: string;
  /** What nodes run whose clocks are moved, and the file that their clocks follow; null if none are. */
  readonly faketime: { readonly image: string; readonly clockFile: string } | null;
}

async function provideImages({ engine }: Docker, request: FleetRequest): Promise<FleetImages> {
  const redis = redisImage();
  const toxiproxy = toxiproxyImage();
  await Promise.all([redis, toxiproxy].map((image) => provideImage(engine, image, request)));
  if (!request.servers.some(({ movesClock }) => movesClock))
    return { redis: redis.image, toxiproxy: toxiproxy.image, faketime: null };
  const ready = faketimeImage();
  if (ready !== null) await provideImage(engine, ready, request);
  const image = ready?.image ?? (await buildFaketimeImage(engine, redis.image, request));
  return {
    redis: redis.image,
    toxiproxy: toxiproxy.image,
    faketime: { image, clockFile: await clockFileOf(engine, image) },
  };
}

class ContainerFleet implements Fleet {
  readonly servers = new Map<string, RedisContainer>();
  readonly replicas = new Map<string, RedisContainer>();
  readonly lines = new Map<string, ToxiproxyLine>();
  private readonly request: FleetRequest;
  private readonly docker: Docker;
  private readonly id: string;
  private readonly labels: Readonly<Record<string, string>>;
  private readonly ownLabel: string;
  private readonly remains: ModuleRemains;
  private toxiproxy: ToxiproxyContainer | null = null;

  constructor(request: FleetRequest, docker: Docker) {
    this.request = request;
    this.docker = docker;
    this.id = `distrilock-${randomUUID().slice(0, 13)}`;
    this.labels = labelsOf(this.id);
    this.ownLabel = `${RUN_LABEL}=${this.id}`;
    this.remains = {
      module: REMOVER,
      argument: { docker: addressOfEngine(docker.engine), labels: [this.ownLabel] },
    };
    // Before there is anything, so that nothing can be missed.
    watchRemains(this.remains);
  }

  async launch(images: FleetImages): Promise<void> {
    const { request, docker } = this;
    const sinceMs = performance.now();
    request.onProgress(
      `starting ${request.servers.length + request.replicas.size} containers of Redis and one of Toxiproxy`,
    );
    const isDirect = await this.createNetwork();
    for (const wanted of request.servers) this.servers.set(wanted.name, this.redis(wanted, images));
    for (const [primary, wanted] of request.replicas) this.replicas.set(primary, this.redis(wanted, images));
    const { redisServers } = this;
    const [toxiproxy] = await settleAll([
      ToxiproxyContainer.start({
        engine: docker.engine,
        image: images.toxiproxy,
        containerName: this.toxiproxyName,
        network: this.id,
        labels: this.labels,
        proxyCount: request.proxyCount,
        isDirect,
        host: docker.client.info.containerRuntime.host,
      }),
      ...redisServers.map((server) => server.start()),
    ]);
    this.toxiproxy = toxiproxy;
    await settleAll([askServers(toxiproxy, redisServers), isDirect ? this.layLines() : Promise.resolve()]);
    request.onProgress(`the containers are ready after ${((performance.now() - sinceMs) / 1000).toFixed(1)} s`);
  }

  get toxiproxyUrl(): string {
    return this.proxy.url;
  }

  proxyListen(number: number): string {
    return this.proxy.proxyListen(number);
  }

  proxyAddress(number: number): Address {
    return this.proxy.proxyAddress(number);
  }

  proxyAddressForServers(number: number): Address {
    return this.proxy.proxyAddressForServers(number);
  }

  async unaskedEnd(): Promise<string | null> {
    const programs = [...(this.toxiproxy === null ? [] : [this.toxiproxy]), ...this.redisServers];
    const ends = await Promise.all(programs.map((program) => program.unaskedEnd()));
    return ends.find((end) => end !== null) ?? null;
  }

  /** What Docker does not remove now is left to the reaper: that the run has come to its end does not depend on it. */
  async close(): Promise<void> {
    try {
      await within(CLOSE_WITHIN_MS, this.removeAll(), () => new Error('Docker is late'));
      forgetRemains(this.remains);
    } catch {
      this.docker.calls.abandon();
      leaveRemains(this.remains);
      this.request.onProgress('Docker does not remove the containers: a process of its own goes on trying');
    }
  }

  private async removeAll(): Promise<void> {
    await Promise.allSettled(this.redisServers.map((server) => server.close()));
    await removeLabelled(this.docker.engine, [this.ownLabel]);
  }

  private get redisServers(): readonly RedisContainer[] {
    return [...this.servers.values(), ...this.replicas.values()];
  }

  private get toxiproxyName(): string {
    return `${this.id}-toxiproxy`;
  }

  /** Where this host is not on the networks, it reaches Toxiproxy by one way only. */
  private async layLines(): Promise<void> {
    const lay = async (node: string): Promise<void> => {
      const line = await ToxiproxyLine.lay({
        engine: this.docker.engine,
        labels: this.labels,
        networkName: `${this.id}-line-${node}`,
        toxiproxy: this.toxiproxyName,
      });
      this.lines.set(node, line);
    };
    await settleAll(this.request.lineNames.map(lay));
  }

  private get proxy(): ToxiproxyContainer {
    if (this.toxiproxy === null) throw new Error('Toxiproxy was not started');
    return this.toxiproxy;
  }

  /** Makes the run's network; resolves to whether this host is on it, so that it reaches containers by their own addresses. */
  private async createNetwork(): Promise<boolean> {
    const { docker, id: name, labels } = this;
    const network = await createNetwork(docker.engine, { name, labels, isInternal: false });
    const { IPAM } = (await network.inspect()) as { readonly IPAM?: { readonly Config?: { Gateway?: string }[] } };
    const gateway = IPAM?.Config?.find(({ Gateway }) => Gateway !== undefined)?.Gateway;
    return gateway !== undefined && (await isAddressOfThisHost(gateway));
  }

  private redis({ name, args, movesClock }: ServerRequest, images: FleetImages): RedisContainer {
    const { request } = this;
    const faketime = movesClock ? images.faketime : null;
    return new RedisContainer({
      name,
      containerName: `${this.id}-${name}`,
      engine: this.docker.engine,
      image: faketime?.image ?? images.redis,
      network: this.id,
      labels: this.labels,
      args,
      clock: faketime === null ? null : { path: faketime.clockFile, folder: join(request.folder, name) },
      losesPower: request.losesPower,
    });
  }
}

/** Only the host whose address it is can listen there. The list of its interfaces lacks a network on which nothing runs yet. */
async function isAddressOfThisHost(address: string): Promise<boolean> {
  const listener = createServer().listen(0, address);
  try {
    await once(listener, 'listening');
    listener.close();
    return true;
  } catch {
    return false;
  }
}
