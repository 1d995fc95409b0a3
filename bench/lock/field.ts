import { type ChildProcess, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { type RedisServer, startRedisServers } from '../../test/redis-server.ts';
import { type Column, COLUMNS, SLOW_NODE_MS } from './columns.ts';
import type { Cores } from './cores.ts';
import type { CostOutcome, MeasurementMessage, MeasurementRequest, SpeedOutcome } from './measurement.ts';

const ROOT = new URL('../../', import.meta.url);
const PROGRAM = fileURLToPath(new URL('measure-main.ts', import.meta.url));
const DELAY_PROXY = fileURLToPath(new URL('delay-proxy-main.mjs', import.meta.url));
const COST_FLAGS = [
  '--min-semi-space-size=128',
  '--max-semi-space-size=128',
  '--no-memory-reducer',
  '--no-incremental-marking',
];

type Question = Omit<MeasurementRequest, 'what' | 'ports' | 'healthyPorts'>;

/** Redis servers, and the program that measures contenders over them, in a process of its own for each measurement. */
export class Field {
  private readonly servers: readonly RedisServer[];
  private readonly directory: string;
  private readonly cores: Cores | null;
  private readonly children = new Set<ChildProcess>();

  private constructor(servers: readonly RedisServer[], directory: string, cores: Cores | null) {
    this.servers = servers;
    this.directory = directory;
    this.cores = cores;
  }

  static async open(cores: Cores | null): Promise<Field> {
    // Where the packages are found that the program needs.
    const directory = mkdtempSync(fileURLToPath(new URL('node_modules/.bench-lock-', ROOT)));
    // One more, which stands in for the first where that is in trouble.
    const serverCount = Math.max(...COLUMNS.map(({ nodeCount }) => nodeCount)) + 1;
    const field = new Field(await startRedisServers(serverCount), directory, cores);
    // What tsx makes of each module is slower than what the package contains: it gives every closure its name when it is made.
    await build({
      entryPoints: [PROGRAM],
      outfile: field.program,
      bundle: true,
      packages: 'external',
      platform: 'node',
      format: 'esm',
      target: 'node20',
      logLevel: 'silent',
    });
    return field;
  }

  async speed(question: Question): Promise<readonly SpeedOutcome[]> {
    const message = await this.measure({ ...question, what: 'speed' });
    if (message.kind !== 'speed') throw new Error('asked for speed, and was told of cost');
    return message.outcomes;
  }

  async cost(question: Question): Promise<readonly CostOutcome[]> {
    const message = await this.measure({ ...question, what: 'cost' });
    if (message.kind !== 'cost') throw new Error('asked for cost, and was told of speed');
    return message.outcomes;
  }

  /** Ends all processes, and removes what they left. */
  async close(): Promise<void> {
    for (const child of this.children) child.kill('SIGKILL');
    await Promise.all(this.servers.map((server) => server[Symbol.asyncDispose]()));
    rmSync(this.directory, { recursive: true, force: true });
  }

  private get program(): string {
    return join(this.directory, 'measure.mjs');
  }

  private async measure(question: Omit<MeasurementRequest, 'ports' | 'healthyPorts'>): Promise<MeasurementMessage> {
    const { column } = question;
    const proxy = column.condition === 'slow' ? await this.slowDown(this.first) : null;
    try {
      const ports = this.portsFrom(0, column);
      if (proxy !== null) ports[0] = proxy.port;
      return await this.run({
        ...question,
        ports,
        healthyPorts: column.condition === 'healthy' ? null : this.portsFrom(1, column),
      });
    } finally {
      proxy?.process.kill();
      this.first.resume();
    }
  }

  private async run(request: MeasurementRequest): Promise<MeasurementMessage> {
    const [program, ...words] = [
      ...(this.cores?.clientPrefix ?? []),
      process.execPath,
      '--expose-gc',
      ...(request.what === 'cost' ? COST_FLAGS : []),
      this.program,
      JSON.stringify(request),
    ];
    const child = this.adopt(spawn(program, words, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] }));
    const exit = once(child, 'exit');
    await this.heard(child, exit);
    // Only now: whoever is hung from the start is never connected to.
    if (request.column.condition === 'hung') this.first.pause();
    child.send('go');
    const message = (await this.heard(child, exit)) as MeasurementMessage;
    await exit;
    return message;
  }

  private async heard(child: ChildProcess, exit: Promise<unknown[]>): Promise<unknown> {
    const ended = exit.then(([code]) => {
      throw new Error(`the process that measures ended with ${String(code)} before it was done: see above`);
    });
    const [message] = (await Promise.race([once(child, 'message'), ended])) as [unknown];
    return message;
  }

  private async slowDown(server: RedisServer): Promise<{ readonly process: ChildProcess; readonly port: number }> {
    const proxy = this.adopt(fork(DELAY_PROXY, [`${server.port}`, `${SLOW_NODE_MS}`], { execArgv: [] }));
    const [port] = (await once(proxy, 'message')) as [number];
    return { process: proxy, port };
  }

  private portsFrom(first: number, { nodeCount }: Column): number[] {
    return this.servers.slice(first, first + nodeCount).map(({ port }) => port);
  }

  private get first(): RedisServer {
    return this.servers[0] as RedisServer;
  }

  private adopt(child: ChildProcess): ChildProcess {
    this.children.add(child);
    child.once('exit', () => this.children.delete(child));
    return child;
  }
}
