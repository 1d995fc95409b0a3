import type { Redlock } from '../../../../src/redlock.ts';
import type { HistoryEvent } from '../../../history/event.ts';
import type { DurationRange } from '../../../scenario/duration.ts';
import type { WriteReply } from '../../../workload/protected-resource.ts';
import type { WorkloadClient } from '../../../workload/workload-client.ts';
import type { RandomStream } from '../../random-streams.ts';
import type { AttemptRecorder } from './recording-node.ts';
import type { SkewedEnvironment } from './skewed-environment.ts';

/** What all scripts of a client share: the process that it is. */
export interface ScriptHost extends Pick<
  WorkloadClient,
  'trueUsAfter' | 'record' | 'nextOperation' | 'nextWrite' | 'noteLease' | 'write'
> {
  readonly client: string;
  stampUs(): number;
}

/** The client as one running script sees it. */
export class ScriptClient implements WorkloadClient {
  readonly name: string;
  readonly redlock: Redlock;
  private readonly process: ScriptHost;
  private readonly attempts: AttemptRecorder;
  private readonly environment: SkewedEnvironment;
  private readonly random: RandomStream;
  private cutOff = false;

  constructor(
    process: ScriptHost,
    redlock: Redlock,
    attempts: AttemptRecorder,
    environment: SkewedEnvironment,
    random: RandomStream,
  ) {
    this.name = process.client;
    this.process = process;
    this.redlock = redlock;
    this.attempts = attempts;
    this.environment = environment;
    this.random = random;
  }

  timeUs(): number {
    return this.process.stampUs();
  }

  trueUsAfter(milliseconds: number): number {
    return this.process.trueUsAfter(milliseconds);
  }

  record(event: HistoryEvent): void {
    this.process.record(event);
  }

  nextOperation(): number {
    return this.process.nextOperation();
  }

  nextWrite(): number {
    return this.process.nextWrite();
  }

  expectAttempts(operation: number): void {
    this.attempts.operation = operation;
  }

  noteLease(resource: string, value: string): void {
    this.process.noteLease(resource, value);
  }

  sleep(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.environment.timers.schedule(milliseconds, resolve);
    });
  }

  schedule(milliseconds: number, run: () => void): () => void {
    return this.environment.timers.schedule(milliseconds, run);
  }

  drawMs({ minMs, maxMs }: DurationRange): number {
    return minMs + (maxMs - minMs) * this.random.fraction();
  }

  write(write: number, lease: number, resource: string, token: number | null): Promise<WriteReply> {
    return this.process.write(write, lease, resource, token);
  }

  isCutOff(): boolean {
    return this.cutOff;
  }

  endScript(): void {
    this.cutOff = true;
    void this.redlock.close();
  }
}
