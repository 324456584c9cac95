import { Buffer } from 'node:buffer';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import type { ContenderName } from '../../bench/contenders.ts';
import { extentOf, textBytes, writePackages, writeTwoFiles } from '../../bench/data.ts';
import type { Measure } from '../../bench/report.ts';
import { MEASURES, median, table } from '../../bench/report.ts';
import { useTemp } from '../../helpers/scope.ts';

const temp = useTemp();

describe('the data of the benchmark', () => {
  it('is text about as compressible as a language, the same each time', () => {
    const text = Buffer.concat([...textBytes(1, 6 << 20)]);
    expect(text).toHaveLength(6 << 20);
    const ratio = text.length / zstdCompressSync(text).length;
    expect(ratio).toBeGreaterThan(2.5);
    expect(ratio).toBeLessThan(3.5);
    expect(text.equals(Buffer.concat([...textBytes(1, 6 << 20)]))).toBe(true);
  });

  it('scales', () => {
    const folder = temp.dir();
    writeTwoFiles(folder, 1 / 1024);
    expect(extentOf(folder)).toEqual({ files: 2, bytes: 2 << 20 });
  });

  it('copies packages with changes until there are enough files', () => {
    const [installed, folder] = [temp.dir(), temp.dir()];
    for (const name of ['a.js', 'b.js', 'c.js']) fs.writeFileSync(join(installed, name), name);
    fs.writeFileSync(join(installed, 'huge'), Buffer.alloc(2 << 20));
    writePackages(folder, installed, 8 / 50_000);
    expect(extentOf(folder).files).toBe(8);
    const read = (path: string) => fs.readFileSync(join(folder, path), 'utf8');
    expect(read('project-0/node_modules/b.js')).toBe('b.js');
    expect(read('project-1/node_modules/b.js')).toContain('// 1 b.js');
    expect(fs.existsSync(join(folder, 'project-1/node_modules/huge'))).toBe(false);
    expect(() => writePackages(folder, temp.dir(), 1)).toThrow('holds no files');
  });
});

describe('the report', () => {
  it('takes medians', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([7])).toBe(7);
    expect(() => median([])).toThrow('no median');
  });

  it('shows medians, ranges and ratios to restic', () => {
    const of = (...values: number[]) => new Map<Measure, readonly number[]>(MEASURES.map((m) => [m, values]));
    const lines = table(
      new Map<ContenderName, ReturnType<typeof of>>([
        ['holdfast', of(1, 3)],
        ['restic', of(4, 4)],
      ]),
    ).split('\n');
    expect(lines[0]).toBe('|  | holdfast | restic |');
    expect(lines[2]).toBe('| first backup | 2.00 s (1.00–3.00) **×0.50** | 4.00 s (4.00–4.00) |');
    expect(lines).toHaveLength(2 + MEASURES.length);
  });
});
