import { describe, expect, it } from 'vitest';
import type { Judgement } from '../checkers/judgement.ts';
import { judgementOf } from './fixtures/judgements.ts';
import { findAll, parseXml, textOf, type XmlElement } from './fixtures/xml.ts';
import { renderIndex } from './index-page.ts';
import { summaryOf } from './fixtures/summaries.ts';

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
