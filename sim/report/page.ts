import { markup, type Content, type Markup } from './markup.ts';
import { PAGE_STYLE } from './page-style.ts';

/**
 * A whole page of its own: it loads nothing, and has no script. The policy in its head makes browsers hold it to that,
 * whatever a hostile name may contain.
 */
export function renderPage(title: string, body: Content): string {
  return markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8"/>
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"/>
<meta name="viewport" content="width=device-width, initial-scale=1"/>
<meta name="color-scheme" content="light dark"/>
<title>${title}</title>
<style>${PAGE_STYLE}</style>
</head>
<body>
${body}
</body>
</html>
`.toString();
}

/** Prose: paragraphs are apart by an empty line. */
export function renderProse(prose: string): Markup {
  const paragraphs = prose
    .split(/\r?\n[\t ]*\r?\n/)
    .map((paragraph) => paragraph.trim().replace(/\s*\r?\n\s*/g, ' '))
    .filter((paragraph) => paragraph !== '');
  return markup`${paragraphs.map((paragraph) => markup`<p>${paragraph}</p>`)}`;
}

/** A link if it is a web address, else only its text: nothing else may become a link. */
export function renderSource(source: string): Markup {
  if (!/^https?:\/\/[^\s]+$/i.test(source) || !URL.canParse(source)) return markup`${source}`;
  return markup`<a href="${source}" rel="noopener noreferrer">${source}</a>`;
}
