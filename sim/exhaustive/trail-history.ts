import { quorumOf } from '../../src/quorum.ts';
import type { HistoryEvent, KeyLost } from '../history/event.ts';
import { HistoryLog } from '../history/history-log.ts';
import type { History } from '../history/history.ts';
import { FLAGS, IS_PAUSED, NOW, OWNER, type Row, START } from './layout.ts';
import type { Model } from './model.ts';
import type { NodeCommand } from './node-rules.ts';
import { nodeName, nodeNames } from '../scenario/server-names.ts';
import { clientName, clientOf, CODE, kindOf, nodeOf } from './steps.ts';
import type { Trail } from './trail.ts';

const RESOURCE = 'r';
const KEY = 'lock:r';
const US_PER_TICK = 1000;

type Untimed<Event> = Event extends HistoryEvent ? Omit<Event, 'timeUs'> : never;

/** A command on its way. */
interface Message {
  readonly number: number;
  readonly command: NodeCommand;
}

/** What the history tells by numbers of its own, for one client. */
interface ClientLog {
  /** The operation of its newest acquire, which names its lease too; and those of its newest extension and release. */
  acquire: number;
  extension: number;
  release: number;
  attempts: number;
}

/** The history of a trail through a model that leaves nothing out, as the testbed writes it, for the checkers to judge. */
export function historyOf(model: Model, trail: Trail): History {
  const writer = new TrailHistory(model);
  trail.steps.forEach((step, place) => {
    writer.write(step, trail.rows[place] as Row, trail.rows[place + 1] as Row);
  });
  return writer.finish(trail.rows[trail.rows.length - 1] as Row);
}

class TrailHistory {
  private readonly model: Model;
  private readonly log = new HistoryLog();
  private readonly clients: readonly ClientLog[];
  /** By client and node, what the node has yet to run, and what the client has yet to hear of. */
  private readonly requests: readonly Message[][][];
  private readonly replies: readonly Message[][][];
  /** By node, how far its clock is ahead. */
  private readonly offsets = new Map<string, number>();
  private operations = 0;
  private commands = 0;
  private nowTick = 0;
  /** Steps in the current tick: each is a microsecond later than the one before. */
  private stepsInTick = 0;

  constructor(model: Model) {
    const { world, layout } = model;
    this.model = model;
    const clients = Array.from({ length: layout.clients }, (_, client) => clientName(client));
    const perLink = (): Message[][][] => clients.map(() => Array.from({ length: layout.nodes }, () => []));
    this.clients = clients.map(() => ({ acquire: 0, extension: 0, release: 0, attempts: 0 }));
    this.requests = perLink();
    this.replies = perLink();
    this.log.record({
      type: 'run-started',
      timeUs: 0,
      format: 1,
      scenario: 'exhaustive',
      title: 'A small world',
      backend: 'exhaustive',
      seed: 0,
      clients,
      nodes: nodeNames(layout.nodes),
      quorum: quorumOf(layout.nodes),
      longestTtlMs: world.ttlTicks,
      clockDriftFactor: 0,
      fencing: world.fencing,
      clocks: Object.fromEntries(clients.map((name) => [name, { clock: 'monotonic', rate: 1 }])),
    });
  }

  write(step: number, before: Row, after: Row): void {
    const now = after[NOW] as number;
    this.stepsInTick = now === this.nowTick ? this.stepsInTick + 1 : 0;
    this.nowTick = now;
    const kind = kindOf(step);
    if (kind <= CODE.timer && kind !== CODE.run) this.writeClientStep(kind, step, before, after);
    else if (kind === CODE.run) this.writeRun(step, before, after);
    else this.writeFault(kind, step, before, after);
  }

  finish(last: Row): History {
    this.stepsInTick += 1;
    this.nowTick = last[NOW] as number;
    this.record({ type: 'run-ended', reason: 'completed' });
    return this.log;
  }

  private record(event: Untimed<HistoryEvent>): void {
    this.log.record({ ...event, timeUs: this.nowTick * US_PER_TICK + this.stepsInTick } as HistoryEvent);
  }

  private nextOperation(): number {
    this.operations += 1;
    return this.operations;
  }

  private writeClientStep(kind: number, step: number, before: Row, after: Row): void {
    const client = clientOf(step);
    const name = clientName(client);
    const own = this.clients[client] as ClientLog;
    if (((before[this.model.layout.client(client) + FLAGS] as number) & IS_PAUSED) !== 0) {
      this.record({ type: 'client-resumed', client: name });
    }
    if (kind === CODE.acquire) {
      own.acquire = this.nextOperation();
      const invoked = { operation: own.acquire, resource: RESOURCE, ttlMs: this.model.world.ttlTicks };
      this.record({ type: 'acquire-invoked', client: name, ...invoked, phase: 'workload' });
    } else if (kind === CODE.extend) {
      own.extension = this.nextOperation();
      const invoked = { operation: own.extension, lease: own.acquire, ttlMs: this.model.world.ttlTicks };
      this.record({ type: 'extend-invoked', client: name, ...invoked });
    } else if (kind === CODE.release) {
      own.release = this.nextOperation();
      this.record({ type: 'release-invoked', client: name, operation: own.release, lease: own.acquire });
    } else if (kind === CODE.tell) {
      const message = this.replies[client]?.[nodeOf(step)]?.shift() as Message;
      const { replies } = this.model.links.at(before[this.model.layout.link(client, nodeOf(step))] as number);
      const reply = this.model.replies.at(replies[0] as number).kind;
      this.record({
        type: 'reply-received',
        command: message.number,
        client: name,
        node: nodeName(nodeOf(step)),
        reply,
      });
    }
    this.writeSent(client, before, after);
    this.writeOutcome(client, before, after);
  }

