import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NodeData } from './node-data.ts';
import { WriteJournal } from './write-journal.ts';

/** Writes the key, or deletes it where there is no value, and notes it before. */
function write(journal: WriteJournal, data: NodeData, trueUs: number, key: string, value: string | null): void {
  journal.note(trueUs, key, data);
  if (value === null) data.keys.delete(key);
  else data.keys.set(key, { value, expiresAtMs: 1 });
  data.counters.set(key, (data.counters.get(key) ?? 0) + 1);
}

function contents({ keys, counters }: NodeData): unknown {
  return {
    keys: [...keys].map(([key, { value }]) => `${key}=${value}`).sort(),
    counters: [...counters].map(([key, counter]) => `${key}=${counter}`).sort(),
  };
}

describe('WriteJournal', () => {
  it('undoes what was written after a moment, and not what was written in it', () => {
    const data = new NodeData();
    const journal = new WriteJournal(1000);
    write(journal, data, 10, 'k', 'a');
    write(journal, data, 20, 'k', 'b');
    write(journal, data, 30, 'l', 'c');
    write(journal, data, 30, 'k', null);
    journal.undoAfter(20, data);
    expect(contents(data)).toEqual({ keys: ['k=b'], counters: ['k=2'] });
    journal.undoAfter(9, data);
    expect(contents(data)).toEqual({ keys: [], counters: [] });
  });

  it('gives back the data of any moment within its horizon, however much it has forgotten', () => {
    const horizonUs = 40;
    const steps = fc.array(
      fc.record({
        pauseUs: fc.nat({ max: 3 }),
        key: fc.constantFrom('k', 'l', 'm'),
        value: fc.option(fc.constantFrom('a', 'b')),
      }),
      { minLength: 1, maxLength: 60 },
    );
    fc.assert(
      fc.property(steps, fc.nat({ max: horizonUs }), fc.boolean(), (all, agoUs, isLong) => {
        const data = new NodeData();
        const journal = new WriteJournal(horizonUs);
        let nowUs = 0;
        // Enough for the journal to drop what is too old, more than once.
        if (isLong) for (; nowUs < 6000; nowUs += 1) write(journal, data, nowUs, 'k', `${nowUs}`);
        const former: { readonly timeUs: number; readonly contents: unknown }[] = [];
        for (const { pauseUs, key, value } of all) {
          nowUs += pauseUs;
          former.push({ timeUs: nowUs, contents: contents(data) });
          write(journal, data, nowUs, key, value);
        }
        const sinceUs = nowUs - agoUs;
        const next = former.find(({ timeUs }) => timeUs > sinceUs);
        const expected = next === undefined ? contents(data) : next.contents;
        if (sinceUs < (former[0]?.timeUs ?? 0)) return;
        journal.undoAfter(sinceUs, data);
        expect(contents(data)).toEqual(expected);
      }),
      { seed: 1, numRuns: 300 },
    );
  });

  it('forgets nothing within its horizon, whenever it makes room', () => {
    const horizonUs = 40;
    for (let count = 1000; count < 2400; count += 1) {
      const data = new NodeData();
      const journal = new WriteJournal(horizonUs);
      for (let timeUs = 0; timeUs < count; timeUs += 1) write(journal, data, timeUs, 'k', `${timeUs}`);
      const sinceUs = count - 1 - horizonUs;
      journal.undoAfter(sinceUs, data);
      expect(contents(data)).toEqual({ keys: [`k=${sinceUs}`], counters: [`k=${sinceUs + 1}`] });
    }
  });

  it('goes on after it has undone writes', () => {
    const data = new NodeData();
    const journal = new WriteJournal(10);
    for (let timeUs = 0; timeUs < 100; timeUs += 1) write(journal, data, timeUs, 'k', `${timeUs}`);
    journal.undoAfter(94, data);
    write(journal, data, 97, 'k', 'new');
    journal.undoAfter(96, data);
    expect(contents(data)).toEqual({ keys: ['k=94'], counters: ['k=95'] });
  });
});
