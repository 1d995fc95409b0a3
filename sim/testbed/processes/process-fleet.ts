import { join } from 'node:path';
import type { Address } from '../real/address.ts';
import type { Fleet, FleetRequest, FleetStarter, ServerRequest } from '../real/servers/server-fleet.ts';
import { settleAll } from '../real/settle-all.ts';
import { freePorts } from './free-port.ts';
import { type Program, redisServerProgram, toxiproxyServerProgram } from './programs.ts';
import { RedisProcess } from './redis-process.ts';
import { startToxiproxy, type ToxiproxyProcess } from './toxiproxy-process.ts';

export interface ProcessFleetOptions {
  /** The name of the backend, as results have it. */
  readonly backend: string;
  /** The path of a redis-server; null for the one that the environment names. */
  readonly redisServer: string | null;
}

/** Starts redis-servers and a toxiproxy-server as processes of this machine. */
export function processFleetStarter({ backend, redisServer }: ProcessFleetOptions): FleetStarter {
  return {
    backend,
    start: async (request) => {
      const redis = redisServerProgram(redisServer);
      const toxiproxy = toxiproxyServerProgram();
      const fleet = new ProcessFleet(request, redis);
      try {
        await fleet.launch(toxiproxy);
      } catch (error) {
        await fleet.close();
        throw error;
      }
      return fleet;
    },
  };
}

class ProcessFleet implements Fleet {
  readonly servers = new Map<string, RedisProcess>();
  readonly replicas = new Map<string, RedisProcess>();
  /** There is one loopback for all: Toxiproxy alone parts clients from servers. */
  readonly lines: Fleet['lines'] = new Map();
  private readonly request: FleetRequest;
  private readonly redisServer: Program;
  private toxiproxy: ToxiproxyProcess | null = null;

  constructor(request: FleetRequest, redisServer: Program) {
    this.request = request;
    this.redisServer = redisServer;
  }

  async launch(toxiproxyServer: Program): Promise<void> {
    const { servers, replicas, onProgress } = this.request;
    const [toxiproxyPort = 0, ...ports] = await freePorts(1 + servers.length + replicas.size);
    const made = (wanted: ServerRequest): RedisProcess => this.redis(wanted, ports.shift() ?? 0);
    for (const wanted of servers) this.servers.set(wanted.name, made(wanted));
    for (const [primary, wanted] of replicas) this.replicas.set(primary, made(wanted));
    const all = this.redisServers;
    onProgress(`starting ${all.length} redis-servers and a toxiproxy-server`);
    await settleAll([
      startToxiproxy(toxiproxyServer, toxiproxyPort).then((toxiproxy) => (this.toxiproxy = toxiproxy)),
      ...all.map(async (server) => {
        await server.start();
        await server.ask();
      }),
    ]);
  }

  get toxiproxyUrl(): string {
    if (this.toxiproxy === null) throw new Error('Toxiproxy was not started');
    return this.toxiproxy.url;
  }

  proxyListen(): string {
    return '127.0.0.1:0';
  }

  proxyAddress(_number: number, listen: string): Address {
    return { host: '127.0.0.1', port: Number(listen.slice(listen.lastIndexOf(':') + 1)) };
  }

  proxyAddressForServers(number: number, listen: string): Address {
    return this.proxyAddress(number, listen);
  }

  unaskedEnd(): Promise<string | null> {
    const ends = [this.toxiproxy?.unaskedEnd() ?? null, ...this.redisServers.map((server) => server.unaskedEnd)];
    return Promise.resolve(ends.find((end) => end !== null) ?? null);
  }

  async close(): Promise<void> {
    await Promise.all([this.toxiproxy?.stop(), ...this.redisServers.map((server) => server.stop('SIGKILL'))]);
  }

  private get redisServers(): readonly RedisProcess[] {
    return [...this.servers.values(), ...this.replicas.values()];
  }

  private redis(wanted: ServerRequest, port: number): RedisProcess {
    const { folder, losesPower } = this.request;
    return new RedisProcess({
      ...wanted,
      program: this.redisServer,
      port,
      folder: join(folder, wanted.name),
      losesPower,
    });
  }
}
