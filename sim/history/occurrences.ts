import type { EventPattern } from '../scenario/moment.ts';
import type { HistoryEvent } from './event.ts';
import { HistoryLog } from './history-log.ts';
import type { HistoryVisitor } from './history-visitor.ts';
import type { History } from './history.ts';
import { matches } from './matches.ts';

/** How many events of the history each pattern matches, as `matches` says, without an object for each message. */
export function countOccurrences(history: History, patterns: readonly EventPattern[]): number[] {
  if (patterns.length === 0) return [];
  const log = HistoryLog.of(history);
  const counter = new OccurrenceCounter(log, patterns);
  log.visit(counter);
  return patterns.map((pattern) => counter.counts.get(pattern) ?? 0);
}

/** In place of the place of a text: any will do. */
const ANY = -2;
/** Fields that events of messages do not have, so that no message matches a pattern with one of them. */
const FOREIGN_FIELDS = ['code', 'cause', 'direction', 'phase'] as const;

/** A pattern of one of the three events of a message, with places for texts. */
interface MessagePattern {
  readonly pattern: EventPattern;
  readonly client: number;
  readonly node: number;
  readonly kind: number;
  readonly reply: number;
}

class OccurrenceCounter implements HistoryVisitor {
  readonly counts = new Map<EventPattern, number>();
  private readonly log: HistoryLog;
  private readonly sent: readonly MessagePattern[];
  private readonly executed: readonly MessagePattern[];
  private readonly received: readonly MessagePattern[];
  private readonly others = new Map<string, EventPattern[]>();

  constructor(log: HistoryLog, patterns: readonly EventPattern[]) {
    this.log = log;
    this.sent = this.messagePatterns(patterns, 'command-sent', ['reply', ...FOREIGN_FIELDS]);
    this.executed = this.messagePatterns(patterns, 'command-executed', FOREIGN_FIELDS);
    this.received = this.messagePatterns(patterns, 'reply-received', ['kind', ...FOREIGN_FIELDS]);
    for (const pattern of patterns) {
      const siblings = this.others.get(pattern.event);
      if (siblings === undefined) this.others.set(pattern.event, [pattern]);
      else siblings.push(pattern);
    }
  }

  visitSent(_index: number, _timeUs: number, _command: number, client: number, node: number, kind: number): void {
    if (this.sent.length > 0) this.countMessages(this.sent, client, node, kind, ANY);
  }

  visitExecuted(
    _index: number,
    _timeUs: number,
    _command: number,
    client: number,
    node: number,
    kind: number,
    reply: number,
  ): void {
    if (this.executed.length > 0) this.countMessages(this.executed, client, node, kind, reply);
  }

  visitReceived(_index: number, _timeUs: number, _command: number, client: number, node: number, reply: number): void {
    if (this.received.length > 0) this.countMessages(this.received, client, node, ANY, reply);
  }

  visitOther(_index: number, event: HistoryEvent): void {
    const patterns = this.others.get(event.type);
    if (patterns === undefined) return;
    for (const pattern of patterns) if (matches(event, pattern)) this.count(pattern);
  }

  private messagePatterns(
    patterns: readonly EventPattern[],
    event: EventPattern['event'],
    absent: readonly (keyof EventPattern)[],
  ): MessagePattern[] {
    const place = (text: string | undefined): number => (text === undefined ? ANY : this.log.placeOf(text));
    return patterns
      .filter((pattern) => pattern.event === event && absent.every((field) => pattern[field] === undefined))
      .map((pattern) => ({
        pattern,
        client: place(pattern.client),
        node: place(pattern.node),
        kind: place(pattern.kind),
        reply: place(pattern.reply),
      }));
  }

  private countMessages(
    patterns: readonly MessagePattern[],
    client: number,
    node: number,
    kind: number,
    reply: number,
  ): void {
    for (const pattern of patterns) {
      if (
        (pattern.client === ANY || pattern.client === client) &&
        (pattern.node === ANY || pattern.node === node) &&
        (pattern.kind === ANY || pattern.kind === kind) &&
        (pattern.reply === ANY || pattern.reply === reply)
      ) {
        this.count(pattern.pattern);
      }
    }
  }

  private count(pattern: EventPattern): void {
    this.counts.set(pattern, (this.counts.get(pattern) ?? 0) + 1);
  }
}
