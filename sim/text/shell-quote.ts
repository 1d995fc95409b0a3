const PLAIN = /^[A-Za-z0-9_./:@%+=,-]+$/;
const CONTROL = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;

/** `text` as one word of a POSIX shell. Control and format characters are written as escapes, which bash and zsh read. */
export function shellQuote(text: string): string {
  if (PLAIN.test(text)) return text;
  if (!CONTROL.test(text)) return `'${text.replaceAll("'", `'\\''`)}'`;
  let quoted = '';
  for (const character of text) {
    if (CONTROL.test(character))
      quoted += [...Buffer.from(character)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
    else quoted += character === "'" || character === '\\' ? `\\${character}` : character;
  }
  return `$'${quoted}'`;
}
