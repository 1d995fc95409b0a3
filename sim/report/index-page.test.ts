import { describe, expect, it } from 'vitest';
import type { Judgement } from '../judge/judgement.ts';
import { judgementOf } from './fixtures/judgements.ts';
import { findAll, parseXml, textOf, type XmlElement } from './fixtures/xml.ts';
import { renderIndex } from './index-page.ts';
import { backendFacts, skippedOf, summaryOf } from './fixtures/summaries.ts';

function indexOf(...judgements: Judgement[]): XmlElement {
  return parseXml(renderIndex(summaryOf(judgements)));
}

/** The texts of the cells of a table, without its head. */
const cellsOf = (page: XmlElement, table = 'index'): string[][] =>
  findAll(findAll(page, 'table', table)[0] ?? page, 'tr')
    .slice(1)
    .map((row) => findAll(row, 'td').map((cell) => textOf(cell).trim()));
const linksOf = (page: XmlElement): string[] =>
  findAll(page, 'a').map(({ attributes }) => attributes.get('href') ?? '');

describe('renderIndex', () => {
  it('has a line for each scenario, with what was expected and found, its seed, and a link to its report', () => {
    const violated = { 'critical-section': [{ message: 'both inside', events: [1, 2] }] } as const;
    const page = indexOf(judgementOf({ seed: 7 }, violated));
    const [[backend, outcome, expected, found, runs, reports] = []] = cellsOf(page);
    expect([backend, outcome, runs, reports]).toEqual(['simulated', '✓ as expected', 'seed 7', 'report']);
    expect(expected).toMatch(/^violated critical-section *ok mutual-exclusion, resource-integrity/);
    expect(found).toBe(expected);
    expect(linksOf(page)).toContain('./by-hand/seed-7/report.html');
  });

  it('links the runs of many that need a look, worst first', () => {
    const runs = Array.from({ length: 100 }, (_, index) =>
      judgementOf({
        seed: index,
        outcome: index === 40 ? 'unknown' : index === 60 ? 'not-as-expected' : 'as-expected',
      }),
    );
    const page = indexOf(...runs);
    expect(linksOf(page)).toEqual(['./by-hand/seed-60/report.html', './by-hand/seed-40/report.html', './summary.json']);
    expect(cellsOf(page)[0]?.[4]).toBe('100 seeds: 1 not as expected, 1 unknown, 98 as expected');
  });

  it.each([
    [[judgementOf(), judgementOf({ seed: 2 })], 'All 2 runs as expected', true],
    [[judgementOf(), judgementOf({ seed: 2, outcome: 'unknown' })], '1 of 2 runs unknown', false],
    [[judgementOf({ outcome: 'not-as-expected' })], '1 of 1 run not as expected', false],
    [[], 'No runs', false],
  ] as const)('%# says at the top how it went, and is green only if all went well', (judgements, headline, isGreen) => {
    const page = indexOf(...judgements);
    expect(textOf(findAll(page, 'h1')[0] as XmlElement)).toBe(headline);
    const green = findAll(page, 'tr').filter((row) => findAll(row, 'span', 'as-expected').length > 0);
    expect(green.length > 0).toBe(isGreen);
  });

  it('does not look finished where it was cut short', () => {
    const page = parseXml(renderIndex(summaryOf([judgementOf()], { missing: 3 })));
    expect(textOf(findAll(page, 'h1')[0] as XmlElement)).toBe('Cut short: 1 of 4 runs came to their end');
    expect(textOf(page)).toContain('3 never came to their end');
  });

  it('escapes hostile names, and links nowhere but below', () => {
    const names = [
      '<script>alert(1)</script>',
      'javascript:alert(1)//',
      '../../etc',
      '"><b onclick="x">',
      '\u202ecod\ud800.exe',
      '//evil.example',
    ];
    const page = indexOf(...names.map((scenario) => judgementOf({ scenario, title: scenario, backend: scenario })));
    expect(findAll(page, 'script')).toEqual([]);
    for (const link of linksOf(page)) {
      expect(new URL(link, 'https://reports.example/runs/').href).toMatch(/^https:\/\/reports\.example\/runs\//);
    }
  });
});

describe('renderIndex of several backends', () => {
  const violated = { 'critical-section': [{ message: 'both inside', events: [1, 2] }] } as const;
  const backends = [
    backendFacts('simulated'),
    backendFacts('processes'),
    backendFacts('containers', { unavailable: { problem: 'there is no Docker', remedy: 'start it' } }),
  ];
  const judgements = [
    judgementOf({ scenario: 'a' }, violated),
    judgementOf({ scenario: 'a', seed: 2 }, violated),
    judgementOf({ scenario: 'a', backend: 'processes', outcome: 'not-as-expected' }),
    judgementOf({ scenario: 'b' }),
  ];
  const skipped = [
    skippedOf({ scenario: 'b' }),
    ...['a', 'b'].map((scenario) => skippedOf({ scenario, backend: 'containers', reason: 'there is no Docker' })),
  ];
  const page = parseXml(renderIndex(summaryOf(judgements, { backends, skipped })));

  it('has a column for each backend, and says whether they agree and where they do not', () => {
    const [first, second] = cellsOf(page);
    expect(first?.slice(1)).toEqual([
      '✓ as expected2 seeds: 2 as expected; seed 1, seed 2',
      expect.stringMatching(/^✗ not as expectedseed 1; report/),
      '⤼ skipped',
      'differcritical-section: simulated violated, processes ok',
    ]);
    expect(second?.slice(1)).toEqual([
      '✓ as expectedseed 1; report',
      '⤼ skippedit sees bytes, not messages',
      '⤼ skipped',
      'one backend alone',
    ]);
    expect(linksOf(page)).toContain('./a/seed-1/report.html');
  });

  it('says above what each backend did, how flaky it is, and why it could not run', () => {
    expect(cellsOf(page, 'backends')).toEqual([
      [
        '3 runs: 3 as expected, 0 not as expected, 0 unknown',
        '0 scenarios',
        '0 of 1 scenario came out differently between seeds; 0 of 2 runs were unlike the majority, 0.0 %',
      ],
      ['1 run: 0 as expected, 1 not as expected, 0 unknown', '1 scenario', 'each scenario ran at most once'],
      ['⤼ skipped It cannot run here: there is no Docker.Remedy: start it'],
    ]);
    expect(textOf(findAll(page, 'h1')[0] as XmlElement)).toBe('1 of 4 runs not as expected; containers could not run');
    expect(findAll(page, 'li').map((item) => textOf(item).trim())).toContain('3 ⤼ skipped');
  });

  it('marks a row as one that needs a look if the backends differ', () => {
    const rows = findAll(findAll(page, 'table', 'index')[0] as XmlElement, 'tr').slice(1);
    expect(rows.map(({ attributes }) => attributes.get('class'))).toEqual(['mismatch', undefined]);
  });
});
