import { mkdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import type Dockerode from 'dockerode';
import { GenericContainer } from 'testcontainers';
import { writeSkew } from '../real/servers/faketime.ts';
import type { ClockSkew, FleetServer } from '../real/servers/server-fleet.ts';
import { TestbedUnavailableError } from '../testbed-error.ts';
import { DATA_FOLDER, findAppendOnlyFile, sizeOf, truncateFile } from './appendonly-file.ts';
import { printedLine, ReadyWhen } from './printed-line.ts';

const PORT = 6379;
const READY_TEXT = 'Ready to accept connections';
const READY_WITHIN_MS = 20_000;
/** How often the length of the append-only file is looked at, for a power loss that is still to come. */
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
  private stoppedMs = 0;
  private isLooking = false;
  private lookError: unknown = null;
  private looks: Promise<void> = Promise.resolve();
  private appendOnlyFile: string | null = null;
  /** How long the append-only file was, and when, oldest first. */
  private lengths: { readonly atMs: number; readonly bytes: number }[] = [];

  constructor(options: RedisContainerOptions) {
    this.options = options;
    this.name = options.name;
    this.image = options.image;
    this.upstream = `${options.containerName}:${PORT}`;
    if (options.clock !== null) mkdirSync(options.clock.folder, { recursive: true, mode: 0o755 });
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
    if (this.options.losesPower) await this.beginLooking(this.container);
  }

  async stop(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    const { running } = this;
    this.isLooking = false;
    await this.looks;
    await running.kill({ signal });
    this.stoppedMs = performance.now();
    await running.wait();
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
    if (this.lookError !== null) throw this.lookError as Error;
    const sinceMs = this.stoppedMs - lastMs;
    // The last length that was surely reached by then; the file as it began, if it is younger.
    const kept = this.lengths.findLast(({ atMs }) => atMs <= sinceMs) ?? this.lengths[0];
    if (this.appendOnlyFile === null || kept === undefined) return;
    await truncateFile(this.running, this.appendOnlyFile, kept.bytes);
  }

  /** Ends what this object does by itself; whoever made the fleet removes the container. */
  async close(): Promise<void> {
    this.isLooking = false;
    await this.looks;
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

  private async beginLooking(container: Dockerode.Container): Promise<void> {
    this.appendOnlyFile ??= await findAppendOnlyFile(container);
    const path = this.appendOnlyFile;
    if (path === null) return;
    this.isLooking = true;
    this.looks = this.keepLooking(container, path).catch((error: unknown) => {
      this.lookError = error;
    });
  }

  private async keepLooking(container: Dockerode.Container, path: string): Promise<void> {
    while (this.isLooking) {
      const bytes = await sizeOf(container, path);
      // By the time of the answer it had been that long already.
      if (bytes !== null) this.lengths.push({ atMs: performance.now(), bytes });
      await setTimeout(LOOK_EVERY_MS);
    }
  }
}
