import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Interner } from './interner.ts';
import { StateTable } from './state-table.ts';

describe('the table of states', () => {
  it('keeps each state once, in order, and how it was reached', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(3), fc.nat(3), fc.constantFrom(0, 0xffff))), (rows) => {
        const table = new StateTable(3);
        const expected = new Map<string, readonly number[]>();
        rows.forEach((row, place) => {
          const isNew = !expected.has(row.join());
          expect(table.add(Uint16Array.from(row), place - 1, place)).toBe(isNew);
          if (isNew) expected.set(row.join(), [...row, place - 1, place]);
        });
        const read = Array.from({ length: table.count }, (_, state) => {
          const row = new Uint16Array(3);
          table.read(state, row);
          return [...row, table.parentOf(state), table.stepTo(state)];
        });
        expect(read).toEqual([...expected.values()]);
      }),
    );
  });

  it('grows beyond its first pages and slots', () => {
    const table = new StateTable(2);
    const add = (): number => {
      let added = 0;
      for (let number = 0; number < 100_000; number += 1) {
        if (table.add(Uint16Array.of(number & 0xffff, number >> 16), number - 1, 0)) added += 1;
      }
      return added;
    };
    expect([add(), add(), table.count]).toEqual([100_000, 0, 100_000]);
    expect(table.parentOf(99_999)).toBe(99_998);
  });
});

describe('the interner', () => {
  it('refuses what does not fit into 16 bits, and says what to do', () => {
    const interner = new Interner<null>('states of a client');
    for (let number = 0; number < 65_536; number += 1) interner.intern(String(number), () => null);
    expect(interner.intern('65535', () => null)).toBe(65_535);
    expect(() => interner.intern('one more', () => null)).toThrow(
      'There are more than 65,536 states of a client: make the world smaller, with fewer nodes, faults, retries or ticks',
    );
    expect(() => interner.at(65_536)).toThrow('There are only 65536 states of a client, not 65536');
  });
});
