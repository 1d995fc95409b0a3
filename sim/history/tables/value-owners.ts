import type { AttemptStarted } from '../event.ts';
import type { HistoryLog } from '../history-log.ts';
import { Numbering } from './numbering.ts';
import type { Attempts } from './run-tables.ts';

/** Which client drew each lock value: the one that first asked a node to store it. */
export class ValueOwners {
  private readonly log: HistoryLog;
  private readonly attempts: Attempts;
  /** The place of the client's name, by the place of the value. */
  private readonly owners = new Numbering();
  /** Of attempts without commands on record, which only a history that was written or cut by hand has; by value. */
  private readonly silentOwners = new Map<string, string>();
  private silentAttempts = 0;

  constructor(log: HistoryLog, attempts: Attempts) {
    this.log = log;
    this.attempts = attempts;
  }

  /** A client asks a node to store the value; both are places of texts. */
  asked(client: number, value: number): void {
    if (this.owners.rowOf(value) < 0) this.owners.set(value, client);
  }

  /** Whether another client than this one is known to have drawn the value. */
  isOfAnother(client: number, value: number): boolean {
    const owner = this.owners.rowOf(value);
    if (owner >= 0) return owner !== client;
    this.readSilentAttempts();
    const silentOwner = this.silentOwners.get(this.log.textOf(value));
    return silentOwner !== undefined && silentOwner !== this.log.textOf(client);
  }

  private readSilentAttempts(): void {
    const { startedIndex, count } = this.attempts;
    for (; this.silentAttempts < count; this.silentAttempts += 1) {
      const { value, client } = this.log.at(startedIndex.get(this.silentAttempts)) as AttemptStarted;
      if (!this.silentOwners.has(value)) this.silentOwners.set(value, client);
    }
  }
}
