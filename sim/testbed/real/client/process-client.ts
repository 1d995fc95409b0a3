import { appendFileSync, openSync } from 'node:fs';
import { Redis } from 'ioredis';
import type { LockNode } from '../../../../src/lock-node.ts';
import { isReplyError } from '../../../../src/reply-error.ts';
import { nodesFrom } from '../../../../src/nodes.ts';
import { Redlock } from '../../../../src/redlock.ts';
import type { HistoryEvent } from '../../../history/event.ts';
import { encodeEvent } from '../../../history/ndjson.ts';
import { OutputError, writing } from '../../../results/output-error.ts';
import type { WriteReply } from '../../../workload/protected-resource.ts';
import { probeOptions, redlockOptionsOf } from '../../../workload/redlock-options.ts';
import { probe, runScript } from '../../../workload/run-script.ts';
import { RandomStreams } from '../../random-streams.ts';
import type { ClientConfiguration, FromClient, ToClient } from './client-messages.ts';
import { AttemptRecorder, type CommandRecorder, RecordingNode } from './recording-node.ts';
import { decisionOf, RESOURCE_PREFIX, WRITE_SCRIPT } from '../resource-script.ts';
import { ScriptClient, type ScriptHost } from './script-client.ts';
import { SkewedEnvironment } from './skewed-environment.ts';
import { TrueClock } from '../true-clock.ts';

/** A line that was unplugged is found to carry again so soon: TCP by itself looks at ever longer intervals. */
const CONNECT_TIMEOUT_MS = 1000;

/** One client of a run, in a process of its own: the real library over ioredis, and the scripts that use it. */
export class ProcessClient implements CommandRecorder, ScriptHost {
  readonly client: string;
  private readonly configuration: ClientConfiguration;
  private readonly tell: (message: FromClient) => void;
  private trueClock = new TrueClock();
  private readonly environment: SkewedEnvironment;
  private readonly streams: RandomStreams;
  /** Null once it cannot be written. */
  private historyFile: number | null;
  private readonly nodes: ReadonlyMap<string, LockNode>;
  private readonly resource: Redis;
  private readonly scripts = new Set<ScriptClient>();
  private operations = 0;
  private commands = 0;
  private writes = 0;
  private unanswered = 0;
  private readonly awaitingAnswers: (() => void)[] = [];

  constructor(configuration: ClientConfiguration, tell: (message: FromClient) => void) {
    this.client = configuration.name;
    this.configuration = configuration;
    this.tell = tell;
    this.streams = new RandomStreams(configuration.seed);
    this.environment = new SkewedEnvironment(configuration.clock, this.streams.stream(`client ${this.client}`));
    this.historyFile = this.output(() => openSync(configuration.historyFile, 'w'));
    const names = Object.keys(configuration.nodes);
    const nodes = nodesFrom(
      Object.values(configuration.nodes).map((address) => ({ ...address, connectTimeout: CONNECT_TIMEOUT_MS })),
      this.environment,
      configuration.settings.restartGuard !== undefined,
    );
    this.nodes = new Map(names.map((name, index) => [name, nodes[index] as LockNode]));
    this.resource = new Redis({
      ...configuration.resource,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => 50,
    });
    // A broken connection shows in the write that it fails.
    this.resource.on('error', () => undefined);
  }

  /** Resolves once every connection is open. */
  async connect(): Promise<void> {
    const { client } = this;
    const nodes = [...this.nodes.values()].map(
      (node) =>
        new Promise<void>((resolve, reject) => {
          node.execute({ kind: 'inspect', key: 'is anybody there', timeoutMs: 10_000 }, (reply) => {
            if (reply.kind === 'failed') reject(new Error(`${client} cannot reach ${node.id}: ${reply.error.message}`));
            else resolve();
          });
        }),
    );
    const resource = this.resource.ping().catch((error: unknown) => {
      throw new Error(`${client} cannot reach the protected resource`, { cause: error });
    });
    await Promise.all([...nodes, resource]);
  }

