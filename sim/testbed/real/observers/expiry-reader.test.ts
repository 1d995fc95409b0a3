import { beforeEach, describe, expect, it } from 'vitest';
import { ExpiryReader, type SeenCommand } from './expiry-reader.ts';

let told: string[];
let reader: ExpiryReader;

beforeEach(() => {
  told = [];
  reader = new ExpiryReader({
    onRun: ({ command, timeUs }, isExpired) =>
      told.push(`${command.key} runs at ${timeUs}${isExpired ? ' on nothing' : ''}`),
    onExpired: (key, timeUs) => told.push(`${key} expires at ${timeUs}`),
  });
});

function seen(key: string, isScript: boolean, timeUs: number): SeenCommand {
  return { command: { kind: 'inspect', key, timeoutMs: 0 }, isScript, wallMs: 0, timeUs };
}

describe('ExpiryReader', () => {
  it('a plain command is told of after the key that it dropped', () => {
    reader.expired('k', 1);
    reader.command(seen('k', false, 2));
    reader.expired('k', 3);
    expect(told).toEqual(['k expires at 1', 'k runs at 2', 'k expires at 3']);
  });

  it('a script drops its key before its first step', () => {
    reader.command(seen('k', true, 1));
    expect(told).toEqual([]);
    reader.expired('k', 2);
    reader.settle();
    expect(told).toEqual(['k expires at 1', 'k runs at 1 on nothing']);
  });

  it('what comes after its first step is dropped by others', () => {
    reader.command(seen('k', true, 1));
    reader.settle();
    reader.expired('k', 2);
    expect(told).toEqual(['k runs at 1', 'k expires at 2']);
  });

  it('another key is dropped by others too, and so is one before the next command', () => {
    reader.command(seen('k', true, 1));
    reader.expired('l', 2);
    reader.command(seen('m', true, 3));
    reader.command(seen('n', false, 4));
    expect(told).toEqual(['k runs at 1', 'l expires at 2', 'm runs at 3', 'n runs at 4']);
  });
});
