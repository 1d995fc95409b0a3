import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Judgement } from '../judge/judgement.ts';
import { judgementOf } from './fixtures/judgements.ts';
import { findAll, parseXml, textOf, type XmlElement } from './fixtures/xml.ts';
import { renderJUnit } from './junit.ts';
import { skippedOf, summaryOf } from './fixtures/summaries.ts';

function junitOf(...judgements: Judgement[]): XmlElement {
  return parseXml(renderJUnit(summaryOf(judgements)));
}

const attributesOf = (element: XmlElement | undefined): Record<string, string> =>
  Object.fromEntries(element?.attributes ?? []);

describe('renderJUnit', () => {
  it('has a suite for each scenario and backend, and a case for each seed', () => {
    const xml = junitOf(judgementOf({ seed: 1 }), judgementOf({ seed: 2 }), judgementOf({ backend: 'processes' }));
    expect(
      findAll(xml, 'testsuite').map((suite) => [attributesOf(suite)['name'], findAll(suite, 'testcase').length]),
    ).toEqual([
      ['by-hand (processes)', 1],
      ['by-hand (simulated)', 2],
    ]);
    expect(attributesOf(findAll(xml, 'testsuites')[0])).toMatchObject({ tests: '3', failures: '0', errors: '0' });
  });

  it('fails what is not as expected, and says how to run it again', () => {
    const violated = { 'critical-section': [{ message: 'both inside', events: [1, 2] }] } as const;
    const xml = junitOf(judgementOf({ outcome: 'not-as-expected', reasons: ['One.', 'Two.'] }, violated));
    const [failure] = findAll(xml, 'failure');
    expect(attributesOf(failure)).toEqual({ message: 'One. Two.', type: 'not-as-expected' });
    expect(textOf(failure as XmlElement).split('\n')).toEqual([
      'One.',
      'Two.',
      expect.stringContaining('expected: mutual-exclusion ok, critical-section violated'),
      'violated: critical-section',
      'could not be judged: none',
      'report: by-hand/seed-1/report.html',
      'run it again: npx distrilock run by-hand --seed 1',
    ]);
  });

  it('takes neither what is unknown nor nothing at all for a success', () => {
    const unknown = junitOf(judgementOf({ outcome: 'unknown' }));
    expect(attributesOf(findAll(unknown, 'error')[0])).toMatchObject({ type: 'unknown' });
    expect(attributesOf(findAll(unknown, 'testsuites')[0])).toMatchObject({ tests: '1', errors: '1' });
    expect(attributesOf(findAll(junitOf(), 'testsuites')[0])).toMatchObject({ tests: '1', errors: '1' });
  });

  it('takes a suite that was cut short for no success', () => {
    const page = parseXml(renderJUnit(summaryOf([judgementOf()], { missing: 2 })));
    const [error] = findAll(page, 'error');
    expect(error?.attributes.get('message')).toBe('Cut short: 2 of 3 runs never came to their end.');
  });

  it('skips what was skipped, with the reason and the remedy', () => {
    const skipped = skippedOf({ reason: 'there are no ]]> servers', remedy: 'install ]]> some' });
    const xml = parseXml(renderJUnit(summaryOf([judgementOf()], { skipped: [skipped] })));
    expect(attributesOf(findAll(xml, 'testsuites')[0])).toMatchObject({ tests: '2', errors: '0', skipped: '1' });
    const testCase = findAll(xml, 'testcase').find((each) => findAll(each, 'skipped').length > 0);
    expect(attributesOf(testCase)).toEqual({ name: 'by-hand', classname: 'processes.by-hand' });
    expect(textOf(testCase as XmlElement).trim()).toBe('skipped: there are no ]] > servers\nremedy: install ]] > some');
  });

  it('takes what was tried in vain, or everything skipped, for an error', () => {
    const tried = parseXml(renderJUnit(summaryOf([judgementOf()], { skipped: [skippedOf({ wasTried: true })] })));
    expect(attributesOf(findAll(tried, 'testsuites')[0])).toMatchObject({ tests: '2', errors: '1', skipped: '0' });
    const none = parseXml(renderJUnit(summaryOf([], { skipped: [skippedOf()] })));
    expect(attributesOf(findAll(none, 'testsuites')[0])).toMatchObject({ tests: '2', errors: '1', skipped: '1' });
  });

  it('is well-formed whatever the texts are', () => {
    const text = fc.oneof(
      fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
      fc.constantFrom(']]>', '"<>&\'', '\u0000', '\ud800', 'a\nb'),
    );
    fc.assert(
      fc.property(
        text,
        text,
        text,
        fc.constantFrom('unknown' as const, 'not-as-expected' as const),
        (name, reason, replay, outcome) => {
          const xml = junitOf(
            judgementOf({
              scenario: name,
              title: reason,
              backend: name,
              reasons: [reason, `${reason}]]>`],
              replay,
              outcome,
            }),
          );
          expect(findAll(xml, 'failure').length + findAll(xml, 'error').length).toBe(1);
        },
      ),
    );
  });
});
