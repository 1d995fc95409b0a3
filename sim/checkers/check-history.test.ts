import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HistoryLog } from '../history/history-log.ts';
import { decodeHistory, encodeHistory } from '../history/ndjson.ts';
import { arbitraryHistory } from './arbitrary-history.ts';
import { checkHistory } from './check-history.ts';
import { HistoryBuilder } from './history-builder.ts';
import { PROPERTIES } from './verdict.ts';

describe('checkHistory', () => {
  it('judges every property, in their order', () => {
    const verdicts = checkHistory(new HistoryBuilder().build());
    expect(verdicts.map(({ property }) => property)).toEqual(PROPERTIES);
  });

  it('finds nothing proven in a run in which nothing happened', () => {
    const verdicts = checkHistory(new HistoryBuilder().build());
    expect(verdicts.map(({ status }) => status)).toEqual(PROPERTIES.map(() => 'unknown'));
  });

  it('finds nothing proven where there are no events', () => {
    for (const verdict of checkHistory(new HistoryLog())) {
      expect(verdict).toMatchObject({
        status: 'unknown',
        reason: 'the history contradicts itself: there are no events',
      });
    }
  });

  it('gives equal verdicts on equal histories, saved ones and any implementation included', () => {
    fc.assert(
      fc.property(arbitraryHistory, (history) => {
        const verdicts = checkHistory(history);
        expect(checkHistory(decodeHistory(encodeHistory(history)))).toEqual(verdicts);
        const plain = { length: history.length, at: (index: number) => history.at(index) };
        expect(checkHistory(plain)).toEqual(verdicts);
      }),
    );
  });

  it('names existing events as proof, ascending and each once', () => {
    fc.assert(
      fc.property(arbitraryHistory, (history) => {
        for (const verdict of checkHistory(history)) {
          if (verdict.status !== 'violated') continue;
          for (const { events } of verdict.violations) {
            expect(events.length).toBeGreaterThan(0);
            expect(events).toEqual([...new Set(events)].sort((one, other) => one - other));
            expect(events.every((index) => index >= 0 && index < history.length)).toBe(true);
          }
        }
      }),
    );
  });

  it('judges a history again that has grown', () => {
    const log = new HistoryBuilder().build(null);
    expect(checkHistory(log)[0]).toMatchObject({ reason: 'the history breaks off before the end of the run' });
    log.record({ type: 'run-ended', timeUs: 1, reason: 'completed' });
    expect(checkHistory(log)[0]).toMatchObject({ reason: 'no lock was granted' });
  });
});
