/** A plan that keeps to one file system: what lies on a disk mounted within is out, the folder it is mounted on is in. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { type Preview, Rules, type Source } from '../../src/api/model/plan.ts';
import { preview } from '../../src/rules/preview.ts';
import { compileRules } from '../../src/rules/rule-set.ts';
import { useTemp } from '../helpers/scope.ts';
import { requireTool } from '../helpers/tools.ts';
import { tree, writeTree } from '../helpers/tree.ts';

const temp = useTemp();
beforeEach((context) => requireTool(context, 'root', 'loop', 'mkfs.ext4'));

const rules = (lines: readonly string[], oneFileSystem: boolean): Rules =>
  Rules.parse({ presets: [], lines, oneFileSystem });

async function counted(sources: readonly Source[], r: Rules): Promise<Preview> {
  let last: Preview | undefined;
  for await (last of preview(sources, r, { clock: { now: () => 0 } }));
  return last!;
}

it('leaves out what is on another disk, and does not measure it', async () => {
  const disk = temp.disk('ext4', 16);
  const at = temp.dir('source');
  writeTree(at, tree({ own: '1', out: { x: '22' }, mnt: {} }));
  writeTree(disk, tree({ folder: { deep: '333' }, far: '4444' }));
  mkdirSync(join(at, 'out/mnt'));
  const mounts = [join(at, 'mnt'), join(at, 'out/mnt')];
  for (const mount of mounts) execFileSync('mount', ['--bind', disk, mount]);
  try {
    const source: Source[] = [{ kind: 'path', path: at }];
    const set = compileRules(source, rules([], true));
    expect(set.verdict(join(at, 'mnt')).included).toBe(true);
    for (const name of ['far', 'folder', 'folder/deep']) {
      expect(set.verdict(join(at, 'mnt', name))).toMatchObject({ included: false, origin: 'file-system' });
    }
    expect((await counted(source, rules([], false))).files).toBe(6);
    const kept = await counted(source, rules(['out/'], true));
    // The file beside the mount point is measured, what is on the disk is not.
    expect(kept).toMatchObject({ files: 1, bytes: 1, excluded: 1, excludedBytes: 2 });
    expect(kept.problems).toEqual([expect.stringContaining('not measured to its end')]);
    const both: Source[] = [...source, { kind: 'path', path: join(at, 'mnt') }];
    expect((await counted(both, rules(['out/'], true))).files).toBe(3);
  } finally {
    for (const mount of mounts) execFileSync('umount', [mount]);
  }
});
