import { beforeAll, describe, expect, it } from 'vitest';
import { HistoryLog } from '../history/history-log.ts';
import { judgementOf } from './fixtures/judgements.ts';
import { RunBuilder } from './fixtures/run-builder.ts';
import { findAll, parseXml, textOf, type XmlElement } from './fixtures/xml.ts';
import { renderRunReport } from './run-report.ts';

const CLIENTS = ['c1', 'c2', 'c3', 'c4', 'c5', 'c6', 'c7', 'c8'];
const EVENTS = 1_000_000;
const MOST_BYTES = 2_000_000;
/** A history read once from end to end takes well under a second; drawing all of it would take minutes. */
const MOST_MS = 10_000;

describe('a history of a million events', () => {
  let history = new HistoryLog();
  let proof: number[] = [];

  beforeAll(() => {
    const run = new RunBuilder({ clients: CLIENTS });
    for (let cycle = 0; run.log.length < EVENTS; cycle += 1) {
      const client = CLIENTS[cycle % CLIENTS.length] ?? '';
      const lease = run.at(cycle * 20_000).acquire(client) ?? 0;
      const entered = run.enter(client, lease);
      run.write(client, lease);
      // Late in the run, somebody enters who has no business there.
      if (proof.length === 0 && run.log.length > EVENTS * 0.9) proof = [entered, run.enter('c8', lease)];
      run.leave(client, lease);
      run.release(client, lease);
    }
    history = run.end();
  });

  function reportOf(violated: boolean): { html: string; tookMs: number } {
    const found = violated ? { 'critical-section': [{ message: 'c8 is inside as well.', events: proof }] } : {};
    const startMs = performance.now();
    const html = renderRunReport(history, judgementOf({}, found));
    return { html, tookMs: performance.now() - startMs };
  }

  it('is drawn around its violation, quickly, and in a small file', () => {
    const { html, tookMs } = reportOf(true);
    expect(tookMs).toBeLessThan(MOST_MS);
    expect(html.length).toBeLessThan(MOST_BYTES);
    const page = parseXml(html);
    expect(findAll(page, 'a', 'badge').length).toBeGreaterThan(0);
    expect(findAll(page, 'rect', 'band').length).toBeGreaterThan(0);
    const captions = findAll(page, 'figcaption').map(textOf).join(' ');
    expect(captions).toContain('around the first violation');
    expect(captions).toContain('the whole is in history.ndjson');
    expect(findAll(page, 'g', 'message').length).toBeLessThan(3_000);
    for (const index of proof) expect(rowOf(page, index)).toBeDefined();
  });

  it('is drawn from its beginning where nothing is wrong, without reading the rest', () => {
    const { html } = reportOf(false);
    expect(html.length).toBeLessThan(MOST_BYTES);
    expect(findAll(parseXml(html), 'figcaption').map(textOf).join(' ')).toMatch(/Shows 0 ms to [\d.]+ ms of [\d.]+ s/);
    let furthest = 0;
    const watched = {
      length: history.length,
      at: (index: number) => {
        if (index < history.length - 1) furthest = Math.max(furthest, index);
        return history.at(index);
      },
    };
    renderRunReport(watched, judgementOf());
    expect(furthest).toBeLessThan(3_000);
  });
});

function rowOf(page: XmlElement, index: number): XmlElement | undefined {
  return findAll(page, 'tr').find(({ attributes }) => attributes.get('id') === `row-${index}`);
}
