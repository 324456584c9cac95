import * as fs from 'node:fs';
import { join } from 'node:path';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { CliPlace, ResticCli } from '../helpers/cli.ts';
import { type FolderSnapshot, snapshotOf } from '../helpers/compare.ts';
import { addOrphanPacks } from '../helpers/damage.ts';
import { harmedCopy, makeOriginal, type Original } from '../helpers/damaged-copy.ts';
import { HARMS } from '../helpers/harms.ts';
import { Holdfast } from '../helpers/holdfast.ts';
import { Restic } from '../helpers/restic.ts';
import { useSharedTemp, useTemp } from '../helpers/scope.ts';
import { hasTool, requireTool } from '../helpers/tools.ts';

/** Only defined where a newer restic is at hand (HOLDFAST_TEST_RESTIC_NEW): nothing is missing without it. */
const itWithNewer = hasTool('restic-new') ? it : undefined;

const shared = useSharedTemp();
const temp = useTemp();
let original: Original;

beforeAll(async () => {
  if (hasTool('restic')) original = await makeOriginal(shared, 2);
});
beforeEach((context) => requireTool(context, 'restic'));

/** Follows what `check` says, as a person would, until nothing is left to be done. */
async function repair(cli: ResticCli): Promise<void> {
  const cwd = temp.dir('copies');
  await cli.call(['repair', 'index'], { cwd });
  const summary = await cli.try(['check', '--read-data', '--json']);
  const { broken_packs: broken } = JSON.parse(summary.stdout.toString().trim().split('\n').at(-1)!);
  if (broken) await cli.call(['repair', 'packs', ...broken], { cwd });
  const { stderr } = await cli.try(['check']);
  const unreadable = [...stderr.matchAll(/repair snapshots --forget((?: [0-9a-f]{64})+)/g)].flatMap(
    ([, ids]) => ids!.trim().split(' '),
  );
  if (unreadable.length > 0) await cli.call(['repair', 'snapshots', '--forget', ...unreadable], { cwd });
  await cli.call(['repair', 'snapshots', '--forget'], { cwd });
}

/** Every snapshot as it comes back, by the time of its backup. */
async function restored(place: CliPlace): Promise<Map<string, FolderSnapshot>> {
  const cli = new Restic(place);
  const found = new Map<string, FolderSnapshot>();
  for (const { id, time } of await cli.snapshots()) {
    const target = temp.dir('restored');
    await cli.restore(id, target);
    found.set(time, snapshotOf(target));
  }
  return found;
}

const hashes = (files: FolderSnapshot) =>
  new Map([...files].map(([path, entry]) => [path, entry.type === 'file' ? entry.sha256 : entry.type]));

describe('after our repair', () => {
  it.each(HARMS)('of $name, both programs find the repository clean', async (harm) => {
    const { place } = harmedCopy(original, temp, harm);
    const before = await restored(original.cli.place);
    const ours = new Holdfast(place);
    await repair(ours);
    await ours.check();
    await new Restic(place).check();
    if (hasTool('restic-new')) await Restic.newer(place).check();
    const after = await restored(place);
    for (const [time, files] of after) {
      const [was, is] = [hashes(before.get(time)!), hashes(files)];
      for (const path of is.keys()) expect(was.has(path)).toBe(true);
      const changed = [...was].filter(([path, content]) => is.get(path) !== content);
      if (!/tree pack/.test(harm.name)) expect([...is.keys()].sort()).toEqual([...was.keys()].sort());
      if (!/(data|tree) pack/.test(harm.name)) expect(changed).toEqual([]);
    }
    // A snapshot goes with its file, or with its root folder: each tree pack holds the root of one.
    const lost = /bit in a snapshot|empty snapshot|missing tree/.test(harm.name) ? 1 : 0;
    expect(after.size).toBe(before.size - lost);
  });

  itWithNewer?.for(HARMS)('of $name, the snapshots are those of a newer restic', async (harm) => {
    const trees: string[][] = [];
    for (const make of [(p: CliPlace) => new Holdfast(p), (p: CliPlace) => Restic.newer(p)]) {
      const { place } = harmedCopy(original, temp, harm);
      await repair(make(place));
      const snapshots = await new Restic(place).snapshots();
      trees.push(snapshots.map(({ time, tree }) => `${time} ${tree}`).sort());
      await new Holdfast(place).check();
    }
    expect(trees[0]).toEqual(trees[1]);
  });
});

describe('repair index', () => {
  it('adds packs that no index lists, as restic does', async () => {
    const { place } = harmedCopy(original, temp, HARMS[0]!);
    const { place: later } = harmedCopy(original, temp, HARMS[0]!);
    const more = temp.dir('more');
    fs.writeFileSync(join(more, 'new'), 'something new');
    await new Restic(later).backup(['.'], { cwd: more });
    const added = addOrphanPacks(place.repository, later.repository);
    await new Holdfast(place).call(['repair', 'index']);
    const listed = (await new Restic(place).packs()).map(({ id }) => id);
    expect(listed).toEqual(expect.arrayContaining([...added]));
    await new Restic(place).check();
  });

  it('made by restic from nothing satisfies us', async () => {
    const { place } = harmedCopy(original, temp, HARMS.find(({ name }) => name === 'no index at all')!);
    await new Restic(place).call(['rebuild-index']);
    await new Holdfast(place).check();
  });
});

describe('recover', () => {
  it('brings forgotten snapshots back, for restic to restore', async () => {
    const { place } = harmedCopy(original, temp, HARMS[0]!);
    const restic = new Restic(place);
    const [first] = await restic.snapshots();
    await restic.call(['forget', first!.id]);
    await new Holdfast(place).call(['recover']);
    await restic.check();
    const target = temp.dir('recovered');
    await restic.call(['restore', 'latest', '--tag', 'recovered', '--target', target]);
    const found = hashes(snapshotOf(join(target, first!.tree.slice(0, 8))));
    expect(found).toEqual(hashes(snapshotOf(original.sources[0])));
  });
});
