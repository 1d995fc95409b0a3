import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Judgement } from '../judge/judgement.ts';
import { HistoryLog } from '../history/history-log.ts';
import { judgementOf, pausedHolder } from './fixtures/judgements.ts';
import { RunBuilder } from './fixtures/run-builder.ts';
import { findAll, parseXml, textOf, type XmlElement } from './fixtures/xml.ts';
import { renderRunReport } from './run-report.ts';

const HOSTILE = [
  '<script>alert(1)</script>',
  ']]>',
  '"onload="alert(1)',
  "'><img src=x onerror=alert(1)>",
  'two\nlines\u0000\u001b[31m',
  '\u202egnp.exe',
  '\ud800 lone',
  'javascript:alert(1)',
];

function pageOf(history: HistoryLog, judgement: Judgement): XmlElement {
  return parseXml(renderRunReport(history, judgement));
}

function only(elements: readonly XmlElement[]): XmlElement {
  expect(elements).toHaveLength(1);
  return elements[0] as XmlElement;
}

describe('the report of a run', () => {
  const { history, judgement } = pausedHolder();
  const page = pageOf(history, judgement);

  it('says what it is about, and how to run it again', () => {
    expect(textOf(only(findAll(page, 'h1')))).toBe('A run');
    expect(textOf(findAll(page, 'title')[0] as XmlElement)).toBe('A run · distrilock');
    expect(textOf(only(findAll(page, 'code', 'command')))).toBe('npx distrilock run by-hand --seed 1');
    expect(textOf(only(findAll(page, 'span', 'outcome')))).toBe('✓ as expected');
  });

  it('has a row for each property, with the sentences of its violations', () => {
    const [table] = findAll(page, 'table');
    const rows = findAll(table as XmlElement, 'tr')
      .slice(1)
      .map((row) => findAll(row, 'th').concat(findAll(row, 'td')).map(textOf));
    expect(rows.map(([property, expected, found]) => [property, expected, found])).toEqual([
      ['mutual-exclusion', 'ok', 'ok'],
      ['critical-section', 'violated', 'violated'],
      ['resource-integrity', 'violated', 'violated'],
      ['token-order', 'ok', 'ok'],
      ['release-safety', 'ok', 'ok'],
      ['deadlock-freedom', 'ok', 'ok'],
      ['availability', 'ok', 'ok'],
    ]);
    expect(rows[1]?.[3]).toContain('B enters while A is inside.');
  });

  it('marks the evidence in the picture, in the sentences and in the list of events', () => {
    const badges = findAll(page, 'a', 'badge');
    expect(badges.map(textOf)).toEqual(['1', '2', '3', '4']);
    const proof = findAll(page, 'tr', 'proof');
    expect(badges.map((badge) => badge.attributes.get('href')?.slice(1))).toEqual(
      proof.map((row) => row.attributes.get('id')),
    );
    expect(findAll(only(findAll(page, 'ul', 'headlines')), 'a').map(textOf)).toEqual(['1', '2', '3', '4']);
  });

  it('draws the band over the time in which both are inside', () => {
    const bands = findAll(page, 'rect', 'band');
    expect(bands).toHaveLength(2);
    const sections = findAll(page, 'rect', 'section');
    const [overlap] = bands.map(extentOf).sort((left, right) => right.until - left.until - (right.from - left.from));
    const [first, second] = sections.map(extentOf);
    expect(overlap?.from).toBeCloseTo(Math.max(first?.from ?? 0, second?.from ?? 0), 0);
    expect(overlap?.until).toBeCloseTo(Math.min(first?.until ?? 0, second?.until ?? 0), 0);
  });

  it('shows that A is paused, still inside when its lease is over, and that its write arrives after that of B', () => {
    expect(findAll(page, 'rect', 'paused').map(textOf)).toContain('A is paused from 50 ms to 1.5 s.');
    const bare = findAll(page, 'rect', 'bare').map(textOf).join();
    expect(bare).toContain('A is still in the critical section, but its lease is over, from 988 ms to 1.5014 s.');
    const labels = findAll(page, 'text', 'write-label').map(
      (label) => [Number(label.attributes.get('x')), textOf(label)] as const,
    );
    expect([...labels].sort(([left], [right]) => left - right).map(([, text]) => text)).toEqual([
      'B’s write accepted',
      'A’s write accepted',
    ]);
  });

  it('links only to places on the page that are there, and to its sources', () => {
    const ids = new Set(allElements(page).map(({ attributes }) => attributes.get('id')));
    const links = findAll(page, 'a').map(({ attributes }) => attributes.get('href') ?? '');
    expect(links.filter((link) => link.startsWith('#') && !ids.has(link.slice(1)))).toEqual([]);
    expect(links.filter((link) => !link.startsWith('#'))).toEqual(['https://example.org/lesson']);
  });

  it('loads nothing and runs nothing', () => {
    const html = renderRunReport(history, judgement);
    expect(findAll(page, 'script').concat(findAll(page, 'link'), findAll(page, 'img'))).toEqual([]);
    expect(html).toContain("default-src 'none'; style-src 'unsafe-inline'");
    expect(textOf(only(findAll(page, 'style')))).not.toMatch(/@import|url\((?!#)/);
  });

  it('can be told without seeing: every picture has a title and a description, every table heads', () => {
    const pictures = findAll(page, 'svg', 'drawing');
    expect(pictures.length).toBeGreaterThan(0);
    for (const picture of pictures) {
      expect(textOf(only(findAll(picture, 'desc')))).toContain('From top to bottom');
      const [titleId = '', descriptionId = ''] = (picture.attributes.get('aria-labelledby') ?? '').split(' ');
      const ids = allElements(picture).map(({ attributes }) => attributes.get('id'));
      expect(ids).toContain(titleId);
      expect(ids).toContain(descriptionId);
    }
    for (const table of findAll(page, 'table')) {
      const heads = findAll(only(findAll(table, 'thead')), 'th');
      expect(heads.length).toBeGreaterThan(2);
      expect(heads.every(({ attributes }) => attributes.get('scope') === 'col')).toBe(true);
    }
  });

  it('is the same, byte for byte, for the same run', () => {
    const again = pausedHolder();
    expect(renderRunReport(again.history, again.judgement)).toBe(renderRunReport(history, judgement));
  });
});

describe('outcomes', () => {
  it.each([
    ['unknown', '? unknown'],
    ['not-as-expected', '✗ not as expected'],
  ] as const)('%s is said in words, with its reasons, and is not green', (outcome, words) => {
    const { history } = pausedHolder();
    const page = pageOf(history, judgementOf({ outcome, reasons: ['client-paused never happened'] }));
    const badge = only(findAll(page, 'span', 'outcome'));
    expect(textOf(badge)).toBe(words);
    expect(badge.attributes.get('class')).toBe(`outcome ${outcome}`);
    expect(textOf(only(findAll(page, 'ul', 'reasons')))).toBe('client-paused never happened');
    expect(renderRunReport(history, judgementOf({ outcome }))).not.toContain('class="outcome as-expected"');
  });

  it('shows a property that could not be judged as unknown, with the reason', () => {
    const base = judgementOf({}, { 'token-order': 'unknown' });
    const properties = base.properties.map((entry) =>
      entry.verdict.status === 'unknown' ? { ...entry, expected: 'ok' as const } : entry,
    );
    const page = pageOf(pausedHolder().history, { ...base, properties, outcome: 'unknown' });
    const row = only(findAll(page, 'tr', 'mismatch'));
    expect(findAll(row, 'span', 'status').map(textOf)).toEqual(['ok', 'unknown']);
    expect(textOf(row)).toContain('could not be judged');
    expect(textOf(row)).toContain('there was nothing to judge');
  });

  it('shows what should have happened and did not', () => {
    const happened = [
      { occurrence: { event: 'client-paused', client: 'A', atLeast: 2 }, count: 1, met: false },
      { occurrence: { event: 'write-refused', atMost: 0 }, count: 0, met: true },
      { occurrence: { event: 'key-lost', atLeast: 1, atMost: 3 }, count: 2, met: true },
    ] as const;
    const page = pageOf(pausedHolder().history, judgementOf({ happened, outcome: 'unknown' }));
    const rows = findAll(findAll(page, 'table')[1] as XmlElement, 'tr')
      .slice(1)
      .map((row) => findAll(row, 'td').map(textOf));
    expect(rows).toEqual([
      ['client A', 'at least 2', '1', 'not met'],
      ['', 'never', '0', 'met'],
      ['', '1 to 3', '2', 'met'],
    ]);
  });
});

describe('hostile texts', () => {
  it.each(HOSTILE)('stay texts: %j', (text) => {
    const { history, judgement } = pausedHolder({
      clients: [text, 'B'],
      nodes: [`${text}1`, 'n2', 'n3'],
      resource: text,
      title: text,
    });
    const hostile: Judgement = {
      ...judgement,
      scenario: text,
      title: text,
      lesson: text,
      backend: text,
      replay: text,
      sources: [text, `https://example.org/${text}`],
      reasons: [text],
      happened: [{ occurrence: { event: 'client-paused', client: text }, count: 1, met: true }],
    };
    const page = pageOf(history, hostile);
    expect(findAll(page, 'script').concat(findAll(page, 'img'))).toEqual([]);
    for (const { attributes } of allElements(page)) {
      expect([...attributes.keys()].filter((name) => name.startsWith('on'))).toEqual([]);
      const link = attributes.get('href') ?? '#';
      expect(link).toMatch(/^#|^https:\/\/example\.org\//);
    }
  });

  it('of any kind leave the page well-formed', () => {
    const text = fc
      .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 12 })
      .map((units) => String.fromCharCode(...units));
    fc.assert(
      fc.property(text, text, text, (client, node, prose) => {
        const { history, judgement } = pausedHolder({
          clients: [client, `${client}2`],
          nodes: [node, `${node}2`, `${node}3`],
        });
        expect(() => pageOf(history, { ...judgement, lesson: prose, title: prose })).not.toThrow();
      }),
      { numRuns: 60 },
    );
  });

  it('may be very long', () => {
    const long = '<&"\n'.repeat(100_000);
    const { history, judgement } = pausedHolder({ clients: ['A', 'B'], resource: long });
    expect(renderRunReport(history, judgement).length).toBeLessThan(2_000_000);
  });
});

describe('odd histories', () => {
  it('an empty one has a report without a picture', () => {
    const page = pageOf(new HistoryLog(), judgementOf({ outcome: 'unknown' }));
    expect(findAll(page, 'svg')).toEqual([]);
    expect(textOf(page)).toContain('The history is empty');
  });

  it('one that breaks off in the middle of things is drawn up to there', () => {
    const run = new RunBuilder();
    const lease = run.acquire('A') ?? 0;
    run.enter('A', lease);
    run.record('command-sent', { command: 99, client: 'A', node: 'n1', kind: 'release', key: 'stock', value: 'x' });
    const page = pageOf(run.log, judgementOf({ outcome: 'unknown' }));
    const drawing = only(findAll(page, 'svg', 'drawing'));
    expect(findAll(drawing, 'rect', 'section')).toHaveLength(1);
    expect(findAll(drawing, 'path', 'cut')).toHaveLength(1);
  });

  it('evidence that is not there is left out', () => {
    const { history } = pausedHolder();
    const judgement = judgementOf({}, { 'release-safety': [{ message: 'somewhere', events: [-1, 999_999] }] });
    expect(findAll(pageOf(history, judgement), 'a', 'badge')).toEqual([]);
  });

  it('more lanes than there is room for are left out in words, but not those of the evidence', () => {
    const clients = Array.from({ length: 40 }, (_, index) => `c${index + 1}`);
    const nodes = Array.from({ length: 21 }, (_, index) => `n${index + 1}`);
    const run = new RunBuilder({ clients, nodes });
    const lease = run.acquire('c40') ?? 0;
    const entered = run.enter('c40', lease);
    const judgement = judgementOf({}, { 'critical-section': [{ message: 'c40 is inside', events: [entered] }] });
    const page = pageOf(run.end(), judgement);
    const names = findAll(findAll(page, 'svg', 'names')[0] as XmlElement, 'text', 'name').map(textOf);
    expect(names).toContain('c40');
    expect(names).toHaveLength(19);
    expect(textOf(findAll(page, 'figcaption')[0] as XmlElement)).toContain(
      'There is no room for 30 clients and 12 nodes more.',
    );
  });
});

function extentOf({ attributes }: XmlElement): { from: number; until: number } {
  const from = Number(attributes.get('x'));
  return { from, until: from + Number(attributes.get('width')) };
}

function allElements(element: XmlElement): XmlElement[] {
  return element.children.flatMap((child) => (typeof child === 'string' ? [] : [child, ...allElements(child)]));
}
