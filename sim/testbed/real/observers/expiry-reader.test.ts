import { beforeEach, describe, expect, it } from 'vitest';
import type { LockCommand } from '../../../../src/lock-node.ts';
import { ExpiryReader, type SeenCommand } from './expiry-reader.ts';

let told: string[];
let reader: ExpiryReader;

beforeEach(() => {
  told = [];
  reader = new ExpiryReader({
    onRun: (commands) => {
      for (const { command, timeUs } of commands) told.push(`${command.key} runs at ${timeUs}`);
    },
    onExpired: (key, timeUs) => void told.push(`${key} expires at ${timeUs}`),
  });
});

function seen(key: string, timeUs: number): SeenCommand {
  return seenOf({ kind: 'inspect', key, timeoutMs: 0 }, timeUs);
}

function seenOf(command: LockCommand, timeUs: number): SeenCommand {
  return { command, runId: '', wallMs: 0, timeUs };
}

describe('ExpiryReader', () => {
  it('a plain command is told of after the key that it dropped', () => {
    reader.expired('k', 1);
    reader.command(seen('k', 2));
    reader.expired('k', 3);
    expect(told).toEqual(['k expires at 1', 'k runs at 2', 'k expires at 3']);
  });

  it('a script drops its key before its first step', () => {
    reader.runScript([seen('k', 1)]);
    expect(told).toEqual([]);
    reader.expired('k', 2);
    reader.step('k');
    reader.settle();
    expect(told).toEqual(['k expires at 1', 'k runs at 1']);
  });

  it('what comes after its first step is dropped by others', () => {
    reader.runScript([seen('k', 1)]);
    reader.step('k');
    reader.step('other');
    reader.expired('k', 2);
    expect(told).toEqual(['k runs at 1', 'k expires at 2']);
  });

  it('another key is dropped by others too, and so is one before the next command', () => {
    reader.runScript([seen('k', 1)]);
    reader.expired('l', 2);
    reader.runScript([seen('m', 3)]);
    reader.command(seen('n', 4));
    expect(told).toEqual(['k runs at 1', 'l expires at 2', 'm runs at 3', 'n runs at 4']);
  });

  it('a quarantine that a guarded acquire or an admission finds over is dropped by that, however many steps come before', () => {
    const guard = { markerKey: 'marker', quarantineKey: 'quarantine', quarantineMs: 1 };
    const plain = {
      kind: 'acquire',
      key: 'k',
      value: 'v',
      ttlMs: 1,
      timeoutMs: 0,
      fresh: true,
      tokenHint: null,
    } as const;
    for (const guarded of [guard, null]) {
      reader.runScript([seenOf({ ...plain, guard: guarded }, 1)]);
      reader.step('k');
      reader.step('marker');
      reader.expired('quarantine', 2);
    }
    reader.runScript([seenOf({ kind: 'admit', key: 'marker', quarantineKey: 'quarantine', timeoutMs: 0 }, 5)]);
    reader.step('marker');
    reader.expired('quarantine', 6);
    reader.settle();
    expect(told).toEqual([
      'quarantine expires at 1',
      'k runs at 1',
      'k runs at 1',
      'quarantine expires at 2',
      'quarantine expires at 5',
      'marker runs at 5',
    ]);
  });

  it('a script of several commands finds each key over before the first of them that looks at it, and runs them in order', () => {
    reader.runScript([seen('k', 1), seen('l', 1), seen('k', 1), seen('m', 1)]);
    reader.step('k');
    reader.expired('l', 2);
    reader.step('l');
    reader.step('k');
    reader.expired('m', 3);
    reader.step('m');
    reader.expired('l', 4);
    expect(told).toEqual([
      'l expires at 1',
      'm expires at 1',
      'k runs at 1',
      'l runs at 1',
      'k runs at 1',
      'm runs at 1',
      'l expires at 4',
    ]);
  });
});
