import { join } from 'node:path';
import type { Address } from '../real/client/client-messages.ts';
import type { Fleet, FleetRequest, FleetStarter } from '../real/servers/server-fleet.ts';
import { freePorts } from './free-port.ts';
import { type Program, redisServerProgram, toxiproxyServerProgram } from './programs.ts';
import { RedisProcess } from './redis-process.ts';
import { redisArguments } from '../real/servers/server-settings.ts';
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
    const { request } = this;
    const { serverNames, scenario } = request;
    const replicaNames = request.hasReplicas ? serverNames.slice(0, -1) : [];
    const [toxiproxyPort = 0, ...ports] = await freePorts(1 + serverNames.length + replicaNames.length);
    serverNames.forEach((name, index) => {
      const isNode = index < serverNames.length - 1;
      const args = isNode ? redisArguments(scenario.nodes) : ['--save', ''];
      this.servers.set(name, this.redis(name, ports[index] ?? 0, args, isNode && request.movesClocks));
    });
    replicaNames.forEach((name, index) => {
      const args = redisArguments(scenario.nodes);
      this.replicas.set(name, this.redis(`${name}-replica`, ports[serverNames.length + index] ?? 0, args, false));
    });
    request.onProgress(`starting ${ports.length} redis-servers and a toxiproxy-server`);
    const starts = [
      startToxiproxy(toxiproxyServer, toxiproxyPort).then((toxiproxy) => (this.toxiproxy = toxiproxy)),
      ...[...this.servers.values(), ...this.replicas.values()].map(async (server) => {
        await server.start();
        await server.ask();
      }),
    ];
    // If one fails, the others are still on their way: what there will be must be there to be stopped.
    await Promise.allSettled(starts);
    await Promise.all(starts);
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

  async close(): Promise<void> {
    await Promise.all([
      this.toxiproxy?.stop(),
      ...[...this.servers.values(), ...this.replicas.values()].map((server) => server.stop('SIGKILL')),
    ]);
  }

  private redis(name: string, port: number, args: readonly string[], movesClock: boolean): RedisProcess {
    const folder = join(this.request.folder, name);
    return new RedisProcess({ name, program: this.redisServer, port, args, folder, movesClock });
  }
}
