import { markup, type Markup } from '../markup.ts';

/** The look of the space-time diagram. Eight colours tell clients apart; red is kept for violations, amber for faults. */
export const DIAGRAM_STYLE: Markup = markup`
:root { --c0: #2563c9; --c1: #0b8062; --c2: #8443bf; --c3: #96600a; --c4: #0a7f9e; --c5: #a83f78; --c6: #5f7410; --c7: #56657d;
  --on: #ffffff; --resource-lane: #eef1f6; --client-lane: #f6f8fb; --node-lane: #f6f8fb; --grid: #dbe0e9; --idle: #e9edf3; --fault: #d98a00; --fault-ink: #7d5000; --stand: #6b7484; }
@media screen and (prefers-color-scheme: dark) { :root { --c0: #7fabff; --c1: #43cfa5; --c2: #c693f5; --c3: #e3a845; --c4: #52c5e8; --c5: #f08fc0; --c6: #b8cd55; --c7: #a8b6cb;
  --on: #0f131a; --resource-lane: #212836; --client-lane: #1a202a; --node-lane: #1a202a; --grid: #303948; --idle: #222936; --fault: #c98a1c; --fault-ink: #f0bf62; --stand: #8b95a7; } }
.c0 { --c: var(--c0); } .c1 { --c: var(--c1); } .c2 { --c: var(--c2); } .c3 { --c: var(--c3); }
.c4 { --c: var(--c4); } .c5 { --c: var(--c5); } .c6 { --c: var(--c6); } .c7 { --c: var(--c7); }
.diagram { margin: 0 0 28px; }
.diagram figcaption { color: var(--soft); font-size: .87em; margin-bottom: 8px; }
.fit { font-size: .87em; }
.scroll { display: flex; overflow-x: auto; border: 1px solid var(--faint); border-radius: 8px; padding: 8px 0; }
.scroll svg { flex: none; font: 11px system-ui, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif; }
.names { position: sticky; left: 0; background: var(--paper); z-index: 1; }
.fit:has(:checked) + .scroll svg { flex-shrink: 1; flex-basis: 0; width: 0; height: auto; }
.diagram text { fill: var(--ink); }
.diagram .name { font-size: 13px; font-weight: 700; text-anchor: end; fill: var(--c, var(--ink)); }
.diagram .name.node { font-weight: 500; fill: var(--soft); }
.diagram .kind { text-anchor: end; fill: var(--soft); font-size: 10.5px; }
.lane.resource { fill: var(--resource-lane); } .lane.client { fill: var(--client-lane); } .lane.node { fill: var(--node-lane); }
.tick path { stroke: var(--grid); stroke-width: 1; } .diagram .tick text { fill: var(--soft); text-anchor: middle; font-variant-numeric: tabular-nums; }
.break rect { fill: var(--idle); opacity: .75; } .break path { fill: none; stroke: var(--stand); stroke-width: .8; opacity: .55; }
.diagram .break text { text-anchor: middle; font-size: 10px; fill: var(--soft); }
.band { fill: var(--bad); fill-opacity: .13; stroke: var(--bad); stroke-width: 1; stroke-dasharray: 4 3; }
.band.absence { fill-opacity: .05; }
.violation-bar { fill: var(--bad); fill-opacity: .22; stroke: var(--bad); } .diagram .violation-bar-text { fill: var(--bad); font-weight: 650; }
.fault-bar { fill: var(--fault); fill-opacity: .28; stroke: var(--fault); } .diagram .fault-bar-text { fill: var(--fault-ink); font-weight: 600; }
.fault-shade { fill: var(--fault); fill-opacity: .1; }
.paused { fill: url(#hatch-paused); stroke: var(--stand); stroke-width: .8; } .hatch-paused { fill: var(--stand); fill-opacity: .45; }
.down { fill: var(--ink); fill-opacity: .55; }
.key { fill: var(--c); fill-opacity: .8; } .diagram .keys text { fill: var(--on); font-size: 9px; font-weight: 600; pointer-events: none; }
.lost-key .key { stroke: var(--fault); stroke-width: 1.5; }
.message path { fill: none; stroke: var(--c); marker-end: url(#head); }
.request { stroke: var(--c); stroke-width: 1.1; fill: none; } .reply { stroke: var(--c); stroke-width: .8; stroke-opacity: .75; stroke-dasharray: 3 2; fill: none; }
.message .cut { marker-end: none; stroke-dasharray: 1.5 2; }
.message .write { stroke-width: 2; }
.message .lost, .lost { stroke: var(--bad); stroke-width: 2; fill: none; marker-end: none; } .message .failure, .failure { stroke: var(--fault-ink); stroke-width: 1.8; fill: none; marker-end: none; }
.yes { fill: var(--c); stroke: var(--c); } .no { fill: var(--paper); stroke: var(--c); stroke-width: 1.3; }
.message:hover path { stroke-width: 2.6; stroke-opacity: 1; }
.accepted { fill: var(--c); stroke: var(--paper); } .refused { fill: var(--paper); stroke: var(--c); stroke-width: 1.5; } .message .refusal, .refusal { stroke: var(--bad); stroke-width: 1.8; marker-end: none; }
.diagram .write-label { font-size: 10.5px; fill: var(--c); font-weight: 650; }
.diagram .send { font-size: 9.5px; fill: var(--soft); }
.wait { stroke: var(--c); stroke-width: 1.6; stroke-dasharray: 1.5 3; fill: none; }
.lease { fill: color-mix(in srgb, var(--c) 20%, var(--paper)); stroke: var(--c); } .diagram .bars text { font-size: 10.5px; fill: var(--c); pointer-events: none; }
.stop { stroke: var(--c); stroke-width: 3.5; } .extension { stroke: var(--c); stroke-width: 2; }
.section { fill: var(--c); } .diagram .section + text { fill: var(--on); font-weight: 650; }
.bare { fill: url(#hatch-bare); stroke: var(--bad); stroke-width: 1.6; } .hatch-bare { fill: color-mix(in srgb, var(--bad) 40%, var(--paper)); } .hatch-bare-ground { fill: var(--paper); }

.diagram .bars .wait-text { font-size: 9.5px; fill: var(--soft); }
.diagram .bars .bare-text { fill: var(--bad); font-weight: 650; paint-order: stroke; stroke: var(--paper); stroke-width: 3.5px; }
.diagram .note { font-size: 10.5px; fill: var(--soft); paint-order: stroke; stroke: var(--client-lane); stroke-width: 3px; } .diagram .note.strong { fill: var(--ink); font-weight: 650; }
.clock-mark circle { fill: var(--paper); stroke: var(--fault-ink); stroke-width: 1.3; } .clock-mark path { fill: none; stroke: var(--fault-ink); stroke-width: 1.3; }
.diagram .clock { fill: var(--fault-ink); font-weight: 650; }
.spot { fill: none; stroke: none; pointer-events: none; } .spot:target { stroke: var(--link); stroke-width: 3; }
.badge circle { fill: var(--bad); stroke: var(--paper); stroke-width: 1.5; } .diagram .badge text { fill: var(--paper); font-size: 10.5px; font-weight: 700; text-anchor: middle; }
.badge:hover circle, .violation:hover rect { fill: var(--link); }
.legend { display: flex; flex-wrap: wrap; gap: 4px 20px; list-style: none; margin: 10px 0 0; padding: 0; font-size: .83em; color: var(--soft); }
.legend svg { vertical-align: -3px; overflow: visible; }
@media print { .scroll { overflow: visible; border: 0; } .scroll svg { flex-shrink: 1; flex-basis: 0; width: 0; height: auto; } .names { position: static; } }
`;
