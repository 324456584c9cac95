/**
 * Draws what a terminal showed, as two pictures (light, dark) for the documents:
 *
 *   node scripts/terminal-picture.ts docs/images/terminal.txt
 *
 * The text file holds real output as it was printed; a line that begins with `$ ` is what was typed. The pictures
 * lie beside it: `terminal-light.svg`, `terminal-dark.svg`.
 */
import { readFile, writeFile } from 'node:fs/promises';
import process from 'node:process';

interface Theme {
  readonly paper: string;
  readonly bar: string;
  readonly edge: string;
  readonly text: string;
  readonly faint: string;
  readonly accent: string;
}

const THEMES = {
  light: {
    paper: '#ffffff',
    bar: '#f1f3f5',
    edge: '#d5dae0',
    text: '#24292f',
    faint: '#66707b',
    accent: '#1a66c2',
  },
  dark: {
    paper: '#15191e',
    bar: '#20262d',
    edge: '#37404a',
    text: '#dde3ea',
    faint: '#95a0ac',
    accent: '#76b3ff',
  },
} as const satisfies Record<string, Theme>;

const FONT = "ui-monospace, 'SF Mono', 'Cascadia Mono', 'DejaVu Sans Mono', Menlo, Consolas, monospace";
/** Of one character, in the units of the picture. Each line is stretched to whole cells, so columns align in any font. */
const CELL = { width: 8.1, height: 19.5, font: 13.5 };
const BAR = 36;
const MARGIN = { x: 22, y: 20 };

/** An SVG of these lines. */
export function terminalPicture(lines: readonly string[], theme: Theme): string {
  const columns = Math.max(40, ...lines.map((line) => line.length));
  const width = Math.ceil(columns * CELL.width + 2 * MARGIN.x);
  const height = Math.ceil(BAR + lines.length * CELL.height + 2 * MARGIN.y);
  const rows = lines.map((line, i) => row(line, BAR + MARGIN.y + (i + 0.74) * CELL.height, theme));
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="Holdfast in a terminal">
${frame(width, height, theme)}
<g font-family="${FONT}" font-size="${CELL.font}" fill="${theme.text}">
${rows.filter((r) => r !== '').join('\n')}
</g>
</svg>
`;
}

function frame(width: number, height: number, { paper, bar, edge }: Theme): string {
  const dots = [0, 1, 2].map((i) => `<circle cx="${24 + i * 20}" cy="${BAR / 2}" r="6" fill="${edge}"/>`);
  return `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="10" fill="${paper}" stroke="${edge}"/>
<path d="M1 ${BAR}V11A10 10 0 0 1 11 1H${width - 11}A10 10 0 0 1 ${width - 1} 11V${BAR}Z" fill="${bar}"/>
<path d="M1 ${BAR + 0.5}H${width - 1}" stroke="${edge}"/>
${dots.join('')}`;
}

function row(line: string, y: number, theme: Theme): string {
  if (line.trim() === '') return '';
  if (!line.startsWith('$ ')) return text(line, 0, y, /^-+$/.test(line) ? `fill="${theme.faint}"` : '');
  const prompt = text('$', 0, y, `fill="${theme.faint}"`);
  return prompt + text(line.slice(2), 2, y, `fill="${theme.accent}" font-weight="600"`);
}

function text(content: string, column: number, y: number, attributes: string): string {
  const indent = content.length - content.trimStart().length;
  const word = content.trim();
  const x = (MARGIN.x + (column + indent) * CELL.width).toFixed(1);
  const length = (word.length * CELL.width).toFixed(1);
  const place = `x="${x}" y="${y.toFixed(1)}" textLength="${length}" lengthAdjust="spacingAndGlyphs"`;
  return `<text xml:space="preserve" ${place}${attributes === '' ? '' : ` ${attributes}`}>${escaped(word)}</text>`;
}

function escaped(content: string): string {
  return content.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}

async function main(source: string | undefined): Promise<void> {
  if (source === undefined) throw new Error('Name the text file to draw.');
  const lines = (await readFile(source, 'utf8')).trimEnd().split('\n');
  for (const [name, theme] of Object.entries(THEMES)) {
    await writeFile(source.replace(/\.txt$/, `-${name}.svg`), terminalPicture(lines, theme));
  }
}

if (import.meta.main) await main(process.argv[2]);
