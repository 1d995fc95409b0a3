import { ClientClocks } from '../../history/tables/client-clocks.ts';
import type {
  CommandExecuted,
  CommandSent,
  HistoryEvent,
  MessageDelayed,
  MessageLost,
  ReplyReceived,
  WriteAccepted,
  WriteRefused,
} from '../../history/event.ts';
import type { ClientClockChanged } from '../../history/fault-events.ts';
import type { History } from '../../history/history.ts';
import { clockText, isMainEvent } from '../event-text.ts';
import { OpenStretches } from './open-stretches.ts';
import type {
  ClockChange,
  FaultSpan,
  Key,
  Lease,
  ListedEvent,
  Message,
  Section,
  Standstill,
  Story,
  Wait,
  Write,
} from './story.ts';
import type { Window } from './window.ts';

/** The lane of the protected resource, as histories name it among nodes. */
export const RESOURCE_LANE = 'resource';

/**
 * Reads what a window shows. Of the events before it, only what they leave open (leases, keys, pauses) is kept, and the
 * events after it are not looked at. `proof` holds the indexes that must be listed even if such events usually are not.
 */
export function readStory(history: History, window: Window, proof: ReadonlySet<number>): Story {
  const reader = new StoryReader(window, proof);
  for (let index = 0; index < window.to; index += 1) reader.read(history.at(index), index);
  return reader.finish();
}

class StoryReader {
  private readonly window: Window;
  private readonly proof: ReadonlySet<number>;
  private clients: readonly string[] = [];
  private nodes: readonly string[] = [];
  private readonly activeClients = new Set<string>();
  private readonly activeNodes = new Set<string>();
  private readonly waits: OpenStretches<number, Wait>;
  private readonly leases: OpenStretches<number, Lease>;
  private readonly sections: OpenStretches<number, Section>;
  private readonly keys: OpenStretches<string, Key>;
  private readonly standstills: OpenStretches<string, Standstill>;
  private readonly faults: OpenStretches<number, FaultSpan>;
  private readonly messages = new Map<number, Message>();
  private readonly writes = new Map<number, Write>();
  private readonly clockChanges: ClockChange[] = [];
  private readonly listed: ListedEvent[] = [];
  private readonly momentsUs: number[] = [];
  private clocks = new ClientClocks({});

  constructor(window: Window, proof: ReadonlySet<number>) {
    this.window = window;
    this.proof = proof;
    const { fromUs } = window;
    this.waits = new OpenStretches(fromUs);
    this.leases = new OpenStretches(fromUs);
    this.sections = new OpenStretches(fromUs);
    this.keys = new OpenStretches(fromUs);
    this.standstills = new OpenStretches(fromUs);
    this.faults = new OpenStretches(fromUs);
  }

  read(event: HistoryEvent, index: number): void {
    this.readStretches(event);
    if (index < this.window.from) return;
    this.momentsUs.push(event.timeUs);
    if ('client' in event) this.activeClients.add(event.client);
    if ('node' in event && event.node !== RESOURCE_LANE) this.activeNodes.add(event.node);
    if (isMainEvent(event) || this.proof.has(index)) this.listed.push({ index, event });
    this.readPoints(event);
  }

  finish(): Story {
    const { untilUs } = this.window;
    const leases = this.leases.all();
    for (const lease of leases) {
      // Where nobody gave it back, the lease is over when its validity is.
      lease.untilUs = Math.min(lease.untilUs, lease.validUntilUs);
      this.momentsUs.push(lease.validUntilUs);
    }
    const isSeen = (stretch: { readonly fromUs: number }): boolean => stretch.fromUs <= untilUs;
    return {
      clients: [...new Set([...this.clients, ...this.activeClients])],
      nodes: [...new Set([...this.nodes, ...this.activeNodes])],
      active: new Set([...this.activeClients, ...this.activeNodes]),
      waits: this.waits.all(),
      leases: leases.filter((lease) => isSeen(lease) && lease.untilUs >= this.window.fromUs),
      sections: this.sections.all(),
      keys: this.keys.all(),
      standstills: this.standstills.all(),
      faults: this.faults.all(),
      messages: [...this.messages.values()],
      writes: [...this.writes.values()],
      clockChanges: this.clockChanges,
      listed: this.listed,
      momentsUs: this.momentsUs,
    };
  }

