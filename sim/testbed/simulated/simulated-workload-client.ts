import { Redlock } from '../../../src/redlock.ts';
import type { RedlockOptions } from '../../../src/options.ts';
import type { HistoryEvent } from '../../history/event.ts';
import type { ObservedLog } from '../../history/observed-log.ts';
import type { DurationRange } from '../../scenario/duration.ts';
import type { WriteReply, WriteRequest } from '../../workload/protected-resource.ts';
import type { WorkloadClient } from '../../workload/workload-client.ts';
import { Exchange, type Link } from './link.ts';
import { CommandLog, LinkedNode } from './linked-node.ts';
import type { RandomStream } from '../random-streams.ts';
import type { SimulatedClient } from './simulated-client.ts';
import type { SimulatedFaults } from './simulated-faults.ts';
import type { SimulatedNode } from './simulated-node.ts';
import type { Simulation } from './simulation.ts';

/** Numbers that are given out across all clients of a run. */
export interface RunCounters {
  operations: number;
  commands: number;
  writes: number;
}

/** What all scripts of one run share. */
export interface SimulatedWorld {
  readonly simulation: Simulation;
  readonly log: ObservedLog;
  readonly nodes: readonly SimulatedNode[];
  readonly counters: RunCounters;
  readonly faults: SimulatedFaults;
  readonly redlockOptions: RedlockOptions;
  keyOf(resource: string): string;
}

/** Bytes of a write on the wire, about. */
const WRITE_BYTES = 200;

/** A client of the simulated world, as one script sees it. */
export class SimulatedWorkloadClient implements WorkloadClient {
  readonly name: string;
  readonly redlock: Redlock;
  private readonly world: SimulatedWorld;
  private readonly client: SimulatedClient;
  private readonly resourceLink: Link<WriteRequest, WriteReply>;
  private readonly random: RandomStream;
  private readonly commands: CommandLog;
  private cutOff = false;

  constructor(
    world: SimulatedWorld,
    client: SimulatedClient,
    nodeLinks: readonly ConstructorParameters<typeof LinkedNode>[1][],
    resourceLink: Link<WriteRequest, WriteReply>,
    random: RandomStream,
  ) {
    const { simulation, log, counters, nodes } = world;
    this.name = client.name;
    this.world = world;
    this.client = client;
    this.resourceLink = resourceLink;
    this.random = random;
    this.commands = new CommandLog(simulation, log, client, counters);
    this.redlock = new Redlock(
      nodes.map(({ name }, index) => new LinkedNode(name, nodeLinks[index] as never, this.commands, log)),
      { ...world.redlockOptions, environment: client.environment },
    );
  }

  timeUs(): number {
    return this.world.simulation.nowUs;
  }

  trueUsAfter(milliseconds: number): number {
    return this.client.trueUsAfter(milliseconds);
  }

  record(event: HistoryEvent): void {
    this.world.log.record(event);
  }

  nextOperation(): number {
    this.world.counters.operations += 1;
    return this.world.counters.operations;
  }

  nextWrite(): number {
    this.world.counters.writes += 1;
    return this.world.counters.writes;
  }

  expectAttempts(operation: number): void {
    this.commands.operation = operation;
  }

  noteLease(resource: string, value: string): void {
    this.world.faults.noteLease({ client: this.name, key: this.world.keyOf(resource), value });
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.client.environment.timers.schedule(milliseconds, resolve);
    });
  }

  schedule(milliseconds: number, run: () => void): () => void {
    return this.client.environment.timers.schedule(milliseconds, run);
  }

  drawMs({ minMs, maxMs }: DurationRange): number {
    return minMs + (maxMs - minMs) * this.random.fraction();
  }

  write(write: number, lease: number, resource: string, token: number | null): Promise<WriteReply> {
    this.record({ type: 'write-sent', timeUs: this.timeUs(), client: this.name, write, lease, resource, token });
    return new Promise((resolve) => {
      const request: WriteRequest = { write, lease, resource, token };
      this.resourceLink.send(new Exchange(this.resourceLink, write, 'write', 0, request, WRITE_BYTES, 0, 0, resolve));
    });
  }

  isCutOff(): boolean {
    return this.cutOff;
  }

  /** Stops the script before its next step, and its acquires at once, or as soon as its process goes on. */
  endScript(): void {
    this.cutOff = true;
    this.client.enter(() => {
      void this.redlock.close();
    });
  }
}
