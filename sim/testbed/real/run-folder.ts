import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { History } from '../../history/history.ts';
import { HistoryLog } from '../../history/history-log.ts';
import { decodeHistory } from '../../history/ndjson.ts';
import { writing } from '../../results/output-error.ts';
import { makeTemporaryFolder } from '../temporary-folder.ts';
import { forgetRemains, watchRemains } from './reaper.ts';

/** What is on disk of a run: a folder that goes with it, however it ends, and what every process has seen, in files of their own. */
export class RunFolder {
  readonly path: string;
  private readonly partsFolder: string;

  /** `partsFolder` is where to keep what was seen; null for a folder that goes with the run. Throws an OutputError if there can be none. */
  constructor(partsFolder: string | null) {
    this.path = makeTemporaryFolder('distrilock-run-');
    watchRemains({ folder: this.path });
    const parts = partsFolder ?? join(this.path, 'parts');
    this.partsFolder = parts;
    try {
      writing(parts, () => mkdirSync(parts, { recursive: true }));
    } catch (error) {
      this.forget();
      throw error;
    }
  }

  /** Where the run itself writes down what it sees. */
  get runPart(): string {
    return join(this.partsFolder, 'run.ndjson');
  }

  /** Where this client does. */
  clientPart(client: string): string {
    return join(this.partsFolder, `client-${client}.ndjson`);
  }

  /** What the client has recorded; nothing if it never came to that. */
  readClientPart(client: string): History {
    try {
      return decodeHistory(readFileSync(this.clientPart(client), 'utf8'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new HistoryLog();
      throw error;
    }
  }

  /** Removes what the processes have kept of what they saw. */
  forgetParts(): void {
    rmSync(this.partsFolder, { recursive: true, force: true });
  }

  /** Removes all else that is on disk. */
  forget(): void {
    rmSync(this.path, { recursive: true, force: true });
    forgetRemains({ folder: this.path });
  }
}
