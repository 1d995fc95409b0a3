import { join } from 'node:path';
import type { Address } from '../real/client-messages.ts';
import type { Fleet, FleetRequest, FleetStarter } from '../real/server-fleet.ts';
import { TestbedUnavailableError } from '../testbed-error.ts';
import { faketimePreloads } from './faketime.ts';
import { findProgram } from './find-program.ts';
import { freePorts } from './free-port.ts';
import { RedisProcess } from './redis-process.ts';
import { redisArguments } from './server-settings.ts';
import { ServerProcess } from './server-process.ts';

/** Where the programs are that this backend runs. */
export const REDIS_SERVER_VARIABLE = 'DISTRILOCK_REDIS_SERVER';
export const TOXIPROXY_SERVER_VARIABLE = 'DISTRILOCK_TOXIPROXY_SERVER';

const TOXIPROXY_READY_TEXT = 'Starting Toxiproxy HTTP server';
const TOXIPROXY_READY_WITHIN_MS = 10_000;

export function findRedisServer(): string | null {
  return findProgram(process.env[REDIS_SERVER_VARIABLE], ['redis-server', 'valkey-server']);
}

export function findToxiproxyServer(): string | null {
  return findProgram(process.env[TOXIPROXY_SERVER_VARIABLE], ['toxiproxy-server']);
}

/** Starts redis-servers and a toxiproxy-server as processes of this machine. */
export const processFleetStarter: FleetStarter = {
  backend: 'processes',
  start: async (request) => {
    const redisServer = findRedisServer();
    if (redisServer === null) {
      throw new TestbedUnavailableError(
        'there is no redis-server on the PATH',
        `apt-get install redis-server, or name one in ${REDIS_SERVER_VARIABLE}`,
      );
    }
    const toxiproxyServer = findToxiproxyServer();
    if (toxiproxyServer === null) {
      throw new TestbedUnavailableError(
        'there is no toxiproxy-server on the PATH',
        `install Toxiproxy 2.12 (https://github.com/Shopify/toxiproxy), or name its server in ${TOXIPROXY_SERVER_VARIABLE}`,
      );
    }
    if (request.movesClocks && faketimePreloads().length === 0) {
      throw new TestbedUnavailableError(
        'the clocks of nodes cannot be moved without libfaketime',
        'apt-get install libfaketime libtcmalloc-minimal4',
      );
    }
    const fleet = new ProcessFleet(request, redisServer);
    try {
      await fleet.launch(toxiproxyServer);
    } catch (error) {
      await fleet.close();
      throw error;
    }
    return fleet;
  },
};

class ProcessFleet implements Fleet {
  readonly servers = new Map<string, RedisProcess>();
  readonly replicas = new Map<string, RedisProcess>();
  toxiproxyUrl = '';
  private readonly request: FleetRequest;
  private readonly redisServer: string;
  private toxiproxy: ServerProcess | null = null;

  constructor(request: FleetRequest, redisServer: string) {
    this.request = request;
    this.redisServer = redisServer;
  }

  async launch(toxiproxyServer: string): Promise<void> {
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
    this.toxiproxyUrl = `http://127.0.0.1:${toxiproxyPort}`;
    const [toxiproxy] = await Promise.all([
      ServerProcess.start(toxiproxyServer, ['-host', '127.0.0.1', '-port', String(toxiproxyPort)], {
        readyText: TOXIPROXY_READY_TEXT,
        withinMs: TOXIPROXY_READY_WITHIN_MS,
      }),
      ...[...this.servers.values(), ...this.replicas.values()].map((server) => server.start()),
    ]);
    this.toxiproxy = toxiproxy;
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
      this.toxiproxy?.stop('SIGKILL'),
      ...[...this.servers.values(), ...this.replicas.values()].map((server) => server.stop('SIGKILL')),
    ]);
  }

  private redis(name: string, port: number, args: readonly string[], movesClock: boolean): RedisProcess {
    const folder = join(this.request.folder, name);
    return new RedisProcess({ name, program: this.redisServer, port, args, folder, movesClock });
  }
}
