import { DIAGRAM_STYLE } from './diagram/diagram-style.ts';
import { markup, type Markup } from './markup.ts';

/** The look of all report pages, in light and in dark, on a screen and on paper. */
export const PAGE_STYLE: Markup = markup`
:root { color-scheme: light dark; --ink: #1b2130; --soft: #5b6576; --faint: #e3e7ee; --paper: #ffffff; --panel: #f6f8fb; --link: #1f5fc4;
  --good: #1a7f4b; --good-panel: #e4f5ec; --bad: #c62a2f; --bad-panel: #fdeceb; --unsure: #8a5a00; --unsure-panel: #fdf3dc; }
@media screen and (prefers-color-scheme: dark) { :root { --ink: #e4e8ef; --soft: #9aa5b6; --faint: #2c3442; --paper: #12161d; --panel: #1a202a; --link: #8ab4ff;
  --good: #56cf92; --good-panel: #163325; --bad: #ff7b76; --bad-panel: #3d1c1f; --unsure: #e8b54a; --unsure-panel: #392c10; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 1380px; padding: 24px 24px 64px; background: var(--paper); color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
h1 { font-size: 27px; line-height: 1.25; margin: 2px 0 12px; overflow-wrap: anywhere; }
h2 { font-size: 19px; margin: 36px 0 10px; }
h3 { font-size: 15px; margin: 22px 0 8px; }
p { margin: 8px 0; }
a { color: var(--link); }
:focus-visible { outline: 2px solid var(--link); outline-offset: 2px; }
code { font: .87em/1.4 ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; overflow-wrap: anywhere; }
.eyebrow { color: var(--soft); font-size: 13px; margin: 0; overflow-wrap: anywhere; }
.quiet { color: var(--soft); }
.verdict { display: flex; flex-wrap: wrap; align-items: center; gap: 10px; }
.outcome { display: inline-block; white-space: nowrap; padding: 2px 12px; border-radius: 999px; font-weight: 650; border: 1.5px solid currentColor; }
.outcome.as-expected, .status.ok { color: var(--good); background: var(--good-panel); }
.outcome.not-as-expected, .status.violated { color: var(--bad); background: var(--bad-panel); }
.outcome.unknown, .outcome.skipped, .status.unknown { color: var(--unsure); background: var(--unsure-panel); }
.status { display: inline-block; padding: 0 8px; border-radius: 4px; font-size: .87em; font-weight: 600; white-space: nowrap; }
.status.none { color: var(--soft); }
.reasons { margin: 8px 0; padding: 10px 14px 10px 32px; background: var(--unsure-panel); border-radius: 6px; overflow-wrap: anywhere; }
.facts { display: flex; flex-wrap: wrap; gap: 8px 28px; margin: 16px 0 0; padding: 12px 16px; background: var(--panel); border-radius: 8px; }
.facts dt { color: var(--soft); font-size: .8em; }
.facts dd { margin: 0; overflow-wrap: anywhere; }
.headlines { margin: 8px 0 14px; padding-left: 22px; overflow-wrap: anywhere; }
.headlines strong, .not { color: var(--bad); }
.evidence { display: inline-block; min-width: 19px; padding: 0 5px; border-radius: 10px; background: var(--bad); color: var(--paper); font-size: 12px; font-weight: 700; line-height: 19px; text-align: center; text-decoration: none; }
.prose { max-width: 78ch; overflow-wrap: anywhere; }
.sources { overflow-wrap: anywhere; }
.table { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: 6px 12px 6px 0; border-bottom: 1px solid var(--faint); overflow-wrap: break-word; }
thead th { color: var(--soft); font-size: .83em; font-weight: 600; }
tbody th { font-weight: 600; white-space: nowrap; }
tr.mismatch { background: var(--unsure-panel); }
.events td:first-child, .number { white-space: nowrap; font-variant-numeric: tabular-nums; }
.events { width: auto; min-width: min(100%, 720px); }
.events .number { padding-right: 20px; color: var(--soft); }
tr.proof { background: var(--bad-panel); }
tr:target { outline: 2px solid var(--link); }
.violations { margin: 0; padding-left: 20px; }
li:target { background: var(--bad-panel); }
.totals { display: flex; flex-wrap: wrap; gap: 10px; list-style: none; padding: 0; }
.index td, .index th, .backends td, .backends th { padding-right: 18px; }
.index .title { max-width: 44ch; white-space: normal; font-weight: 400; color: var(--soft); font-size: .87em; }
.remedy { color: var(--soft); }
.group { font-size: .87em; max-width: 40ch; }
${DIAGRAM_STYLE}
@media print { body { padding: 0; font-size: 11px; max-width: none; } h2 { break-after: avoid; } tr, li, figure { break-inside: avoid; } .fit { display: none; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
`;
