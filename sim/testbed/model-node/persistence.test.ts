import { describe, expect, it } from 'vitest';
import { NodeData } from './node-data.ts';
import { type CrashKind, Persistence, type PersistenceMode } from './persistence.ts';

const MODES: readonly PersistenceMode[] = ['none', 'rdb', 'aof-everysec', 'aof-always', 'aof-no'];
const CRASHES: readonly CrashKind[] = ['kill', 'terminate', 'power-loss'];
const START_MS = 1_000_000;
const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;

/** A node's disk and data, on a clock that is `START_MS` ahead of true time. */
class Disk {
  readonly data = new NodeData();
  private readonly persistence: Persistence;

  constructor(mode: PersistenceMode, onDisk = new NodeData()) {
    this.persistence = new Persistence(mode, START_MS, onDisk);
  }

  write(timeMs: number, key: string): this {
    this.persistence.noteWrite(timeMs * 1000, START_MS + timeMs, key, this.data);
    this.data.keys.set(key, { value: 'v', expiresAtMs: START_MS + timeMs });
    this.data.counters.set(key, timeMs);
    return this;
  }

  writeMany(timeMs: number, count: number): this {
    for (let number = 0; number < count; number += 1) this.write(timeMs, `${timeMs}/${number}`);
    return this;
  }

  flush(timeMs: number): this {
    this.data.keys.clear();
    this.data.counters.clear();
    this.persistence.noteFlush(START_MS + timeMs, this.data);
    return this;
  }

  start(timeMs: number): this {
    this.persistence.noteStart(START_MS + timeMs);
    return this;
  }

  /** The keys that are left after a crash at this time; those of the counters must be the same. */
  crash(how: CrashKind, timeMs: number): string[] {
    const { keys, counters } = this.persistence.survivors(how, timeMs * 1000, START_MS + timeMs, this.data);
    expect([...counters.keys()].sort()).toEqual([...keys.keys()].sort());
    return [...keys.keys()];
  }
}

describe('what a crash leaves of two writes, one of them two minutes old and one half a second', () => {
  const LEFT: Readonly<Record<PersistenceMode, Readonly<Record<CrashKind, readonly string[]>>>> = {
    none: { kill: [], terminate: [], 'power-loss': [] },
    rdb: { kill: [], terminate: ['old', 'young'], 'power-loss': [] },
    'aof-everysec': { kill: ['old', 'young'], terminate: ['old', 'young'], 'power-loss': ['old'] },
    'aof-always': { kill: ['old', 'young'], terminate: ['old', 'young'], 'power-loss': ['old', 'young'] },
    'aof-no': { kill: ['old', 'young'], terminate: ['old', 'young'], 'power-loss': ['old'] },
  };
  it.each(MODES.flatMap((mode) => CRASHES.map((how) => ({ mode, how }))))('$mode, $how', ({ mode, how }) => {
    const disk = new Disk(mode).write(0, 'old').write(2 * MINUTE_MS + 100, 'young');
    expect(disk.crash(how, 2 * MINUTE_MS + 600)).toEqual(LEFT[mode][how]);
  });
});

describe('the append-only file', () => {
  it.each([
    ['aof-everysec', SECOND_MS],
    ['aof-no', 30 * SECOND_MS],
  ] as const)('%s loses to the power what was written since it was last synced', (mode, everyMs) => {
    const before = 7 * everyMs - 1;
    const just = 7 * everyMs;
    const after = 7 * everyMs + 1;
    const disk = new Disk(mode).write(before, 'before').write(just, 'just').write(after, 'after');
    expect(disk.crash('power-loss', after)).toEqual(['before', 'just']);
    expect(new Disk(mode).write(after, 'after').crash('power-loss', 8 * everyMs)).toEqual(['after']);
    expect(new Disk(mode).write(after, 'after').crash('power-loss', 8 * everyMs - 1)).toEqual([]);
  });
});

describe('snapshots', () => {
  it.each([
    [1, HOUR_MS],
    [99, HOUR_MS],
    [100, 5 * MINUTE_MS],
    [9999, 5 * MINUTE_MS],
    [10_000, MINUTE_MS],
  ])('after %i writes one is saved %i ms after the last', (writes, afterMs) => {
    const written = (): Disk => new Disk('rdb').writeMany(0, writes);
    expect(written().crash('kill', afterMs - 1)).toEqual([]);
    expect(written().crash('kill', afterMs)).toHaveLength(writes);
  });

  it('are due with the write that fills the number, where the time has long passed', () => {
    const disk = new Disk('rdb').writeMany(6 * MINUTE_MS, 99);
    expect(disk.crash('kill', 6 * MINUTE_MS + 1)).toEqual([]);
    expect(new Disk('rdb').writeMany(6 * MINUTE_MS, 100).crash('kill', 6 * MINUTE_MS)).toHaveLength(100);
  });

  it('hold what was there when they were due, and not what came after', () => {
    const disk = new Disk('rdb').write(0, 'a').write(HOUR_MS + 1, 'b');
    expect(disk.crash('kill', 2 * HOUR_MS - 1)).toEqual(['a']);
  });

  it('are counted from when the last one was due, not from when that was noticed', () => {
    const disk = new Disk('rdb').write(0, 'a').write(HOUR_MS + 30 * MINUTE_MS, 'b');
    expect(disk.crash('kill', 2 * HOUR_MS)).toEqual(['a', 'b']);
  });

  it('stay what they were when the server was stopped in order, and is then killed', () => {
    const disk = new Disk('rdb').write(0, 'a');
    expect(disk.crash('terminate', SECOND_MS)).toEqual(['a']);
    disk.start(2 * SECOND_MS);
    expect(disk.crash('kill', 3 * SECOND_MS)).toEqual(['a']);
  });

  it('are counted from the start of the server, which has written nothing then', () => {
    const disk = new Disk('rdb').write(0, 'a').start(30 * MINUTE_MS);
    expect(disk.crash('kill', HOUR_MS + 1)).toEqual([]);
    const restarted = new Disk('rdb').start(30 * MINUTE_MS).write(31 * MINUTE_MS, 'a');
    expect(restarted.crash('kill', HOUR_MS + 30 * MINUTE_MS - 1)).toEqual([]);
    expect(restarted.crash('kill', HOUR_MS + 30 * MINUTE_MS)).toEqual(['a']);
  });

  it('are empty at once when everything is flushed', () => {
    const disk = new Disk('rdb')
      .write(0, 'a')
      .write(HOUR_MS, 'b')
      .flush(HOUR_MS + 1);
    expect(disk.crash('kill', HOUR_MS + 2)).toEqual([]);
  });

  it('begin with what the disk held', () => {
    const onDisk = new NodeData(new Map([['k', { value: 'v', expiresAtMs: 1 }]]), new Map([['k', 1]]));
    expect(new Disk('rdb', onDisk).crash('kill', 0)).toEqual(['k']);
  });
});