  /** What lasts: read from the beginning of the history on. */
  private readStretches(event: HistoryEvent): void {
    const { timeUs } = event;
    switch (event.type) {
      case 'run-started':
        this.clients = event.clients;
        this.nodes = event.nodes;
        this.clocks = new ClientClocks(event.clocks);
        break;
      case 'acquire-invoked':
        this.waits.open(event.operation, {
          fromUs: timeUs,
          untilUs: Infinity,
          client: event.client,
          resource: event.resource,
          isProbe: event.phase === 'probe',
          failure: null,
        });
        break;
      case 'acquire-failed': {
        const wait = this.waits.close(event.operation, timeUs);
        if (wait !== undefined) wait.failure = event.code;
        break;
      }
      case 'acquire-granted':
        this.waits.close(event.operation, timeUs);
        this.leases.open(event.operation, {
          fromUs: timeUs,
          untilUs: Infinity,
          client: event.client,
          resource: event.resource,
          lease: event.operation,
          token: event.token,
          validUntilUs: event.validUntilUs,
          dueUs: event.validUntilUs,
          extendedUs: [],
        });
        break;
      case 'extend-granted': {
        const lease = this.leases.get(event.lease);
        if (lease === undefined) break;
        lease.validUntilUs = Math.max(lease.validUntilUs, event.validUntilUs);
        lease.dueUs = Math.max(lease.dueUs, event.validUntilUs);
        lease.extendedUs.push(timeUs);
        break;
      }
      case 'release-invoked':
        this.leases.close(event.lease, timeUs);
        break;
      case 'section-entered':
        this.sections.open(event.lease, {
          fromUs: timeUs,
          untilUs: Infinity,
          client: event.client,
          resource: event.resource,
          lease: event.lease,
        });
        break;
      case 'section-left':
        this.sections.close(event.lease, timeUs);
        break;
      case 'command-executed':
        if (event.changed) this.keyChanged(event);
        break;
      case 'key-lost': {
        const key = this.keys.close(keyOf(event.node, event.key), timeUs);
        if (key !== undefined) key.end = event.cause;
        break;
      }
      case 'client-clock-changed':
        this.moveLeases(event);
        break;
      case 'client-paused':
        this.standstills.open(event.client, { fromUs: timeUs, untilUs: Infinity, lane: event.client, kind: 'paused' });
        break;
      case 'client-resumed':
        this.standstills.close(event.client, timeUs);
        break;
      case 'node-paused':
      case 'node-crashed':
        this.standstills.open(event.node, {
          fromUs: timeUs,
          untilUs: Infinity,
          lane: event.node,
          kind: event.type === 'node-crashed' ? 'down' : 'paused',
        });
        break;
      case 'node-resumed':
      case 'node-restarted':
        this.standstills.close(event.node, timeUs);
        break;
      case 'fault-started':
        this.faults.open(event.fault, {
          fromUs: timeUs,
          untilUs: Infinity,
          fault: event.fault,
          kind: event.kind,
          targets: event.targets,
          description: event.description,
        });
        break;
      case 'fault-ended':
        this.faults.close(event.fault, timeUs);
        break;
      default:
    }
  }

  /** The clock of a holder says when its leases are over. */
  private moveLeases(event: ClientClockChanged): void {
    const { timeUs } = event;
    const moved = this.clocks.change(event);
    if (moved === null) return;
    for (const lease of this.leases.current()) {
      if (lease.client !== event.client) continue;
      const dueUs = moved(lease.dueUs);
      const validUntilUs = Math.max(timeUs, Math.round(dueUs));
      if (lease.validUntilUs >= timeUs) {
        lease.dueUs = dueUs;
        lease.validUntilUs = validUntilUs;
      } else if (validUntilUs > timeUs) {
        this.leases.close(lease.lease, lease.validUntilUs);
        this.leases.open(lease.lease, {
          ...lease,
          fromUs: timeUs,
          untilUs: Infinity,
          validUntilUs,
          dueUs,
          extendedUs: [],
        });
      } else lease.dueUs = dueUs;
    }
  }

