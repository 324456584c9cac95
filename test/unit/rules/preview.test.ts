import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/api/errors.ts';
import { Preview, Rules, type Source } from '../../../src/api/model/plan.ts';
import { type PreviewOptions, preview } from '../../../src/rules/preview.ts';
import { fromText } from '../../../src/util/byte-string.ts';
import { asNobody } from '../../helpers/nobody.ts';
import { useTemp } from '../../helpers/scope.ts';
import { socket, symlink, tree, writeTree } from '../../helpers/tree.ts';

const temp = useTemp();
const STILL = { now: () => 0 };

const paths = (...list: readonly string[]): Source[] => list.map((path) => ({ kind: 'path', path }));
const rules = (more: Partial<Rules> = {}): Rules => ({
  ...Rules.parse({ presets: [], excludeCaches: false }),
  ...more,
});

async function all(
  sources: readonly Source[],
  r: Rules,
  o: Partial<PreviewOptions> = {},
): Promise<Preview[]> {
  const seen: Preview[] = [];
  for await (const p of preview(sources, r, { clock: STILL, ...o })) seen.push(Preview.parse(p));
  expect(seen.map((p) => p.done)).toEqual([...seen.slice(1).map(() => false), true]);
  return seen;
}

async function last(sources: readonly Source[], r: Rules, o: Partial<PreviewOptions> = {}): Promise<Preview> {
  return (await all(sources, r, o)).at(-1)!;
}

