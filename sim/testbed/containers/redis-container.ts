import { mkdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type Dockerode from 'dockerode';
import { GenericContainer } from 'testcontainers';
import { writeSkew } from '../real/servers/clock-file.ts';
import { AppendOnlyFile, type DataFolder } from '../real/servers/append-only-file.ts';
import type { ClockSkew, FleetServer } from '../real/servers/server-fleet.ts';
import { inTemporaryFolder } from '../temporary-folder.ts';
import { RunLostError, TestbedUnavailableError } from '../testbed-error.ts';
import { endOf } from './container-end.ts';
import { readFile, sizeOf, truncateFile } from './container-files.ts';
import { printedLine, ReadyWhen } from './printed-line.ts';

const PORT = 6379;
const DATA_FOLDER = '/data';
const READY_TEXT = 'Ready to accept connections';
const READY_WITHIN_MS = 20_000;
/** Each look keeps Docker busy for some milliseconds. */
const LOOK_EVERY_MS = 50;

export interface RedisContainerOptions {
  readonly name: string;
  /** By which the other containers of the network find it. */
  readonly containerName: string;
  readonly engine: Dockerode;
  readonly image: string;
  readonly network: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Arguments of the server. */
  readonly args: readonly string[];
  /** The file in the container that the server's clock follows, and a folder of this host to put it into; null if its clock is not moved. */
  readonly clock: { readonly path: string; readonly folder: string } | null;
  /** Whether power losses are to come: then what is on disk is watched. */
  readonly losesPower: boolean;
}

/** A Redis or Valkey server in a container of its own, which stays the same through crashes and restarts, and so do its name and its disk. */
export class RedisContainer implements FleetServer {
  readonly name: string;
  readonly upstream: string;
  readonly image: string;
  private readonly options: RedisContainerOptions;
  private container: Dockerode.Container | null = null;
  private skew: ClockSkew = { offsetMs: 0, rate: 1 };
  /** When the server's process started, by the wall clock. */
  private startedMs = 0;
  private isStopped = true;
  private readonly appendOnlyFile: AppendOnlyFile | null;

  constructor(options: RedisContainerOptions) {
    this.options = options;
    this.name = options.name;
    this.image = options.image;
    this.upstream = `${options.containerName}:${PORT}`;
    this.appendOnlyFile = options.losesPower ? new AppendOnlyFile(this.dataFolder(), LOOK_EVERY_MS) : null;
    const { clock } = options;
    if (clock !== null) inTemporaryFolder(() => mkdirSync(clock.folder, { recursive: true, mode: 0o755 }));
  }

  async start(): Promise<void> {
    this.startedMs = Date.now();
    this.writeClock();
    if (this.container === null) this.container = await this.create();
    else {
      // What it printed before it ended is of no interest; when it starts again is known only after it may have printed all.
      const { State } = await this.container.inspect();
      await this.container.start();
      await this.noteStart(this.container);
      await this.becomesReady(this.container, Date.parse(State.FinishedAt) / 1000);
    }
    this.isStopped = false;
    await this.appendOnlyFile?.watch();
  }

  async stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { running } = this;
    this.isStopped = true;
    await this.appendOnlyFile?.endWatch();
    await running.kill({ signal });
    this.appendOnlyFile?.noteStop();
    await running.wait();
  }

  /** How the server has ended although nobody stopped it, in words; null if it has not. */
  async unaskedEnd(): Promise<string | null> {
    if (this.isStopped || this.container === null) return null;
    const end = await endOf(this.container);
    return end === null ? null : `the redis-server of ${this.name} ${end}`;
  }

  async pause(): Promise<void> {
    await this.running.pause();
  }

  async resume(): Promise<void> {
    await this.running.unpause();
  }

  setClock(skew: ClockSkew): Promise<void> {
    this.skew = skew;
    this.writeClock();
    return Promise.resolve();
  }

  async loseUnsynced(lastMs: number): Promise<void> {
    await this.appendOnlyFile?.loseUnsynced(lastMs);
  }

  /** Ends what this object does by itself; whoever made the fleet removes the container. */
  async close(): Promise<void> {
    await this.appendOnlyFile?.endWatch();
  }

  private get running(): Dockerode.Container {
    if (this.container === null) throw new Error(`${this.name} was not started`);
    return this.container;
  }

  private async create(): Promise<Dockerode.Container> {
    const { engine, image, containerName, network, labels, args, clock } = this.options;
    const generic = new GenericContainer(image)
      .withName(containerName)
      .withNetworkMode(network)
      .withLabels({ ...labels })
      .withCommand([
        '--port',
        String(PORT),
        '--bind',
        '0.0.0.0',
        '--protected-mode',
        'no',
        '--dir',
        DATA_FOLDER,
        ...args,
      ])
      // The run's own reaper sees to that, with or without an image for the one of testcontainers.
      .withAutoCleanup(false)
      .withWaitStrategy(
        new ReadyWhen(async (container) => {
          const known = engine.getContainer(container.id);
          await this.noteStart(known);
          await this.becomesReady(known, 0);
        }),
      );
    if (clock !== null) {
      generic.withBindMounts([{ source: clock.folder, target: dirname(clock.path), mode: 'ro' }]);
    }
    const started = await generic.start();
    const container = engine.getContainer(started.getId());
    if (clock !== null && (await sizeOf(container, clock.path)) === null) {
      throw new TestbedUnavailableError(
        `the Docker daemon does not see the folder ${clock.folder} of this machine, by which the clocks of nodes are moved`,
        'use a daemon on this machine, or point TMPDIR at a folder that it shares',
      );
    }
    return container;
  }

  private async becomesReady(container: Dockerode.Container, since: number): Promise<void> {
    try {
      await printedLine(container, READY_TEXT, { since, withinMs: READY_WITHIN_MS });
    } catch (error) {
      if (error instanceof RunLostError) throw error;
      throw new TestbedUnavailableError(
        `the container of ${this.name} (image ${this.image}) is no Redis or Valkey that works: ${(error as Error).message}`,
        'name an image of Redis or Valkey in DISTRILOCK_REDIS_IMAGE, or fix what it complains of',
        { cause: error },
      );
    }
  }

  /** libfaketime counts a rate from the start of the process. */
  private async noteStart(container: Dockerode.Container): Promise<void> {
    const { State } = await container.inspect();
    this.startedMs = Date.parse(State.StartedAt);
    if (this.skew.rate !== 1) this.writeClock();
  }

  private writeClock(): void {
    const { clock } = this.options;
    if (clock !== null) writeSkew(join(clock.folder, basename(clock.path)), this.skew, this.startedMs);
  }

  private dataFolder(): DataFolder {
    const inContainer = (path: string): string => `${DATA_FOLDER}/${path}`;
    return {
      read: (path) => readFile(this.running, inContainer(path)),
      sizeOf: (path) => sizeOf(this.running, inContainer(path)),
      truncate: (path, bytes) => truncateFile(this.running, inContainer(path), bytes),
    };
  }
}
