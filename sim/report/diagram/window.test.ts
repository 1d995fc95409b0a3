import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../../history/event.ts';
import type { History } from '../../history/history.ts';
import { judgementOf } from '../fixtures/judgements.ts';
import { chooseWindow, type NumberedViolation, violationsOf } from './window.ts';

/** A history in which event i happens at i milliseconds. */
function historyOf(length: number): History {
  return { length, at: (index): HistoryEvent => ({ type: 'healed', timeUs: index * 1000 }) };
}

function violationAt(...events: number[]): NumberedViolation {
  return { number: 1, property: 'critical-section', message: 'both inside', events };
}

describe('chooseWindow', () => {
  it('takes a short history whole', () => {
    const window = chooseWindow(historyOf(500), [violationAt(3)]);
    expect(window).toMatchObject({ from: 0, to: 500, fromUs: 0, untilUs: 499_000, choice: 'whole' });
  });

  it('takes the beginning of a long one without a violation', () => {
    expect(chooseWindow(historyOf(1_000_000), [])).toMatchObject({
      from: 0,
      to: 800,
      untilUs: 799_000,
      wholeUntilUs: 999_999_000,
      choice: 'the beginning',
    });
  });

  it('takes what lies around the violation that was complete first', () => {
    const window = chooseWindow(historyOf(1_000_000), [violationAt(10, 900_000), violationAt(500_000, 500_100)]);
    expect(window.choice).toBe('around the first violation');
    expect(window.from).toBeLessThan(500_000);
    expect(window.to).toBeGreaterThan(500_100);
    expect(window.to - window.from).toBeLessThan(1_000);
  });

  it('never takes more than 3,000 events, and of a longer proof the end', () => {
    const window = chooseWindow(historyOf(100_000), [violationAt(1_000, 50_000)]);
    expect(window.to - window.from).toBe(3_000);
    expect(window.to).toBeGreaterThan(50_000);
  });

  it('does without evidence that the history does not have', () => {
    expect(chooseWindow(historyOf(2_000), [violationAt(5_000), violationAt()]).choice).toBe('the beginning');
  });

  it('takes nothing of nothing', () => {
    expect(chooseWindow(historyOf(0), [])).toMatchObject({ from: 0, to: 0, fromUs: 0, untilUs: 0 });
  });
});

describe('violationsOf', () => {
  it('numbers the violations of all properties in one row', () => {
    const judgement = judgementOf(
      {},
      {
        'critical-section': [
          { message: 'one', events: [1] },
          { message: 'two', events: [2] },
        ],
        'release-safety': [{ message: 'three', events: [3] }],
        'token-order': 'unknown',
      },
    );
    expect(violationsOf(judgement).map(({ number, property, message }) => [number, property, message])).toEqual([
      [1, 'critical-section', 'one'],
      [2, 'critical-section', 'two'],
      [3, 'release-safety', 'three'],
    ]);
  });
});