  /** What happens at one point of time: read within the window alone. */
  private readPoints(event: HistoryEvent): void {
    switch (event.type) {
      case 'command-sent':
      case 'command-executed':
      case 'reply-received':
        this.messageMoved(event);
        break;
      case 'write-sent':
      case 'write-accepted':
      case 'write-refused': {
        const write = this.writeOf(event);
        if (event.type === 'write-sent') write.sentUs = event.timeUs;
        else this.writeArrived(write, event);
        break;
      }
      case 'message-lost':
      case 'message-delayed':
        this.messageDisturbed(event);
        break;
      case 'node-clock-changed':
        this.clockChanges.push({ timeUs: event.timeUs, lane: event.node, text: `clock ${clockText(event)}` });
        break;
      case 'client-clock-changed':
        this.clockChanges.push({
          timeUs: event.timeUs,
          lane: event.client,
          text: `${event.clock} clock ${clockText(event)}`,
        });
        break;
      default:
    }
  }

  private keyChanged(event: CommandExecuted): void {
    const place = keyOf(event.node, event.key);
    // An extension, a commit, or an acquire that was sent twice: the key lives on.
    if (event.kind !== 'release' && event.before === event.value && this.keys.get(place) !== undefined) return;
    const earlier = this.keys.close(place, event.timeUs);
    if (earlier !== undefined) earlier.end = event.kind === 'release' ? 'released' : 'taken over';
    if (event.kind === 'release') return;
    this.keys.open(place, {
      fromUs: event.timeUs,
      untilUs: Infinity,
      node: event.node,
      key: event.key,
      value: event.value,
      client: event.client,
      end: null,
    });
  }

  private messageMoved(event: CommandSent | CommandExecuted | ReplyReceived): void {
    const message = this.messageOf(event);
    if (event.type === 'command-sent') {
      message.kind = event.kind;
      message.sentUs = event.timeUs;
    } else if (event.type === 'command-executed') {
      message.kind = event.kind;
      message.executedUs = event.timeUs;
      message.reply = event.reply;
      message.changed = event.changed;
    } else {
      message.receivedUs = event.timeUs;
      message.reply = event.reply;
    }
  }

  private messageOf(event: CommandSent | CommandExecuted | ReplyReceived | MessageLost | MessageDelayed): Message {
    let message = this.messages.get(event.command);
    if (message === undefined) {
      message = {
        command: event.command,
        client: event.client,
        node: event.node,
        kind: null,
        sentUs: null,
        executedUs: null,
        receivedUs: null,
        reply: null,
        changed: false,
        lost: null,
        delays: [],
      };
      this.messages.set(event.command, message);
    }
    return message;
  }

  private messageDisturbed(event: MessageLost | MessageDelayed): void {
    // A message to or from the protected resource is a write, and its `command` is the number of that.
    const write = event.node === RESOURCE_LANE ? this.writes.get(event.command) : undefined;
    if (event.type === 'message-lost') {
      const lost = { direction: event.direction, timeUs: event.timeUs, fault: event.fault };
      if (write !== undefined) write.lost = lost;
      else if (event.node !== RESOURCE_LANE) this.messageOf(event).lost = lost;
    } else if (write !== undefined) write.delayedByUs += event.byUs;
    else if (event.node !== RESOURCE_LANE) {
      this.messageOf(event).delays.push({ direction: event.direction, byUs: event.byUs, fault: event.fault });
    }
  }

  private writeOf(event: Pick<WriteAccepted, 'write' | 'client' | 'resource' | 'lease' | 'token'>): Write {
    let write = this.writes.get(event.write);
    if (write === undefined) {
      const { client, resource, lease, token } = event;
      write = {
        write: event.write,
        client,
        resource,
        lease,
        token,
        sentUs: null,
        arrivedUs: null,
        accepted: null,
        lost: null,
        delayedByUs: 0,
      };
      this.writes.set(event.write, write);
    }
    return write;
  }

  private writeArrived(write: Write, event: WriteAccepted | WriteRefused): void {
    write.arrivedUs = event.timeUs;
    write.accepted = event.type === 'write-accepted';
  }
}

function keyOf(node: string, key: string): string {
  return `${node}\n${key}`;
}