  private writeSent(client: number, before: Row, after: Row): void {
    const { layout, links } = this.model;
    const own = this.clients[client] as ClientLog;
    for (let node = 0; node < layout.nodes; node += 1) {
      const place = layout.link(client, node);
      const sentBefore = links.partAt(links.at(before[place] as number).part).commands.length;
      const { commands } = links.partAt(links.at(after[place] as number).part);
      for (const command of commands.slice(sentBefore)) {
        const value = valueText(client, command.attempt);
        if (command.kind === 'acquire' && command.attempt > own.attempts) {
          own.attempts = command.attempt;
          this.record({ type: 'attempt-started', client: clientName(client), operation: own.acquire, value });
        }
        this.commands += 1;
        this.requests[client]?.[node]?.push({ number: this.commands, command });
        const sent = { command: this.commands, client: clientName(client), node: nodeName(node) };
        this.record({ type: 'command-sent', ...sent, kind: command.kind, key: KEY, value });
      }
    }
  }

  private writeOutcome(client: number, before: Row, after: Row): void {
    const was = this.model.factsOf(before, client);
    const is = this.model.factsOf(after, client);
    const { acquire, extension, release, attempts } = this.clients[client] as ClientLog;
    const name = clientName(client);
    const untilTick = (after[this.model.layout.client(client) + START] as number) + is.untilTick;
    const validity = { validityMs: untilTick - this.nowTick, validUntilUs: untilTick * US_PER_TICK };
    const acquired = { operation: acquire, resource: RESOURCE, phase: 'workload' as const };
    if (was.phase !== 'holding' && is.phase === 'holding') {
      const lock = { value: valueText(client, attempts), token: is.token < 0 ? null : is.token, attempts: 1 };
      this.record({ type: 'acquire-granted', client: name, ...acquired, ...lock, ...validity });
    } else if (was.phase === 'acquiring' && is.phase === 'idle') {
      this.record({ type: 'acquire-failed', client: name, ...acquired, code: is.failure });
    }
    if (was.isExtending && !is.isExtending) {
      const extended = { client: name, operation: extension, lease: acquire };
      if (is.failures > was.failures) {
        this.record({ type: 'extend-failed', ...extended, code: is.failure });
      } else this.record({ type: 'extend-granted', ...extended, ...validity });
    }
    if (was.phase === 'releasing' && is.phase === 'idle') {
      this.record({ type: 'release-done', client: name, operation: release, lease: acquire });
    }
  }

  private writeRun(step: number, before: Row, after: Row): void {
    const client = clientOf(step);
    const node = nodeOf(step);
    const { layout, replies, links } = this.model;
    const message = this.requests[client]?.[node]?.shift() as Message;
    this.replies[client]?.[node]?.push(message);
    const at = layout.node(node);
    const answer = links.at(after[layout.link(client, node)] as number).replies.at(-1) as number;
    const reply = replies.at(answer).kind;
    // A node that is down runs nothing.
    if (reply === 'failed') return;
    const { kind, attempt } = message.command;
    const owner = before[at + OWNER] as number;
    const changed = before.some((number, place) => place >= at && place < at + 2 && number !== after[place]);
    const executed = {
      command: message.number,
      client: clientName(client),
      node: nodeName(node),
      kind,
      key: KEY,
      reply,
    };
    this.record({
      type: 'command-executed',
      ...executed,
      value: valueText(client, attempt),
      before: owner === 0 ? null : valueText(layout.clientOf(owner), layout.attemptOf(owner)),
      changed,
    });
  }

  private writeFault(kind: number, step: number, before: Row, after: Row): void {
    const node = nodeName(nodeOf(step));
    const client = clientName(clientOf(step));
    if (kind === CODE.crash) this.record({ type: 'node-crashed', node });
    if (kind === CODE.jump) {
      const byMs = this.model.world.jumpTicks;
      const offsetMs = (this.offsets.get(node) ?? 0) + byMs;
      this.offsets.set(node, offsetMs);
      this.record({ type: 'node-clock-changed', node, byMs, rate: 1, offsetMs });
    }
    for (let place = 0; place < this.model.layout.nodes; place += 1) {
      const owner = before[this.model.layout.node(place) + OWNER] as number;
      if (owner === 0 || after[this.model.layout.node(place) + OWNER] !== 0) continue;
      const value = valueText(this.model.layout.clientOf(owner), this.model.layout.attemptOf(owner));
      this.record({ type: 'key-lost', node: nodeName(place), key: KEY, value, cause: causeOf(kind) });
    }
    if (kind === CODE.restart) {
      const keys = after[this.model.layout.node(nodeOf(step)) + OWNER] === 0 ? 0 : 1;
      this.record({ type: 'node-restarted', node, keys });
    }
    if (kind === CODE.pause) this.record({ type: 'client-paused', client });
    if (kind === CODE['clock-back'] || kind === CODE['clock-ahead']) {
      // How far is left open; leases do not depend on it.
      const byMs = (kind === CODE['clock-back'] ? -1 : 1) * 3_600_000;
      this.record({ type: 'client-clock-changed', client, clock: 'wall', byMs, rate: 1 });
    }
  }
}

function causeOf(kind: number): KeyLost['cause'] {
  if (kind === CODE.evict) return 'evicted';
  return kind === CODE.crash || kind === CODE.restart ? 'restart' : 'expired';
}

function valueText(client: number, attempt: number): string {
  return `${clientName(client)}-${attempt}`;
}
