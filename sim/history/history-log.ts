import type { CommandExecuted, CommandKind, CommandSent, HistoryEvent, ReplyReceived } from './event.ts';
import type { HistoryVisitor } from './history-visitor.ts';
import type { History, Recorder } from './history.ts';

/** Events of a chunk; a power of two, so that an index splits by shift and mask. */
const CHUNK_SHIFT = 14;
const CHUNK_LENGTH = 1 << CHUNK_SHIFT;
const CHUNK_MASK = CHUNK_LENGTH - 1;

/** What the lowest bits of a row's first column say: which of the three message events it is, or that the event is kept as an object. */
const OTHER = 0;
const SENT = 1;
const EXECUTED = 2;
const RECEIVED = 3;
const TYPE_MASK = 3;
/** The next bit says whether the command changed the key; those above it are the place of its kind. */
const CHANGED = 4;
const KIND_SHIFT = 3;

/** Integers of a row: type with changed and kind, command, client, node, reply, key, value, before. */
const STRIDE = 8;
const NO_STRING = -1;

interface Chunk {
  readonly timesUs: Float64Array;
  readonly rows: Int32Array;
}

/**
 * A history in memory. Most events of a run are of three kinds (a command sent, executed, answered), millions of them:
 * those are rows of numbers, with texts replaced by their place in a table, so that a long run costs
 * the garbage collector nothing. All other events are kept as they are. Whoever reads gets objects either way.
 */
export class HistoryLog implements History, Recorder {
  length = 0;
  private readonly chunks: Chunk[] = [];
  private readonly others: HistoryEvent[] = [];
  /** By the index of a reply that is one: the error, in a server's words. There are few. */
  private readonly errors = new Map<number, string>();
  /** The indexes of replies to commands that were never sent. */
  private readonly unsent = new Set<number>();
  private readonly strings: string[] = [];
  private readonly places = new Map<string, number>();

  /** This history itself if it is a log already, else a copy of its events. */
  static of(history: History): HistoryLog {
    if (history instanceof HistoryLog) return history;
    const log = new HistoryLog();
    for (let index = 0; index < history.length; index += 1) log.record(history.at(index));
    return log;
  }

  /** The place of `text` in the table, for the methods that take places. */
  intern(text: string): number {
    let place = this.places.get(text);
    if (place === undefined) {
      place = this.strings.length;
      this.strings.push(text);
      this.places.set(text, place);
    }
    return place;
  }

  /** The place of `text`, or -1 if it was never interned. */
  placeOf(text: string): number {
    return this.places.get(text) ?? NO_STRING;
  }

  /** The text at `place`, which must be one that `intern` or `placeOf` gave. */
  textOf(place: number): string {
    return this.strings[place] as string;
  }

  record(event: HistoryEvent): void {
    switch (event.type) {
      case 'command-sent':
        this.recordSent(
          event.timeUs,
          event.command,
          this.intern(event.client),
          this.intern(event.node),
          this.intern(event.kind),
          this.intern(event.key),
          this.intern(event.value),
        );
        break;
      case 'command-executed':
        this.recordExecuted(
          event.timeUs,
          event.command,
          this.intern(event.client),
          this.intern(event.node),
          this.intern(event.kind),
          this.intern(event.reply),
          this.intern(event.key),
          this.intern(event.value),
          event.before === null ? NO_STRING : this.intern(event.before),
          event.changed,
        );
        break;
      case 'reply-received':
        this.recordReceived(
          event.timeUs,
          event.command,
          this.intern(event.client),
          this.intern(event.node),
          this.intern(event.reply),
        );
        if (event.error !== undefined) this.errors.set(this.length - 1, event.error);
        if (event.sent === false) this.unsent.add(this.length - 1);
        break;
      default: {
        const { rows } = this.row(event.timeUs);
        const offset = ((this.length - 1) & CHUNK_MASK) * STRIDE;
        rows[offset] = OTHER;
        rows[offset + 1] = this.others.length;
        this.others.push(event);
      }
    }
  }

  recordSent(
    timeUs: number,
    command: number,
    client: number,
    node: number,
    kind: number,
    key: number,
    value: number,
  ): void {
    const { rows } = this.row(timeUs);
    const offset = ((this.length - 1) & CHUNK_MASK) * STRIDE;
    rows[offset] = SENT | (kind << KIND_SHIFT);
    rows[offset + 1] = command;
    rows[offset + 2] = client;
    rows[offset + 3] = node;
    rows[offset + 5] = key;
    rows[offset + 6] = value;
  }

