import { describe, expect, it } from 'vitest';
import { nameAsyncDispose } from './disposal.ts';

function dispose(): string {
  return 'disposed';
}

describe('the method of await using', () => {
  it('is found by the name that compiled code falls back on where the runtime has none', () => {
    // What a class becomes whose method has the name `Symbol.asyncDispose` where that is undefined.
    const prototype: object = { undefined: dispose };
    nameAsyncDispose(prototype, {});
    expect(Reflect.ownKeys(prototype)).toEqual([Symbol.for('Symbol.asyncDispose')]);
    expect(Reflect.get(prototype, Symbol.for('Symbol.asyncDispose'))).toBe(dispose);
  });

  it('is left alone where the runtime has a name for it', () => {
    const prototype: object = { [Symbol.asyncDispose]: dispose };
    nameAsyncDispose(prototype);
    expect(Reflect.ownKeys(prototype)).toEqual([Symbol.asyncDispose]);
  });
});
