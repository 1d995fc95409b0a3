import { existsSync, mkdirSync, readdirSync, renameSync, rmdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { writing } from './output-error.ts';

/** The files of one run; `parts` is a folder, which only a run that was killed leaves, or one whose history the disk did not take. */
export const RUN_FILES = {
  history: 'history.ndjson',
  verdict: 'verdict.json',
  report: 'report.html',
  parts: 'history.parts',
} as const;
/** The files above the runs. */
export const SUMMARY_FILES = { summary: 'summary.json', index: 'index.html' } as const;

const SEED_FOLDER = /^seed-\d+$/;
const BACKEND_FOLDER = /^(?:simulated|processes|containers)(?:-[\w.-]+)?$/;

/** Which run a file is of. */
export interface RunPlace {
  readonly scenario: string;
  readonly backend: string;
  readonly seed: number;
}

export interface ResultsLayout {
  /** Whether each backend of a scenario has a folder of its own. */
  readonly byBackend: boolean;
  /** Whether each seed has one, below. */
  readonly bySeed: boolean;
}

/** The folder that runs write to. It replaces what earlier runs wrote there, and touches nothing else. */
export class ResultsFolder {
  /** As the user gave it. */
  private readonly path: string;
  private readonly layout: ResultsLayout;

  /** Makes the folder if there is none. Throws an OutputError. */
  constructor(path: string, layout: ResultsLayout) {
    this.path = path;
    this.layout = layout;
    makeFolder(path);
  }

  /** Makes the folder of a scenario ready for new runs: what earlier ones left there is gone. Throws an OutputError. */
  clear(scenario: string): void {
    const folder = join(this.path, scenario);
    makeFolder(folder);
    removeRuns(folder);
    for (const name of writing(folder, () => readdirSync(folder))) {
      if (BACKEND_FOLDER.test(name)) removeFolder(join(folder, name), removeRuns);
    }
  }

  /** The folder of one run, from this one; parts are apart by `/`. */
  folderOf({ scenario, backend, seed }: RunPlace): string {
    const { byBackend, bySeed } = this.layout;
    return [scenario, ...(byBackend ? [backend] : []), ...(bySeed ? [`seed-${seed}`] : [])].join('/');
  }

  /** The path of a file of one run, whose folder is there then. Throws an OutputError. */
  runFile(place: RunPlace, file: string): string {
    const path = join(this.path, this.folderOf(place), file);
    makeFolderOf(path);
    return path;
  }

  /** The path of a file above the runs. */
  file(name: string): string {
    return join(this.path, name);
  }
}

/** Writes a file so that whoever reads it finds the old text or the new one, never a part. Throws an OutputError. */
export function writeWhole(path: string, text: string): void {
  writing(path, () => {
    // What is no file, /dev/stdout say, must not be replaced by one.
    if (statSync(path, { throwIfNoEntry: false })?.isFile() === false) {
      writeFileSync(path, text);
      return;
    }
    const temporary = `${path}.${process.pid}.tmp`;
    try {
      writeFileSync(temporary, text);
      renameSync(temporary, path);
    } catch (error) {
      rmSync(temporary, { force: true });
      throw error;
    }
  });
}

function makeFolder(path: string): void {
  writing(path, () => {
    makeFolders(path);
  });
}

/** Not by Node's own `recursive`, which never returns where a folder that is there refuses new ones, as /proc does. */
function makeFolders(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EEXIST' && statSync(path).isDirectory()) return;
    if (code !== 'ENOENT' || dirname(path) === path || existsSync(dirname(path))) throw error;
    makeFolders(dirname(path));
    mkdirSync(path);
  }
}

/** Makes the folder of a file that is to be written, and those above it. Throws an OutputError. */
export function makeFolderOf(file: string): void {
  makeFolder(dirname(file));
}

/** Removes the files of a run, and the runs of all seeds. */
function removeRuns(folder: string): void {
  removeRun(folder);
  for (const name of writing(folder, () => readdirSync(folder))) {
    if (SEED_FOLDER.test(name)) removeFolder(join(folder, name), removeRun);
  }
}

function removeRun(folder: string): void {
  for (const file of Object.values(RUN_FILES)) {
    const path = join(folder, file);
    writing(path, () => rmSync(path, { force: true, recursive: file === RUN_FILES.parts }));
  }
}

function removeFolder(folder: string, removeOwn: (folder: string) => void): void {
  writing(folder, () => {
    if (!statSync(folder).isDirectory()) return;
    removeOwn(folder);
    // What somebody else put there stays, and keeps its folder.
    if (readdirSync(folder).length === 0) rmdirSync(folder);
  });
}
