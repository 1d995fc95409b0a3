import type { HistoryEvent, HistoryEventType } from './event.ts';
import { HistoryLog } from './history-log.ts';

type Watcher = (event: HistoryEvent) => void;

/** A history that tells those who wait for an event when it is recorded. */
export class ObservedLog extends HistoryLog {
  private readonly watchers = new Map<HistoryEventType, Set<Watcher>>();

  /** Calls `watcher` with every event of this type from now on, until the returned function is called. It must only schedule. */
  watch(type: HistoryEventType, watcher: Watcher): () => void {
    let watchers = this.watchers.get(type);
    if (watchers === undefined) {
      watchers = new Set();
      this.watchers.set(type, watchers);
    }
    watchers.add(watcher);
    return () => {
      if (watchers.delete(watcher) && watchers.size === 0) this.watchers.delete(type);
    };
  }

  override record(event: HistoryEvent): void {
    super.record(event);
    // The three message events come back through their own methods below.
    if (event.type !== 'command-sent' && event.type !== 'command-executed' && event.type !== 'reply-received') {
      this.tell(event.type);
    }
  }

  override recordSent(
    timeUs: number,
    command: number,
    client: number,
    node: number,
    kind: number,
    key: number,
    value: number,
  ): void {
    super.recordSent(timeUs, command, client, node, kind, key, value);
    this.tell('command-sent');
  }

  override recordExecuted(
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
    super.recordExecuted(timeUs, command, client, node, kind, reply, key, value, before, changed);
    this.tell('command-executed');
  }

  override recordReceived(timeUs: number, command: number, client: number, node: number, reply: number): void {
    super.recordReceived(timeUs, command, client, node, reply);
    this.tell('reply-received');
  }

  private tell(type: HistoryEventType): void {
    if (this.watchers.size === 0) return;
    const watchers = this.watchers.get(type);
    if (watchers === undefined) return;
    const event = this.at(this.length - 1);
    for (const watcher of [...watchers]) watcher(event);
  }
}
