import { scaleLinear } from 'd3-scale';

export interface Bar {
  readonly label: string;
  readonly value: number;
}

const WIDTH = 720;
const LABEL_WIDTH = 190;
const VALUE_WIDTH = 90;
const ROW_HEIGHT = 30;
const HEAD_HEIGHT = 44;

/** Horizontal bars as an SVG file that reads on light and dark pages; the first bar stands out. */
export function barChart(title: string, bars: readonly Bar[]): string {
  const height = HEAD_HEIGHT + bars.length * ROW_HEIGHT + 8;
  const scale = scaleLinear()
    .domain([0, Math.max(...bars.map(({ value }) => value))])
    .range([0, WIDTH - LABEL_WIDTH - VALUE_WIDTH]);
  const rows = bars.map(({ label, value }, index) => {
    const y = HEAD_HEIGHT + index * ROW_HEIGHT;
    const width = scale(value).toFixed(1);
    const middle = y + ROW_HEIGHT / 2 + 4;
    const text = Math.round(value).toLocaleString('en-US');
    return `  <text x="${LABEL_WIDTH - 10}" y="${middle}" text-anchor="end">${escapeText(label)}</text>
  <rect class="${index === 0 ? 'own' : 'other'}" x="${LABEL_WIDTH}" y="${y + 4}" width="${width}" height="${ROW_HEIGHT - 10}"/>
  <text x="${LABEL_WIDTH + Number(width) + 8}" y="${middle}">${text}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-label="${escapeText(title)}">
  <style>
    text { font: 13px sans-serif; fill: #333; }
    .title { font-weight: bold; }
    .own { fill: #c0392b; }
    .other { fill: #8896a5; }
    @media (prefers-color-scheme: dark) { text { fill: #ddd; } }
  </style>
  <text class="title" x="10" y="24">${escapeText(title)}</text>
${rows.join('\n')}
</svg>
`;
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
}
