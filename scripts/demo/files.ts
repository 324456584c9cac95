/** The files of somebody who does not exist: documents that change from day to day, photos that come in now and then. */
import { randomFillSync } from 'node:crypto';
import { mkdirSync, utimesSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { picture } from './pictures.ts';

const SENTENCES = [
  'The boat lay where they had left it, half full of rain.',
  'Nobody in the village would say whose light it had been.',
  'She counted the steps down to the water, as she had done as a child.',
  'By noon the fog had taken the other shore.',
  '“You could have written,” he said, and meant it kindly.',
  'There were nine letters in the tin, and a key that fitted nothing.',
  'The ferry went at six, whether anybody was on it or not.',
  'Later she would not remember who had spoken first.',
];

const ALBUMS = ['Lake, first evening', 'Morning walk', 'The old mill', 'Harbour', 'On the ridge', 'Last day'];

/** Writes `content` with a time of change of its own. */
function put(file: string, content: string | Uint8Array, at: number): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, content);
  utimesSync(file, at / 1000, at / 1000);
}

function noise(bytes: number): Uint8Array {
  return randomFillSync(new Uint8Array(bytes));
}

/** The chapter as it was on a day: it grows, and its title changes once. */
function chapter(day: number): string {
  const title = day < 25 ? '# Chapter 7: The lighthouse' : '# Chapter 7: The keeper';
  const paragraphs = Array.from({ length: 3 + Math.floor(day / 3) }, (_, i) =>
    [0, 1, 2].map((j) => SENTENCES[(i * 3 + j * 5) % SENTENCES.length]).join(' '),
  );
  return `${[title, ...paragraphs].join('\n\n')}\n`;
}

function budget(day: number): string {
  const rows = Array.from(
    { length: 4 + Math.floor(day / 7) },
    (_, i) => `Week ${i + 1},${420 + ((i * 37) % 90)},${i * 15}`,
  );
  return `Week,Household,Savings\n${rows.join('\n')}\n`;
}

/** What is there before the first backup. */
export function firstFiles(home: string, at: number): void {
  const documents = path.join(home, 'Documents');
  for (let i = 1; i <= 6; i++) put(`${documents}/Novel/Chapter ${i}.md`, chapter(i * 4), at);
  for (const name of [
    'Contract flat.pdf',
    'Insurance 2026.pdf',
    'Certificate of birth.pdf',
    'Passport copy.pdf',
  ]) {
    put(`${documents}/Papers/${name}`, noise(180_000 + name.length * 9000), at);
  }
  for (const year of [2023, 2024, 2025]) put(`${documents}/Taxes/Tax return ${year}.pdf`, noise(260_000), at);
  put(`${documents}/Letters/To Aunt Rose.odt`, noise(34_000), at);
  put(`${documents}/Letters/Landlord, heating.odt`, noise(28_000), at);
  put(
    `${documents}/Recipes/Bread.txt`,
    'Flour 500 g, water 340 g, salt 10 g, leaven 120 g.\nFold every half hour, three times.\n',
    at,
  );
  put(`${documents}/Recipes/.cache/thumbs.tmp`, noise(4000), at);
  for (let i = 0; i < 8; i++) photo(home, i, at);
  put(`${home}/Videos/First steps.mp4`, noise(2_400_000), at);
}

function photo(home: string, nr: number, at: number): void {
  const day = new Date(at).toISOString().slice(0, 10);
  const name = ALBUMS[nr % ALBUMS.length];
  put(
    path.join(home, 'Pictures', day.slice(0, 4), `${day} ${name} ${String(nr).padStart(2, '0')}.png`),
    picture(nr),
    at,
  );
}

/** What changes on a day, counted from the first. */
export function changeFiles(home: string, day: number, at: number): void {
  const documents = path.join(home, 'Documents');
  if (day % 7 !== 6) put(`${documents}/Novel/Chapter 7.md`, chapter(day), at);
  if (day % 7 === 5) put(`${documents}/Budget.csv`, budget(day), at);
  if (day % 5 === 2)
    put(`${documents}/Letters/Letter of ${new Date(at).toISOString().slice(0, 10)}.odt`, noise(30_000), at);
  if (day % 4 === 1) photo(home, 8 + day, at);
}

/** Enough to watch a backup of it. */
export function bigFiles(home: string, at: number): void {
  for (let i = 1; i <= 12; i++)
    put(path.join(home, 'Videos', `Holiday ${String(i).padStart(2, '0')}.mp4`), noise(16_000_000), at);
}
