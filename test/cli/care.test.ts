import * as fs from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { copyRepository } from '../helpers/cli.ts';
import { flipByte, idsOf, removeFile, removeIndex } from '../helpers/damage.ts';
import { Holdfast } from '../helpers/holdfast.ts';
import { useSharedTemp, useTemp } from '../helpers/scope.ts';
import { file, tree, writeTree } from '../helpers/tree.ts';

const shared = useSharedTemp();
const temp = useTemp();
let whole: Holdfast;

beforeAll(async () => {
  const home = shared.dir('home');
  whole = new Holdfast({ home, repository: join(home, 'repository') });
  await whole.init();
  const source = shared.dir('source');
  writeTree(source, tree({ big: file({ seed: 1, size: 3 << 20 }), d: { a: 'one', b: 'two' } }));
  await whole.backup(['.'], { cwd: source });
});

/** The same repository in a folder of its own. */
function copy(): Holdfast {
  const home = temp.dir('home');
  const repository = join(home, 'repository');
  copyRepository(whole.place.repository, repository);
  return whole.with({ home, repository });
}

describe('check', () => {
  it('says that all is well, and nothing with --quiet', async () => {
    const { stdout, stderr } = await whole.call(['check', '--read-data']);
    expect(stdout.toString()).toMatch(/Reading packs\.\nNo errors were found\.\n$/);
    expect(stderr).toBe('');
    expect((await whole.call(['check', '-q'])).stdout.toString()).toBe('');
  });

  it('gives restic’s summary as JSON', async () => {
    expect(await whole.json(['check'])).toEqual([
      {
        message_type: 'summary',
        num_errors: 0,
        broken_packs: null,
        suggest_repair_index: false,
        suggest_prune: false,
      },
    ]);
  });

  it('names what is broken, says what to do, and ends with 1', async () => {
    const cli = copy();
    const [pack] = await cli.packsOf('data');
    removeFile(cli.place.repository, { type: 'data', id: pack! });
    const { code, stderr } = await cli.try(['check']);
    expect(code).toBe(1);
    expect(stderr).toContain(`Pack ${pack} is missing`);
    expect(stderr).toContain(`holdfast repair packs ${pack}\n`);
    expect(stderr).toContain('holdfast repair snapshots --forget\n');
    expect(stderr.trimEnd()).toMatch(/The repository contains errors\.$/);
  });

  it.each([
    [['--read-data', '--read-data-subset=1/2'], /exclude each other/],
    [['--read-data-subset=2/1'], /1 ≤ n ≤ t/],
    [['--read-data-subset=1/257'], /1 ≤ n ≤ t/],
    [['--read-data-subset=0%'], /above 0%/],
    [['--read-data-subset=101%'], /above 0%/],
    [['--read-data-subset=0'], /above 0/],
    [['--read-data-subset=some'], /not a size/],
  ])('refuses %j', async (args, sentence) => {
    const { code, stderr } = await whole.try(['check', ...args]);
    expect(code).toBe(1);
    expect(stderr).toMatch(sentence);
  });

  it.each(['1/1', '50%', '1M'])('reads the subset %s', async (subset) => {
    const { stdout } = await whole.call(['check', `--read-data-subset=${subset}`]);
    expect(stdout.toString()).toContain('Reading packs.');
  });
});

describe('repair', () => {
  it('index makes an index where there is none', async () => {
    const cli = copy();
    removeIndex(cli.place.repository, 'all');
    expect((await cli.try(['check'])).code).toBe(1);
    const { stdout } = await cli.call(['repair', 'index']);
    expect(stdout.toString()).toMatch(/is in no index\.\n(.*\n)*Wrote 1 index file, removed 0\.\n$/);
    await cli.check();
    expect((await cli.call(['rebuild-index'])).stdout.toString()).toContain('nothing to repair');
  });

  it('packs leaves a copy in the current folder and never writes over one', async () => {
    const cli = copy();
    const cwd = temp.dir('cwd');
    const [pack] = await cli.packsOf('data');
    flipByte(cli.place.repository, { type: 'data', id: pack! });
    const copyName = join(cwd, `pack-${pack}`);
    fs.writeFileSync(copyName, 'mine');
    const refused = await cli.try(['repair', 'packs', pack!], { cwd });
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('already a file') });
    expect(idsOf(cli.place.repository, 'data')).toContain(pack);
    expect(fs.readFileSync(copyName, 'utf8')).toBe('mine');
    fs.rmSync(copyName);
    await cli.call(['repair', 'packs', pack!], { cwd });
    expect(fs.statSync(copyName).size).toBeGreaterThan(1000);
    expect(idsOf(cli.place.repository, 'data')).not.toContain(pack);
    const dry = await cli.call(['repair', 'snapshots', '--forget', '-n'], { cwd });
    expect(dry.stdout.toString()).toContain('Would repair 1 snapshot.');
    const { stdout } = await cli.call(['repair', 'snapshots', '--forget'], { cwd });
    expect(stdout.toString()).toMatch(/\/big.*left out/);
    expect(stdout.toString()).toContain('Repaired 1 snapshot.');
    await cli.check();
  });

  it('packs wants whole ids', async () => {
    const { code, stderr } = await whole.try(['repair', 'packs', 'abcd']);
    expect(code).toBe(1);
    expect(stderr).toContain('not the id of a pack');
  });

  it('snapshots removes an unreadable one only if it is named and --forget given', async () => {
    const cli = copy();
    const id = flipByte(cli.place.repository, { type: 'snapshots' });
    const kept = await cli.try(['repair', 'snapshots', '--forget']);
    expect(kept).toMatchObject({ code: 1, stderr: expect.stringContaining(`--forget ${id}`) });
    expect((await cli.try(['repair', 'snapshots', id])).code).toBe(1);
    expect(idsOf(cli.place.repository, 'snapshots')).toEqual([id]);
    await cli.call(['repair', 'snapshots', '--forget', id.slice(0, 8)]);
    expect(idsOf(cli.place.repository, 'snapshots')).toEqual([]);
    await cli.check();
  });
});

