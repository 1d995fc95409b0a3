import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HistoryFile } from './history-file.ts';
import { OutputError, writing } from './output-error.ts';
import { ResultsFolder, type RunPlace, writeWhole } from './results-folder.ts';

const FLAT = { byBackend: false, bySeed: false };
const BY_SEED = { byBackend: false, bySeed: true };
const BY_BOTH = { byBackend: true, bySeed: true };

let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'distrilock-results-'));
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

function errorOf(write: () => unknown): unknown {
  try {
    write();
  } catch (error) {
    return error;
  }
  throw new Error('it can be written');
}

describe('writeWhole', () => {
  it('writes the text, and leaves nothing else behind', () => {
    writeWhole(join(folder, 'a.json'), 'first');
    writeWhole(join(folder, 'a.json'), 'second');
    expect(readFileSync(join(folder, 'a.json'), 'utf8')).toBe('second');
    expect(readdirSync(folder)).toEqual(['a.json']);
  });

  it('never lets a reader see a part: the old file stays until the new one is whole', () => {
    const path = join(folder, 'a.json');
    writeWhole(path, 'first');
    const { ino } = statSync(path);
    writeWhole(path, 'second');
    expect(statSync(path).ino).not.toBe(ino);
  });

  it('does not put a file in the place of a device', () => {
    writeWhole('/dev/null', 'gone');
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  it.each([
    ['a full disk', () => '/dev/full', 'the disk is full; free some space, or write somewhere else'],
    ['a folder', () => folder, 'a folder stands where a file must be; remove it, or write somewhere else'],
    ['a missing folder', () => join(folder, 'x', 'a'), 'cannot be written (ENOENT); write somewhere else'],
    ['a name that is too long', () => join(folder, 'x'.repeat(300)), 'is too long a path; write somewhere else'],
  ])('to %s is an error that names the file and the remedy', (_what, pathOf, problem) => {
    const path = pathOf();
    const error = errorOf(() => writeWhole(path, 'text'));
    expect(error).toBeInstanceOf(OutputError);
    expect(error).toMatchObject({ file: path, message: `${path}: ${problem}` });
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('writing', () => {
  it.each([
    ['EACCES', 'must not be written by this user; change the permissions, or write somewhere else'],
    ['EROFS', 'is on a file system that cannot be written; write somewhere else'],
    ['EDQUOT', 'the disk is full; free some space, or write somewhere else'],
    ['ELOOP', 'its symbolic links lead in a circle; write somewhere else'],
    ['EIO', 'cannot be written (EIO); write somewhere else'],
  ])('says what %s means', (code, problem) => {
    const cause = Object.assign(new Error('no'), { code });
    const error = errorOf(() =>
      writing('a.json', () => {
        throw cause;
      }),
    );
    expect(error).toMatchObject({ message: `a.json: ${problem}`, cause });
  });

  it('lets other errors pass', () => {
    const defect = new TypeError('a defect');
    const error = errorOf(() =>
      writing('a.json', () => {
        throw defect;
      }),
    );
    expect(error).toBe(defect);
  });
});

describe('HistoryFile', () => {
  it('has each stretch on disk at once', () => {
    const path = join(folder, 'history.ndjson');
    const file = new HistoryFile(path);
    file.append([{ type: 'healed', timeUs: 1 }]);
    expect(readFileSync(path, 'utf8')).toBe('{"type":"healed","timeUs":1}\n');
    file.append([{ type: 'run-ended', timeUs: 2, reason: 'completed' }]);
    file.close();
    expect(readFileSync(path, 'utf8')).toBe(
      '{"type":"healed","timeUs":1}\n{"type":"run-ended","timeUs":2,"reason":"completed"}\n',
    );
  });

  it('writes a stretch that is too long for one text piece by piece', () => {
    const path = join(folder, 'history.ndjson');
    const file = new HistoryFile(path);
    function* events(): Generator<{ type: 'healed'; timeUs: number }> {
      for (let timeUs = 0; timeUs < 50_000; timeUs += 1) {
        // By the time the last ones are made, the first ones are written.
        if (timeUs === 49_999) expect(statSync(path).size).toBeGreaterThan(1_000_000);
        yield { type: 'healed', timeUs };
      }
    }
    file.append(events());
    file.close();
    expect(readFileSync(path, 'utf8').trimEnd().split('\n')).toHaveLength(50_000);
  });

  it('says which file a full disk cut short', () => {
    const file = new HistoryFile('/dev/full');
    const error = errorOf(() => file.append([{ type: 'healed', timeUs: 1 }]));
    expect(error).toMatchObject({ message: '/dev/full: the disk is full; free some space, or write somewhere else' });
  });
});

function placeOf(scenario: string, seed: number, backend = 'simulated'): RunPlace {
  return { scenario, backend, seed };
}

describe('ResultsFolder', () => {
  it.each([
    [FLAT, 'one'],
    [BY_SEED, 'one/seed-3'],
    [{ byBackend: true, bySeed: false }, 'one/processes-7.0.15'],
    [BY_BOTH, 'one/processes-7.0.15/seed-3'],
  ])('with %j has a run in %s', (layout, expected) => {
    const results = new ResultsFolder(folder, layout);
    expect(results.folderOf(placeOf('one', 3, 'processes-7.0.15'))).toBe(expected);
    expect(results.runFile(placeOf('one', 3, 'processes-7.0.15'), 'a')).toBe(join(folder, expected, 'a'));
  });

  it('clears what runs on several backends wrote, whatever the layout is now', () => {
    for (const backend of ['simulated', 'processes-7.0.15', 'processes-valkey-8.1.0', 'containers']) {
      writeFileSync(new ResultsFolder(folder, BY_BOTH).runFile(placeOf('one', 1, backend), 'verdict.json'), 'old');
    }
    mkdirSync(join(folder, 'one', 'simulated-by-me', 'x'), { recursive: true });
    mkdirSync(join(folder, 'one', 'notes'));
    writeFileSync(join(folder, 'one', 'notes', 'verdict.json'), 'mine');
    new ResultsFolder(folder, FLAT).clear('one');
    expect(readdirSync(join(folder, 'one')).sort()).toEqual(['notes', 'simulated-by-me']);
    expect(readdirSync(join(folder, 'one', 'notes'))).toEqual(['verdict.json']);
  });

  // Node's own recursive mkdir never returns there.
  it.skipIf(process.platform !== 'linux')('says so where no folder can be made', () => {
    for (const path of ['/proc/nope', '/proc/nope/deeper', '/dev/null/below']) {
      expect(() => new ResultsFolder(path, FLAT)).toThrow(OutputError);
    }
  });

  it('makes the folders that it needs', () => {
    const results = new ResultsFolder(join(folder, 'a', 'b'), BY_SEED);
    expect(results.runFile(placeOf('one', 3), 'verdict.json')).toBe(join(folder, 'a/b/one/seed-3/verdict.json'));
    expect(readdirSync(join(folder, 'a/b/one'))).toEqual(['seed-3']);
  });

  it('clears what runs wrote, by seed and without, and nothing else', () => {
    const results = new ResultsFolder(folder, FLAT);
    for (const file of ['history.ndjson', 'verdict.json', 'report.html']) {
      writeFileSync(results.runFile(placeOf('one', 1), file), 'old');
      writeFileSync(new ResultsFolder(folder, BY_SEED).runFile(placeOf('one', 7), file), 'old');
    }
    mkdirSync(results.runFile(placeOf('one', 1), 'history.parts'));
    writeFileSync(results.runFile(placeOf('one', 1), 'history.parts/run.ndjson'), 'of a run that was killed');
    writeFileSync(results.runFile(placeOf('two', 1), 'verdict.json'), 'of another scenario');
    writeFileSync(join(folder, 'one', 'notes.txt'), 'mine');
    mkdirSync(join(folder, 'one', 'seed-of-mine'));
    writeFileSync(join(folder, 'one', 'seed-9'), 'no folder');
    results.clear('one');
    expect(readdirSync(join(folder, 'one')).sort()).toEqual(['notes.txt', 'seed-9', 'seed-of-mine']);
    expect(readdirSync(join(folder, 'two'))).toEqual(['verdict.json']);
  });

  it('removes a symbolic link, not what it leads to', () => {
    const results = new ResultsFolder(folder, FLAT);
    writeFileSync(join(folder, 'elsewhere'), 'mine');
    symlinkSync(join(folder, 'elsewhere'), results.runFile(placeOf('one', 1), 'history.ndjson'));
    results.clear('one');
    expect(readFileSync(join(folder, 'elsewhere'), 'utf8')).toBe('mine');
  });

  it('refuses a file in the place of a folder', () => {
    const path = join(folder, 'file');
    writeFileSync(path, '');
    const problem = 'a file stands where a folder must be; remove it, or write somewhere else';
    expect(errorOf(() => new ResultsFolder(path, FLAT))).toMatchObject({ message: `${path}: ${problem}` });
    const results = new ResultsFolder(folder, FLAT);
    expect(errorOf(() => results.clear('file'))).toMatchObject({ message: `${path}: ${problem}` });
  });
});
