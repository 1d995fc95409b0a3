import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { findAll, parseXml, textOf } from './fixtures/xml.ts';
import { markup } from './markup.ts';
import { clipText, visibleLines, visibleText } from '../text/visible-text.ts';

/** Any UTF-16 code units: control characters, quotes, tags, bidi overrides and lone surrogates among them. */
const anyText = fc.oneof(
  fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  fc.string({ unit: 'binary' }),
  fc
    .array(
      fc.constantFrom(
        '<script>',
        ']]>',
        '"',
        "'",
        '&',
        '&amp;',
        '-->',
        '\n',
        '\r',
        '\t',
        '\u202e',
        '\u0000',
        '\ud800',
        '</b>',
      ),
    )
    .map((parts) => parts.join('')),
);

describe('visibleText', () => {
  it.each([
    ['a\nb', 'a␊b'],
    ['a\tb\r', 'a␉b␍'],
    ['\u0000\u007f', '␀␡'],
    ['\u202eabc', '⟨U+202E⟩abc'],
    ['zero\u200bwidth', 'zero⟨U+200B⟩width'],
    ['\ud800', '⟨U+D800⟩'],
    ['\u2028\u0085\ufffe', '⟨U+2028⟩⟨U+0085⟩⟨U+FFFE⟩'],
    ['Zürich 東京 🙂', 'Zürich 東京 🙂'],
  ])('shows what is hidden in %j', (text, visible) => expect(visibleText(text)).toBe(visible));

  it('keeps line ends where lines are wanted', () => {
    expect(visibleLines('a\r\nb\n\u0007')).toBe('a\nb\n␇');
  });
});

describe('clipText', () => {
  it('keeps what is short enough, and never cuts a character in two', () => {
    expect(clipText('abc', 3)).toBe('abc');
    expect(clipText('abcd', 3)).toBe('ab…');
    expect(clipText('🙂🙂🙂', 3)).toBe('🙂🙂🙂');
    expect(clipText('🙂🙂🙂🙂', 3)).toBe('🙂🙂…');
  });

  it('is never longer than asked for', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.integer({ min: 1, max: 20 }), (text, most) => {
        expect(Array.from(clipText(text, most)).length).toBeLessThanOrEqual(most);
      }),
    );
  });
});

describe('markup', () => {
  it('comes back from a parser as the text that went in, in text and in attributes', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const [element] = findAll(parseXml(markup`<b title="${text}">${text}</b>`.toString()), 'b');
        expect(element?.attributes.get('title')).toBe(visibleText(text));
        expect(textOf(element as NonNullable<typeof element>)).toBe(visibleText(text));
      }),
      { numRuns: 500 },
    );
  });

  it('puts markup in as it is, lists one after the other, and nothing for null', () => {
    expect(markup`<i>${[markup`<b/>`, 'a<b', 3, null, ['&']]}</i>`.toString()).toBe('<i><b/>a&lt;b3&amp;</i>');
  });

  it('escapes what only looks like markup', () => {
    const forged = { toString: () => '<script>' } as unknown as string;
    expect(() => markup`${forged}`.toString()).toThrow();
  });
});
