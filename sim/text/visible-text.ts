/**
 * What a reader would not see, or what would reorder what they see: control and format characters (bidi overrides,
 * zero-width ones), line ends, lone surrogates and noncharacters, of which some may not stand in XML at all.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Noncharacter_Code_Point}\p{Default_Ignorable_Code_Point}]/gu;

const FIRST_CONTROL_PICTURE = 0x2400;
const DELETE = 0x7f;
const DELETE_PICTURE = '\u2421';

/** `text` on one line with nothing hidden in it: a line end becomes `␊`, a right-to-left override `⟨U+202E⟩`. */
export function visibleText(text: string): string {
  return text.replace(INVISIBLE, (character) => pictureOf(character.codePointAt(0) ?? 0));
}

/** The same for each line: line ends stay. */
export function visibleLines(text: string): string {
  return text.split(/\r?\n/).map(visibleText).join('\n');
}

/** `text` with at most `most` characters: the last of them is an ellipsis if there were more. */
export function clipText(text: string, most: number): string {
  if (text.length <= most) return text;
  // Two code units make a character at the most, so that one character more than allowed is among these.
  const characters = Array.from(text.slice(0, 2 * most + 2));
  return characters.length <= most ? text : `${characters.slice(0, most - 1).join('')}…`;
}

function pictureOf(codePoint: number): string {
  if (codePoint < 0x20) return String.fromCodePoint(FIRST_CONTROL_PICTURE + codePoint);
  if (codePoint === DELETE) return DELETE_PICTURE;
  return `⟨U+${codePoint.toString(16).toUpperCase().padStart(4, '0')}⟩`;
}
