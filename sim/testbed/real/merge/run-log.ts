import { appendFileSync, openSync, closeSync } from 'node:fs';
import type { HistoryEvent } from '../../../history/event.ts';
import { HistoryLog } from '../../../history/history-log.ts';
import type { History } from '../../../history/history.ts';
import { encodeEvent } from '../../../history/ndjson.ts';
import { OutputError, writing } from '../../../results/output-error.ts';
import { ObservedLog } from '../../../history/observed-log.ts';
import { CommandMatcher, type Execution } from './command-matcher.ts';

/**
 * What happens in a run as the run hears of it, for those who wait for an event: roughly in order. What the run itself sees, and no client
 * records, is kept apart and on disk.
 */
export class RunLog extends ObservedLog {
  private readonly ownLog = new HistoryLog();
  /** Null once it is closed. */
  private file: number | null;
  private readonly path: string;
  private readonly onFailure: (error: OutputError) => void;
  private readonly matcher = new CommandMatcher((event) => super.record(event));

  /** `onFailure` is told once when the file cannot be written any more; nothing is kept from then on. Throws an OutputError if there can be no such file. */
  constructor(path: string, onFailure: (error: OutputError) => void) {
    super();
    this.path = path;
    this.onFailure = onFailure;
    this.file = writing(path, () => openSync(path, 'w'));
  }

  /** What the run itself has seen. */
  get own(): History {
    return this.ownLog;
  }

  /** Records what the run itself sees. */
  override record(event: HistoryEvent): void {
    this.keep(event);
    super.record(event);
  }

  /** Takes note of what a client has recorded. */
  hear(event: HistoryEvent): void {
    super.record(event);
    if (event.type === 'command-sent') this.matcher.noteSent(event);
  }

  /** Records what a server was seen to run; it is told to others once it is known who sent it. */
  recordExecution(execution: Execution): void {
    this.keep({ type: 'command-executed', command: 0, client: '', ...execution });
    this.matcher.noteExecuted(execution);
  }

  /** What is seen from now on belongs to no run: a server that hangs may be heard of long after the run was given up. */
  close(): void {
    if (this.file !== null) closeSync(this.file);
    this.file = null;
  }

  /** On disk before anybody is told, so that a run that dies loses nothing. */
  private keep(event: HistoryEvent): void {
    const { file } = this;
    if (file === null) return;
    try {
      writing(this.path, () => appendFileSync(file, `${encodeEvent(event)}\n`));
    } catch (error) {
      if (!(error instanceof OutputError)) throw error;
      this.close();
      this.onFailure(error);
      return;
    }
    this.ownLog.record(event);
  }
}