  handle(message: Exclude<ToClient, { type: 'configure' }>): void {
    switch (message.type) {
      case 'begin':
        this.trueClock = new TrueClock(BigInt(message.startNs));
        break;
      case 'run': {
        const script = this.openScript(`script ${message.task}`);
        this.scripts.add(script);
        this.finish(
          message.task,
          runScript(script, message.script, this.configuration.settings.ttl).finally(() => this.scripts.delete(script)),
        );
        break;
      }
      case 'probe': {
        const { settings } = this.configuration;
        const script = this.openScript(`probe ${message.task}`);
        this.finish(message.task, probe(script, message.resource, settings.ttl, probeOptions(settings)));
        break;
      }
      case 'cut-off':
        for (const script of this.scripts) script.endScript();
        break;
      case 'jump-wall-clock':
        this.environment.jumpWallClock(message.byMs);
        this.recordClock('wall', message.byMs, this.environment.rate);
        this.finish(message.task, Promise.resolve());
        break;
      case 'set-clock-rate':
        this.environment.setRate(message.rate);
        this.recordClock('monotonic', 0, message.rate);
        this.recordClock('wall', 0, message.rate);
        this.finish(message.task, Promise.resolve());
        break;
      case 'await-answers':
        this.finish(message.task, this.allAnswered());
        break;
    }
  }

  stampUs(): number {
    return this.trueClock.stampUs();
  }

  /** On disk before anybody is told, so that a client which dies takes nothing with it. */
  record(event: HistoryEvent): void {
    const { historyFile } = this;
    if (historyFile === null) return;
    const isKept = this.output(() => {
      appendFileSync(historyFile, `${encodeEvent(event)}\n`);
      return true;
    });
    if (isKept !== null) this.tell({ type: 'event', event });
  }

  /** Called for each command that is sent. */
  nextCommand(): number {
    this.unanswered += 1;
    this.commands += 1;
    return this.ownNumber(this.commands);
  }

  noteAnswer(): void {
    this.unanswered -= 1;
    if (this.unanswered > 0) return;
    for (const done of this.awaitingAnswers.splice(0)) done();
  }

  nextOperation(): number {
    this.operations += 1;
    return this.ownNumber(this.operations);
  }

  nextWrite(): number {
    this.writes += 1;
    return this.ownNumber(this.writes);
  }

  noteLease(resource: string, value: string): void {
    this.tell({ type: 'lease', key: this.configuration.keyPrefix + resource, value });
  }

  trueUsAfter(milliseconds: number): number {
    return this.trueClock.nowUs() + Math.round(this.environment.trueMs(milliseconds) * 1000);
  }

  async write(write: number, lease: number, resource: string, token: number | null): Promise<WriteReply> {
    this.record({ type: 'write-sent', timeUs: this.stampUs(), client: this.client, write, lease, resource, token });
    let answer: unknown;
    try {
      answer = await this.resource.eval(
        WRITE_SCRIPT,
        1,
        RESOURCE_PREFIX + resource,
        write,
        lease,
        token === null ? '' : String(token),
        this.client,
      );
    } catch (error) {
      if (isReplyError(error)) this.tell({ type: 'write-failed', write, error: error.message });
      return { accepted: 'unknown' };
    }
    const reply = decisionOf(answer);
    this.tell({ type: 'write-answered', write, reply });
    return reply;
  }

  /** What `write` returns; null if the history cannot be kept, which the run is told: it must not go on. */
  private output<Result>(write: () => Result): Result | null {
    try {
      return writing(this.configuration.historyFile, write);
    } catch (error) {
      if (!(error instanceof OutputError)) throw error;
      this.historyFile = null;
      this.tell({ type: 'output-failed', problem: error.problem });
      return null;
    }
  }

  private allAnswered(): Promise<void> {
    if (this.unanswered === 0) return Promise.resolve();
    return new Promise((resolve) => this.awaitingAnswers.push(resolve));
  }

  private openScript(name: string): ScriptClient {
    const { settings, keyPrefix } = this.configuration;
    const attempts = new AttemptRecorder(this);
    const nodes = [...this.nodes].map(([id, node]) => new RecordingNode(id, node, attempts, this));
    const redlock = new Redlock(nodes, {
      ...redlockOptionsOf(settings),
      keyPrefix,
      environment: this.environment,
    });
    return new ScriptClient(this, redlock, attempts, this.environment, this.streams.stream(`${this.client} ${name}`));
  }

  /** Every so many-th number is this client's, so that no two clients give the same. */
  private ownNumber(count: number): number {
    return (count - 1) * this.configuration.clientCount + this.configuration.place + 1;
  }

  private finish(task: number, work: Promise<unknown>): void {
    work.then(
      (granted) => {
        this.tell(typeof granted === 'boolean' ? { type: 'done', task, granted } : { type: 'done', task });
      },
      (error: unknown) => {
        this.tell({
          type: 'done',
          task,
          error: error instanceof Error ? (error.stack ?? error.message) : String(error),
        });
      },
    );
  }

  private recordClock(clock: 'wall' | 'monotonic', byMs: number, rate: number): void {
    this.record({ type: 'client-clock-changed', timeUs: this.stampUs(), client: this.client, clock, byMs, rate });
  }
}
