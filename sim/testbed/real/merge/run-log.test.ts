import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { CommandSent, HistoryEvent } from '../../../history/event.ts';
import { eventsOf } from '../../../history/events-of.ts';
import { decodeHistory } from '../../../history/ndjson.ts';
import { OutputError } from '../../../results/output-error.ts';
import { RunLog } from './run-log.ts';

let folder: string;
let log: RunLog;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'distrilock-log-'));
  log = new RunLog(join(folder, 'run.ndjson'), (error) => {
    throw error;
  });
});

afterEach(() => {
  log.close();
  rmSync(folder, { recursive: true });
});

const NAMES = { node: 'n1', kind: 'acquire', key: 'lock:r', value: 'v' } as const;
const SENT: CommandSent = { type: 'command-sent', timeUs: 5, command: 7, client: 'A', ...NAMES };
const HEALED: HistoryEvent = { type: 'healed', timeUs: 9 };

it('keeps on disk at once what the run itself sees, and lets others wait for all that it hears', () => {
  const told: HistoryEvent[] = [];
  for (const type of ['healed', 'command-sent', 'command-executed'] as const)
    log.watch(type, (event) => told.push(event));
  const execution = { timeUs: 6, ...NAMES, reply: 'granted', before: null, changed: true };
  log.recordExecution(execution);
  log.hear(SENT);
  log.record(HEALED);
  const nobodys = { type: 'command-executed', command: 0, client: '', ...execution };
  expect([...eventsOf(decodeHistory(readFileSync(join(folder, 'run.ndjson'), 'utf8')))]).toEqual([nobodys, HEALED]);
  expect([...eventsOf(log.own)]).toEqual([nobodys, HEALED]);
  expect(told).toEqual([SENT, { ...nobodys, command: 7, client: 'A' }, HEALED]);
});

it('takes nothing any more once it is closed', () => {
  log.record(HEALED);
  log.close();
  log.recordExecution({ timeUs: 10, ...NAMES, reply: 'granted', before: null, changed: true });
  expect([...eventsOf(log.own)]).toEqual([HEALED]);
  expect([...eventsOf(decodeHistory(readFileSync(join(folder, 'run.ndjson'), 'utf8')))]).toEqual([HEALED]);
});

it('tells once, by the file and the remedy, that the disk is full, and keeps nothing from then on', () => {
  const path = join(folder, 'full.ndjson');
  symlinkSync('/dev/full', path);
  const errors: string[] = [];
  const full = new RunLog(path, ({ message }) => errors.push(message));
  full.record(HEALED);
  full.record(HEALED);
  expect(errors).toEqual([`${path}: the disk is full; free some space, or write somewhere else`]);
  expect(full.own.length).toBe(0);
});

it('cannot be where no file can be', () => {
  expect(() => new RunLog(join(folder, 'none', 'run.ndjson'), () => undefined)).toThrow(OutputError);
});