describe('recover', () => {
  it('says when there is nothing, and brings back what was forgotten', async () => {
    const cli = copy();
    expect((await cli.call(['recover'])).stdout.toString()).toContain('nothing to recover');
    removeFile(cli.place.repository, { type: 'snapshots' });
    expect((await cli.call(['recover'])).stdout.toString()).toMatch(/Saved as snapshot [0-9a-f]{8}\./);
    expect(idsOf(cli.place.repository, 'snapshots')).toHaveLength(1);
    await cli.check();
  });
});

describe('unlock', () => {
  it('lets the living be, and takes all away with --remove-all', async () => {
    const cli = copy();
    fs.writeFileSync(join(cli.place.repository, 'locks', 'f'.repeat(64)), '');
    const locked = await cli.try(['check']);
    expect(locked).toMatchObject({ code: 11, stderr: expect.stringContaining('unlock --remove-all') });
    const summary = await cli.try(['check', '--json']);
    expect(JSON.parse(summary.stdout.toString())).toMatchObject({ num_errors: 1 });
    await cli.call(['check', '--no-lock']);
    expect((await cli.call(['unlock'])).stdout.toString()).toContain('no lock to remove');
    expect((await cli.call(['unlock', '--remove-all'])).stdout.toString()).toContain('Removed 1 lock.');
    await cli.call(['check']);
  });

  it('removes what killed backups had half written long ago', async () => {
    const cli = copy();
    const half = join(cli.place.repository, 'data', 'ab', `${'ab'.repeat(32)}-tmp-1`);
    fs.writeFileSync(half, 'half a pack');
    expect((await cli.call(['unlock'])).stdout.toString()).not.toContain('left behind');
    fs.utimesSync(half, 0, 0);
    expect((await cli.call(['unlock'])).stdout.toString()).toContain('Removed 1 file that killed writers');
    expect(fs.existsSync(half)).toBe(false);
  });
});

describe('list and cat', () => {
  it('list ids, a line each', async () => {
    expect(await whole.list('packs')).toEqual(idsOf(whole.place.repository, 'data'));
    expect(await whole.list('keys')).toEqual(idsOf(whole.place.repository, 'keys'));
    const [snapshot] = await whole.list('snapshots');
    const needed = await whole.call(['list', 'packs', snapshot!]);
    expect(needed.stdout.toString().trim().split('\n')).toEqual(idsOf(whole.place.repository, 'data'));
    expect((await whole.call(['list', 'locks'])).stdout.toString()).toBe('');
    expect((await whole.try(['list', 'index', snapshot!])).code).toBe(1);
    expect((await whole.try(['list', 'wishes'])).code).toBe(1);
  });

  it('print objects', async () => {
    const [snapshot] = await whole.list('snapshots');
    expect(await whole.cat('config')).toMatchObject({ version: 2 });
    expect(await whole.cat('masterkey')).toMatchObject({
      mac: expect.anything(),
      encrypt: expect.any(String),
    });
    const { tree: root } = (await whole.cat('snapshot', 'latest')) as { tree: string };
    expect(await whole.cat('snapshot', snapshot!.slice(0, 6))).toMatchObject({ tree: root });
    expect(await whole.cat('blob', root)).toEqual(await whole.cat('tree', snapshot!));
    const [pack] = await whole.list('packs');
    const { stdout } = await whole.call(['cat', 'pack', pack!]);
    expect(
      stdout.equals(fs.readFileSync(join(whole.place.repository, 'data', pack!.slice(0, 2), pack!))),
    ).toBe(true);
    expect((await whole.try(['cat', 'blob', 'f'.repeat(64)])).code).toBe(1);
    expect((await whole.try(['cat', 'index'])).stderr).toContain('needs an id');
  });
});
