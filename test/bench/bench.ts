import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { cpus, release, tmpdir, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { expectSame, snapshotOf } from '../helpers/compare.ts';
import { Temp } from '../helpers/temp.ts';
import type { Contender, ContenderName } from './contenders.ts';
import { CONTENDERS, contender, isAvailable } from './contenders.ts';
import { extentOf, readAll, writePackages, writeTwoFiles } from './data.ts';
import type { Measure, Results } from './report.ts';
import { MEASURES, shown, table } from './report.ts';

/**
 * Holdfast beside restic and borg: `npm run bench -- [--case a|b] [--scale 0.1] [--rounds 3] [--tools a,b]
 * [--dir a folder for case b] [--at a folder on the disk to use] [--write]`. Rounds take turns, A B C A B C, so
 * that a slow minute of the machine hits all; every round counts. It measures and never judges.
 */
const PROJECT = resolve(import.meta.dirname, '../..');
const DOCUMENT = join(PROJECT, 'docs/benchmarks.md');

const { values: flags } = parseArgs({
  options: {
    case: { type: 'string' },
    scale: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '3' },
    tools: { type: 'string', default: CONTENDERS.join(',') },
    dir: { type: 'string' },
    at: { type: 'string', default: tmpdir() },
    write: { type: 'boolean', default: false },
  },
});

interface Case {
  readonly id: string;
  readonly title: string;
  readonly write: (folder: string, scale: number) => void;
}

const CASES: readonly Case[] = [
  { id: 'a', title: 'two large files, half random, half text', write: writeTwoFiles },
  {
    id: 'b',
    title: 'an installed node_modules',
    write: (folder, scale) => writePackages(folder, join(PROJECT, 'node_modules'), scale),
  },
];

type Numbers = Map<ContenderName, Map<Measure, number[]>>;

function positive(name: 'scale' | 'rounds'): number {
  const value = Number(flags[name]);
  if (!(value > 0)) throw new Error(`--${name} wants a number over 0, not ${flags[name]}`);
  return value;
}

function chosenTools(): readonly ContenderName[] {
  const asked = flags.tools.split(',');
  const unknown = asked.filter((name) => !CONTENDERS.some((known) => known === name));
  if (unknown.length > 0)
    throw new Error(`--tools knows ${CONTENDERS.join(', ')}, not ${unknown.join(', ')}`);
  const tools = CONTENDERS.filter((name) => asked.includes(name));
  for (const name of tools) if (!isAvailable(name)) console.error(`${name} is not here and takes no part`);
  return tools.filter(isAvailable);
}

/** One round of one tool: everything from an empty repository to the restored files, each step after a `sync`. */
async function round(
  name: ContenderName,
  source: string,
  compare: boolean,
): Promise<ReadonlyMap<Measure, number>> {
  using temp = new Temp(flags.at);
  const tool: Contender = contender(name, temp.dir(`bench-${name}`));
  const target = temp.dir('bench-restored');
  await tool.init();
  sync();
  const first = await tool.backup(source);
  sync();
  const size = extentOf(tool.repository).bytes;
  const again = await tool.backup(source);
  sync();
  const restored = await tool.restore(target);
  // A restore that is fast and wrong is no result.
  if (compare) expectSame(snapshotOf(source), snapshotOf(target), { root: false });
  return new Map<Measure, number>([
    ['first backup', first.seconds],
    ['unchanged backup', again.seconds],
    ['restore', restored.seconds],
    ['memory, first backup', first.peakBytes],
    ['memory, unchanged backup', again.peakBytes],
    ['memory, restore', restored.peakBytes],
    ['repository size', size],
  ]);
}

function sync(): void {
  execFileSync('sync');
}

async function race(source: string, tools: readonly ContenderName[], rounds: number): Promise<Results> {
  const numbers: Numbers = new Map(tools.map((name) => [name, new Map(MEASURES.map((m) => [m, []]))]));
  for (let i = 0; i < rounds; i++) {
    for (const name of tools) {
      const measured = await round(name, source, i === 0);
      for (const [measure, value] of measured) numbers.get(name)?.get(measure)?.push(value);
      const line = [...measured].map(([measure, value]) => `${measure} ${shown(measure, value)}`).join(', ');
      console.error(`round ${i + 1} ${name}: ${line}`);
    }
  }
  return numbers;
}

/** The source of a case and a title that says how large it really is. */
function prepare(one: Case, temp: Temp, scale: number): { readonly source: string; readonly title: string } {
  const given = one.id === 'b' ? flags.dir : undefined;
  const source = given === undefined ? temp.dir(`bench-source-${one.id}`) : resolve(given);
  if (given === undefined) one.write(source, scale);
  readAll(source);
  const { files, bytes } = extentOf(source);
  const size = `${files.toLocaleString('en')} files, ${(bytes / (1 << 20)).toFixed(0)} MiB`;
  return { source, title: `Case ${one.id}: ${one.title} (${size})` };
}

async function versions(tools: readonly ContenderName[], temp: Temp): Promise<string> {
  const lines: string[] = [];
  for (const name of tools)
    lines.push(`- ${name}: ${await contender(name, temp.dir('bench-version')).version()}`);
  return lines.join('\n');
}

function machine(): string {
  const [cpu] = cpus();
  const memory = `${(totalmem() / (1 << 30)).toFixed(0)} GiB of memory`;
  return `${cpus().length} × ${cpu?.model ?? 'unknown'}, ${memory}, Linux ${release()}, Node ${process.version}`;
}

async function main(): Promise<void> {
  const [scale, rounds, tools] = [positive('scale'), positive('rounds'), chosenTools()];
  const cases = CASES.filter(({ id }) => flags.case === undefined || flags.case === id);
  if (cases.length === 0) throw new Error(`--case knows a and b, not ${flags.case}`);
  using temp = new Temp(flags.at);
  const parts = [HEADING, `${machine()}; ${rounds} rounds.`, await versions(tools, temp)];
  for (const one of cases) {
    const { source, title } = prepare(one, temp, scale);
    console.error(title);
    parts.push(`## ${title}`, table(await race(source, tools, rounds)));
    temp.clear();
  }
  const text = `${parts.join('\n\n')}\n`;
  process.stdout.write(text);
  if (flags.write) fs.writeFileSync(DOCUMENT, `${text}${measuredElsewhere()}`);
}

/** What look.ts has measured stays in the document. */
function measuredElsewhere(): string {
  const document = fs.existsSync(DOCUMENT) ? fs.readFileSync(DOCUMENT, 'utf8') : '';
  const at = document.indexOf('\n## Looking into versions\n');
  return at < 0 ? '' : document.slice(at);
}

const HEADING = `# Benchmarks

Made by \`npm run bench -- --write\`. Medians over interleaved rounds with the range of the times, and the ratio to
restic in bold: under 1 is better than restic. Every round starts with an empty repository and empty caches, on the
same disk, with the source in the page cache; no round is left out, and each tool's first restore is compared with
the source in bytes, times, modes and owners. Memory is the peak of all resident memory of the process with its
children. restic and Holdfast run with their defaults, borg with \`--compression zstd,3\`.`;

await main();
