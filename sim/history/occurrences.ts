import type { EventPattern } from './event-pattern.ts';
import type { HistoryEvent } from './event.ts';
import { HistoryLog } from './history-log.ts';
import type { HistoryVisitor } from './history-visitor.ts';
import type { History } from './history.ts';
import { matches } from './matches.ts';

/**
 * How many events of the history each pattern matches, as `matches` says, without an object for each message. What happens only
 * because the workload is over and everything is healed proves nothing: it counts for none but patterns of the phase `probe`. Of a pattern with
 * `before`, only what happens before the first event that matches that one counts, and nothing if there is no such event.
 */
export function countOccurrences(
  history: History,
  patterns: readonly (EventPattern & { readonly before?: EventPattern | undefined })[],
): number[] {
  if (patterns.length === 0) return [];
  const log = HistoryLog.of(history);
  const tallies = patterns.map((pattern): Tally => {
    const end: Tally | null = pattern.before === undefined ? null : { pattern: pattern.before, end: null, count: 0 };
    return { pattern, end, count: 0 };
  });
  // Ends come first: what is an end is not before itself.
  const ends = tallies.flatMap(({ end }) => (end === null ? [] : [end]));
  log.visit(new OccurrenceCounter(log, [...ends, ...tallies]));
  return tallies.map(({ count, end }) => (end?.count === 0 ? 0 : count));
}

/** In place of the place of a text: any will do. */
const ANY = -2;
/** Fields that events of messages do not have, so that no message matches a pattern with one of them. */
const FOREIGN_FIELDS = ['code', 'cause', 'direction', 'phase'] as const;

interface Tally {
  readonly pattern: EventPattern;
  /** Once this has happened, nothing counts any more. */
  readonly end: Tally | null;
  count: number;
}

function isOpen({ end }: Tally): boolean {
  return end === null || end.count === 0;
}

/** What a pattern asks of one of the three events of a message, with places for texts. */
interface MessagePattern {
  readonly tally: Tally;
  readonly client: number;
  readonly node: number;
  readonly kind: number;
  readonly reply: number;
}

class OccurrenceCounter implements HistoryVisitor {
  private readonly log: HistoryLog;
  private readonly sent: readonly MessagePattern[];
  private readonly executed: readonly MessagePattern[];
  private readonly received: readonly MessagePattern[];
  private readonly others = new Map<string, Tally[]>();
  private isOver = false;

  constructor(log: HistoryLog, tallies: readonly Tally[]) {
    this.log = log;
    this.sent = this.messagePatterns(tallies, 'command-sent', ['reply', ...FOREIGN_FIELDS]);
    this.executed = this.messagePatterns(tallies, 'command-executed', FOREIGN_FIELDS);
    this.received = this.messagePatterns(tallies, 'reply-received', ['kind', ...FOREIGN_FIELDS]);
    for (const tally of tallies) {
      const siblings = this.others.get(tally.pattern.event);
      if (siblings === undefined) this.others.set(tally.pattern.event, [tally]);
      else siblings.push(tally);
    }
  }

  visitSent(_index: number, _timeUs: number, _command: number, client: number, node: number, kind: number): void {
    if (this.sent.length > 0 && !this.isOver) this.countMessages(this.sent, client, node, kind, ANY);
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
    if (this.executed.length > 0 && !this.isOver) this.countMessages(this.executed, client, node, kind, reply);
  }

  visitReceived(_index: number, _timeUs: number, _command: number, client: number, node: number, reply: number): void {
    if (this.received.length > 0 && !this.isOver) this.countMessages(this.received, client, node, ANY, reply);
  }

  visitOther(_index: number, event: HistoryEvent): void {
    if (event.type === 'workload-ended' || event.type === 'healed') this.isOver = true;
    const tallies = this.others.get(event.type);
    if (tallies === undefined) return;
    for (const tally of tallies) {
      if (this.isOver && tally.pattern.phase !== 'probe') continue;
      if (isOpen(tally) && matches(event, tally.pattern)) tally.count += 1;
    }
  }

  private messagePatterns(
    tallies: readonly Tally[],
    event: EventPattern['event'],
    absent: readonly (keyof EventPattern)[],
  ): MessagePattern[] {
    const place = (text: string | undefined): number => (text === undefined ? ANY : this.log.placeOf(text));
    return tallies
      .filter(({ pattern }) => pattern.event === event && absent.every((field) => pattern[field] === undefined))
      .map((tally) => ({
        tally,
        client: place(tally.pattern.client),
        node: place(tally.pattern.node),
        kind: place(tally.pattern.kind),
        reply: place(tally.pattern.reply),
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
        (pattern.reply === ANY || pattern.reply === reply) &&
        isOpen(pattern.tally)
      ) {
        pattern.tally.count += 1;
      }
    }
  }
}
