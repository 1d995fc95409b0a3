import { describe, expect, it } from 'vitest';
import type { ClientLine } from '../servers/server-fleet.ts';
import { ClientLines } from './client-lines.ts';

/** A line that notes what is done to it, and is only done when it is let. */
class SlowLine implements ClientLine {
  readonly host = '10.0.0.2';
  readonly deeds: string[] = [];
  private finish: () => void = () => undefined;

  unplug(): Promise<void> {
    return this.begin('unplug');
  }

  plug(): Promise<void> {
    return this.begin('plug');
  }

  /** Lets what is under way be done, and all that follows from it. */
  async goOn(): Promise<void> {
    await nothingMoves();
    this.finish();
    await nothingMoves();
  }

  private begin(deed: string): Promise<void> {
    this.deeds.push(deed);
    return new Promise((resolve) => {
      this.finish = () => {
        this.deeds.push(`${deed}ged`);
        resolve();
      };
    });
  }
}

/** All promises have gone as far as they can. */
async function nothingMoves(): Promise<void> {
  await new Promise(setImmediate);
}

describe('ClientLines', () => {
  it('keeps a line unplugged as long as any fault wants it so', async () => {
    const line = new SlowLine();
    const lines = new ClientLines(new Map([['n1', line]]));
    const done: string[] = [];
    void lines.unplug('n1', 1).then(() => done.push('1 began'));
    void lines.unplug('n1', 2).then(() => done.push('2 began'));
    await line.goOn();
    expect(done).toEqual(['1 began', '2 began']);
    await lines.plug('n1', 1);
    expect(line.deeds).toEqual(['unplug', 'unplugged']);
    void lines.plug('n1', 2).then(() => done.push('2 ended'));
    await line.goOn();
    expect(line.deeds).toEqual(['unplug', 'unplugged', 'plug', 'plugged']);
    expect(done.at(-1)).toBe('2 ended');
  });

  it('does one thing after the other: neither a second fault nor the healing overtakes what is under way', async () => {
    const line = new SlowLine();
    const lines = new ClientLines(new Map([['n1', line]]));
    const done: string[] = [];
    void lines.unplug('n1', 1).then(() => done.push('1 began'));
    void lines.plug('n1', 1).then(() => done.push('1 ended'));
    void lines.unplug('n1', 2).then(() => done.push('2 began'));
    await nothingMoves();
    expect([done, line.deeds]).toEqual([[], ['unplug']]);
    await line.goOn();
    expect([done, line.deeds.at(-1)]).toEqual([['1 began'], 'plug']);
    await line.goOn();
    expect([done, line.deeds.at(-1)]).toEqual([['1 began', '1 ended'], 'unplug']);
    await line.goOn();
    expect(done).toEqual(['1 began', '1 ended', '2 began']);
  });

  it('plugs nothing that no fault unplugged, and leaves alone who has no line', async () => {
    const line = new SlowLine();
    const lines = new ClientLines(new Map([['n1', line]]));
    await lines.plug('n1', 1);
    await lines.unplug('resource', 1);
    await lines.plug('resource', 1);
    expect(line.deeds).toEqual([]);
  });
});