  recordExecuted(
    timeUs: number,
    command: number,
    client: number,
    node: number,
    kind: number,
    reply: number,
    key: number,
    value: number,
    before: number,
    changed: boolean,
  ): void {
    const { rows } = this.row(timeUs);
    const offset = ((this.length - 1) & CHUNK_MASK) * STRIDE;
    rows[offset] = (changed ? EXECUTED | CHANGED : EXECUTED) | (kind << KIND_SHIFT);
    rows[offset + 1] = command;
    rows[offset + 2] = client;
    rows[offset + 3] = node;
    rows[offset + 4] = reply;
    rows[offset + 5] = key;
    rows[offset + 6] = value;
    rows[offset + 7] = before;
  }

  recordReceived(timeUs: number, command: number, client: number, node: number, reply: number): void {
    const { rows } = this.row(timeUs);
    const offset = ((this.length - 1) & CHUNK_MASK) * STRIDE;
    rows[offset] = RECEIVED;
    rows[offset + 1] = command;
    rows[offset + 2] = client;
    rows[offset + 3] = node;
    rows[offset + 4] = reply;
  }

  at(index: number): HistoryEvent {
    const chunk = this.chunks[index >> CHUNK_SHIFT];
    if (chunk === undefined || index < 0 || index >= this.length) {
      throw new RangeError(`There is no event ${index}: the history has ${this.length}`);
    }
    const { rows } = chunk;
    const offset = (index & CHUNK_MASK) * STRIDE;
    const head = rows[offset] as number;
    const type = head & TYPE_MASK;
    if (type === OTHER) return this.others[rows[offset + 1] as number] as HistoryEvent;
    const timeUs = chunk.timesUs[index & CHUNK_MASK] as number;
    const command = rows[offset + 1] as number;
    const client = this.textOf(rows[offset + 2] as number);
    const node = this.textOf(rows[offset + 3] as number);
    if (type === RECEIVED) {
      const error = this.errors.get(index);
      return {
        type: 'reply-received',
        timeUs,
        command,
        client,
        node,
        reply: this.textOf(rows[offset + 4] as number),
        ...(error !== undefined && { error }),
        ...(this.unsent.has(index) && { sent: false }),
      } satisfies ReplyReceived;
    }
    const kind = this.textOf(head >> KIND_SHIFT) as CommandKind;
    const key = this.textOf(rows[offset + 5] as number);
    const value = this.textOf(rows[offset + 6] as number);
    if (type === SENT) {
      return { type: 'command-sent', timeUs, command, client, node, kind, key, value } satisfies CommandSent;
    }
    const before = rows[offset + 7] as number;
    return {
      type: 'command-executed',
      timeUs,
      command,
      client,
      node,
      kind,
      key,
      value,
      reply: this.textOf(rows[offset + 4] as number),
      before: before === NO_STRING ? null : this.textOf(before),
      changed: (head & CHANGED) !== 0,
    } satisfies CommandExecuted;
  }

  /** Reads all events to `visitor`, in order. */
  visit(visitor: HistoryVisitor): void {
    for (let first = 0; first < this.length; first += CHUNK_LENGTH) {
      const { timesUs, rows } = this.chunks[first >> CHUNK_SHIFT] as Chunk;
      const count = Math.min(CHUNK_LENGTH, this.length - first);
      for (let row = 0; row < count; row += 1)
        this.visitRow(visitor, rows, row * STRIDE, first + row, timesUs[row] as number);
    }
  }

  /** The events from `from` on, so far. */
  *since(from: number): Generator<HistoryEvent> {
    for (let index = from; index < this.length; index += 1) yield this.at(index);
  }

  private visitRow(visitor: HistoryVisitor, rows: Int32Array, offset: number, index: number, timeUs: number): void {
    const head = rows[offset] as number;
    const command = rows[offset + 1] as number;
    const client = rows[offset + 2] as number;
    const node = rows[offset + 3] as number;
    const reply = rows[offset + 4] as number;
    const key = rows[offset + 5] as number;
    const value = rows[offset + 6] as number;
    const kind = head >> KIND_SHIFT;
    switch (head & TYPE_MASK) {
      case SENT:
        visitor.visitSent(index, timeUs, command, client, node, kind, key, value);
        break;
      case EXECUTED: {
        const before = rows[offset + 7] as number;
        const changed = (head & CHANGED) !== 0;
        visitor.visitExecuted(index, timeUs, command, client, node, kind, reply, key, value, before, changed);
        break;
      }
      case RECEIVED:
        visitor.visitReceived(index, timeUs, command, client, node, reply);
        break;
      default:
        visitor.visitOther(index, this.others[command] as HistoryEvent);
    }
  }

  private row(timeUs: number): Chunk {
    const index = this.length;
    let chunk = this.chunks[index >> CHUNK_SHIFT];
    if (chunk === undefined) {
      chunk = { timesUs: new Float64Array(CHUNK_LENGTH), rows: new Int32Array(CHUNK_LENGTH * STRIDE) };
      this.chunks.push(chunk);
    }
    chunk.timesUs[index & CHUNK_MASK] = timeUs;
    this.length = index + 1;
    return chunk;
  }
}
