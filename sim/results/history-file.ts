import { appendFileSync, closeSync, openSync } from 'node:fs';
import type { HistoryEvent } from '../history/event.ts';
import { encodeEvent } from '../history/ndjson.ts';
import { writing } from './output-error.ts';

/** Characters gathered before they go to the disk. */
const CHUNK_LENGTH = 1 << 18;

/** A history on disk that grows while the run goes on, so that a run that dies leaves what happened until then. */
export class HistoryFile {
  readonly path: string;
  private readonly descriptor: number;

  /** Creates the file anew. Throws an OutputError. */
  constructor(path: string) {
    this.path = path;
    this.descriptor = writing(path, () => openSync(path, 'w'));
  }

  /** Adds the events; they are with the operating system when this returns. Throws an OutputError. */
  append(events: Iterable<HistoryEvent>): void {
    let text = '';
    for (const event of events) {
      text += `${encodeEvent(event)}\n`;
      if (text.length >= CHUNK_LENGTH) {
        this.flush(text);
        text = '';
      }
    }
    if (text !== '') this.flush(text);
  }

  close(): void {
    writing(this.path, () => closeSync(this.descriptor));
  }

  private flush(text: string): void {
    writing(this.path, () => appendFileSync(this.descriptor, text));
  }
}
