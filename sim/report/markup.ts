import { visibleText } from '../text/visible-text.ts';

/** A piece of HTML or SVG. Only the `markup` tag makes one, so that no text gets into a page unescaped. */
export class Markup {
  readonly #text: string;

  /** @internal Use the `markup` tag. */
  constructor(text: string) {
    this.#text = text;
  }

  toString(): string {
    return this.#text;
  }
}

/** What can stand in a `${}` of `markup`: texts and numbers are escaped, pieces of markup are not, null leaves nothing. */
export type Content = string | number | Markup | null | readonly Content[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/**
 * A template of markup: `` markup`<b title="${name}">${name}</b>` ``. What is put in is escaped, for text and for quoted
 * attributes, and what would be invisible is made visible. The result is well-formed XML if the template is.
 */
export function markup(parts: TemplateStringsArray, ...contents: readonly Content[]): Markup {
  let text = parts[0] ?? '';
  contents.forEach((content, index) => {
    text += textOf(content) + (parts[index + 1] ?? '');
  });
  return new Markup(text);
}

function textOf(content: Content): string {
  if (content === null) return '';
  if (content instanceof Markup) return content.toString();
  if (typeof content === 'number') return String(content);
  if (typeof content === 'string')
    return visibleText(content).replace(/[&<>"']/g, (character) => ENTITIES[character] ?? '');
  return content.map(textOf).join('');
}
