import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';

/** Whether tests against real servers can run on this machine. */
export const hasRedisServer: boolean = spawnSync('redis-server', ['--version']).status === 0;

/** What the title of a suite says when it is skipped for want of a server. */
export const NEEDS_REDIS_SERVER = 'needs redis-server on the PATH: apt-get install redis-server';

/** A port that was free a moment ago, low enough for the bus of Redis Cluster 10,000 above it. */
export async function freePort(): Promise<number> {
  for (;;) {
    const listener = createServer().listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    listener.close();
    await once(listener, 'close');
    if (port < 50_000) return port;
  }
}

/** Servers that run, so that none outlives the tests, even those that fail. */
const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const server of running) server.kill('SIGKILL');
});

/** A redis-server process of a test's own, without persistence, in a directory of its own. */
export class RedisServer {
  readonly port: number;
  private readonly args: readonly string[];
  private readonly directory: string;
  private process: ChildProcess | null = null;

  constructor(port: number, args: readonly string[]) {
    this.port = port;
    this.args = args;
    this.directory = mkdtempSync(join(tmpdir(), 'distrilock-redis-'));
  }

  get id(): string {
    return `127.0.0.1:${this.port}`;
  }

  /**
   * Starts the process, with further settings for this time, and resolves once it accepts connections. Rejects with what it printed if it
   * ends before.
   */
  async start(...more: readonly string[]): Promise<void> {
    // Sentinels want a file to write to.
    const file = join(this.directory, 'redis.conf');
    writeFileSync(file, '');
    const settings = [file, '--port', `${this.port}`, '--bind', '127.0.0.1', '--save', '', '--dir', this.directory];
    const server = spawn('redis-server', [...settings, ...this.args, ...more], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.process = server;
    running.add(server);
    server.once('exit', () => running.delete(server));
    const printed: string[] = [];
    // The output is read on after that, or the server would block on a full pipe.
    const lines = createInterface(server.stdout);
    await new Promise<void>((resolve, reject) => {
      lines.on('line', (line) => {
        printed.push(line);
        if (/Ready to accept connections|Sentinel ID is/.test(line)) resolve();
      });
      server.once('error', reject);
      server.once('exit', () => {
        reject(new Error(`redis-server on port ${this.port} ended:\n${printed.join('\n')}`));
      });
    });
  }

  /** Lets no more of the process run until `resume`. Its sockets stay open. */
  pause(): void {
    this.process?.kill('SIGSTOP');
  }

  resume(): void {
    this.process?.kill('SIGCONT');
  }

  /** Kills the process, and resolves once it is gone. `start` starts it again, empty, on the same port. */
  async kill(): Promise<void> {
    const server = this.process;
    this.process = null;
    if (server === null || !running.has(server)) return;
    const exit = once(server, 'exit');
    server.kill('SIGKILL');
    await exit;
  }

  /** Kills the process and removes what it left behind. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Starts a redis-server on a free port, with further settings as on its command line: `'--requirepass', 'secret'`. */
export async function startRedisServer(...args: readonly string[]): Promise<RedisServer> {
  for (let attempt = 1; ; attempt += 1) {
    const server = new RedisServer(await freePort(), args);
    try {
      await server.start();
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      // Another process may have taken the port meanwhile.
      if (attempt === 3 || !String(error).includes('Address already in use')) throw error;
    }
  }
}

/** Starts so many independent servers. */
export function startRedisServers(count: number, ...args: readonly string[]): Promise<RedisServer[]> {
  return Promise.all(Array.from({ length: count }, () => startRedisServer(...args)));
}

const SLOT_COUNT = 16_384;

/** Starts three masters that share the slots of one Redis Cluster, and resolves once all of them say that it is up. */
export async function startRedisCluster(): Promise<RedisServer[]> {
  const servers = await startRedisServers(3, '--cluster-enabled', 'yes', '--cluster-require-full-coverage', 'yes');
  const clients = servers.map(({ port }) => new Redis({ host: '127.0.0.1', port }));
  try {
    await Promise.all(
      clients.map((client, index) => {
        const from = Math.ceil((index * SLOT_COUNT) / clients.length);
        const to = Math.ceil(((index + 1) * SLOT_COUNT) / clients.length);
        return client.cluster('ADDSLOTS', ...Array.from({ length: to - from }, (_, slot) => from + slot));
      }),
    );
    const [first, ...others] = clients;
    for (const server of servers.slice(1)) await first?.cluster('MEET', '127.0.0.1', server.port);
    for (const client of [first, ...others]) {
      // A server tells nobody when it has heard of the others: it has to be asked.
      while (!String(await client?.cluster('INFO')).includes('cluster_state:ok')) await new Promise(setImmediate);
      while (!String(await client?.cluster('INFO')).includes('cluster_known_nodes:3')) await new Promise(setImmediate);
    }
    return servers;
  } finally {
    for (const client of clients) client.disconnect();
  }
}