describe('preview', () => {
  it('counts files and bytes, and tells what is left out, the largest first', async () => {
    const at = temp.dir();
    const out = { x: '12345', deeper: { y: '12345', link: symlink('..') } };
    writeTree(
      at,
      tree({ a: '123', b: { c: '1' }, out, 'z.log': '12', s: socket(), l: symlink('a'), empty: {} }),
    );
    const result = await last(paths(at), rules({ lines: ['*.log', 'out/'] }));
    const item = { included: false, origin: 'line', preset: null };
    expect(result).toEqual({
      done: true,
      files: 2,
      bytes: 4,
      excluded: 3,
      excludedBytes: 12,
      excludedItems: [
        { ...item, path: join(at, 'out'), rule: 'out/', matched: join(at, 'out'), bytes: 10 },
        { ...item, path: join(at, 'z.log'), rule: '*.log', matched: join(at, 'z.log'), bytes: 2 },
      ],
      problems: [],
    });
  });

  it('counts sources within each other once, files as sources, and commands as nothing', async () => {
    const at = temp.dir();
    writeTree(at, tree({ a: { 'x.log': '1', b: { y: '22', 'z.log': '333' } }, f: '4444' }));
    const dump: Source = { kind: 'command', fileName: 'dump', command: ['x'] };
    const sources = [...paths(at, join(at, 'a/b'), join(at, 'a/x.log'), join(at, 'f'), `${at}/f/`), dump];
    const { files, bytes, excluded, excludedBytes } = await last(sources, rules({ lines: ['*.log'] }));
    expect({ files, bytes, excluded, excludedBytes }).toEqual({
      files: 3,
      bytes: 7,
      excluded: 1,
      excludedBytes: 3,
    });
    expect(await last([dump], rules())).toMatchObject({ files: 0, bytes: 0, problems: [] });
  });

  it('names sources that are gone', async () => {
    const at = temp.dir();
    writeTree(at, tree({ a: '1' }));
    const result = await last(paths(join(at, 'gone'), join(at, 'a')), rules());
    expect(result.files).toBe(1);
    expect(result.problems).toEqual([expect.stringContaining(`"${join(at, 'gone')}"`)]);
  });

  it('names folders that can not be read', async () => {
    const at = temp.dir();
    writeTree(at, tree({ closed: { x: '1' }, out: { closed: { x: '1' } }, b: '1' }));
    for (const path of ['closed', 'out/closed']) chmodSync(join(at, path), 0);
    const result = await asNobody(at, () => last(paths(at), rules({ lines: ['out/'] })));
    for (const path of ['closed', 'out/closed']) chmodSync(join(at, path), 0o700);
    expect(result.files).toBe(1);
    expect(result.problems).toEqual([
      expect.stringContaining(`Could not read the folder "${join(at, 'closed')}"`),
      expect.stringContaining('not measured to its end'),
    ]);
  });

  it('yields by the clock, also one that is set back', async () => {
    const at = temp.dir();
    for (let i = 0; i < 64 * 10; i++) writeFileSync(join(at, `f${i}`), '');
    let asked = 0;
    expect(await all(paths(at), rules(), { clock: { now: () => asked++ * 100 } })).toHaveLength(4);
    expect(await all(paths(at), rules())).toHaveLength(1);
    expect(await all(paths(at), rules(), { clock: { now: () => 1_000_000 - asked++ * 1000 } })).toHaveLength(
      11,
    );
  });

  it('stops at once', async () => {
    const at = temp.dir();
    writeTree(at, tree({ a: '1' }));
    for (let i = 0; i < 200; i++) writeFileSync(join(at, `f${i}`), '');
    const reason = new EngineError('cancelled', 'enough');
    let now = 0;
    const stop = new AbortController();
    const o = { clock: { now: () => (now += 1000) }, signal: stop.signal };
    const walk = preview(paths(at), rules(), o);
    expect((await walk.next()).value).toMatchObject({ done: false, files: 63 });
    stop.abort(reason);
    await expect(walk.next()).rejects.toBe(reason);
    await expect(preview(paths(at), rules(), o).next()).rejects.toBe(reason);
  });

  it('keeps the largest of many that are left out', async () => {
    const at = temp.dir();
    for (let i = 0; i < 1000; i++) writeFileSync(join(at, `${i}.log`), '.'.repeat((i * 7) % 1000));
    const result = await last(paths(at), rules({ lines: ['*.log'] }));
    expect(result.excluded).toBe(1000);
    expect(result.excludedBytes).toBe(499_500);
    expect(result.excludedItems.map((i) => i.bytes)).toEqual(Array.from({ length: 200 }, (_, i) => 999 - i));
  });

  it('measures what is left out within bounds, and says where it stopped', async () => {
    const at = temp.dir();
    for (const folder of ['a', 'b']) {
      mkdirSync(join(at, folder));
      for (let i = 0; i < 50; i++) writeFileSync(join(at, folder, `f${i}`), '1');
    }
    const excluded = async (limits: PreviewOptions['limits'], clock = STILL) => {
      const result = await last(paths(at), rules({ lines: ['a/', 'b/'] }), { limits: limits ?? {}, clock });
      expect(result.excludedItems).toHaveLength(2);
      return [result.excluded, result.problems.length];
    };
    expect(await excluded({})).toEqual([100, 0]);
    expect(await excluded({ entriesPerItem: 30 })).toEqual([60, 1]);
    expect(await excluded({ entries: 70 })).toEqual([70, 1]);
    let now = 0;
    expect(await excluded({ ms: 0 }, { now: () => now++ })).toEqual([0, 1]);
  });

  it('does not measure pseudo file systems', async () => {
    const result = await last(
      paths('/proc/..'),
      rules({ presets: ['system'], lines: ['/*', '!/proc', '!/sys'] }),
      {
        platform: 'linux',
        limits: { entries: 0 },
      },
    );
    const proc = result.excludedItems.filter((i) => i.path.startsWith('/proc/'));
    expect(result.files).toBe(0);
    expect(proc.every((i) => i.bytes === 0 && i.rule === '/proc/*')).toBe(true);
  });

  it('leaves own folders out', async () => {
    const at = temp.dir();
    writeTree(at, tree({ repo: { x: '1' }, a: '1' }));
    const result = await last(paths(at), rules(), { ownFolders: [fromText(join(at, 'repo'))] });
    expect(result).toMatchObject({ files: 1, excluded: 1 });
  });

  it('refuses sources that are no whole paths', async () => {
    await expect(last(paths('here'), rules())).rejects.toMatchObject({ code: 'usage' });
  });
});
