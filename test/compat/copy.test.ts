import * as fs from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { CliPlace } from '../helpers/cli.ts';
import { expectSame, snapshotOf } from '../helpers/compare.ts';
import { createOnDisk } from '../helpers/disk-repository.ts';
import { Holdfast } from '../helpers/holdfast.ts';
import { Restic } from '../helpers/restic.ts';
import { useTemp } from '../helpers/scope.ts';
import { requireTool } from '../helpers/tools.ts';

const temp = useTemp();
beforeEach((context) => requireTool(context, 'restic'));

async function place(version: 1 | 2 = 2, password = 'one'): Promise<CliPlace> {
  const home = temp.dir('home');
  const made = { home, repository: join(home, 'repository'), password };
  await createOnDisk(made, version);
  return made;
}

async function filled(version: 1 | 2): Promise<{ readonly from: CliPlace; readonly folder: string }> {
  const [from, folder] = [await place(version), temp.dir('source')];
  const restic = new Restic(from);
  for (let n = 0; n < 2; n++) {
    fs.mkdirSync(join(folder, `folder ${n}`));
    fs.writeFileSync(join(folder, `folder ${n}`, 'file'), `text ${n}\n`.repeat(50_000));
    await restic.backup(['.'], { cwd: folder, args: ['--tag', `tag ${n}`] });
  }
  return { from, folder };
}

/** The environment in which a program finds the repository to copy from. */
const source = ({ repository, password = '' }: CliPlace, prefix: string) => ({
  env: { [`${prefix}_FROM_REPOSITORY`]: repository, [`${prefix}_FROM_PASSWORD`]: password },
});

describe('copy', () => {
  it.each([
    [1, 2],
    [2, 1],
    [2, 2],
  ] as const)('from version %i to version %i is a repository for restic', async (a, b) => {
    const { from, folder } = await filled(a);
    const to = await place(b, 'another password');
    const [holdfast, restic] = [new Holdfast(to), new Restic(to)];
    await holdfast.call(['copy'], source(from, 'HOLDFAST'));
    await restic.check({ readData: true });
    const target = temp.dir('target');
    await restic.restore('latest', target);
    expectSame(snapshotOf(folder), snapshotOf(target), { root: false });
    expect((await restic.snapshots()).map((s) => s.tags)).toEqual([['tag 0'], ['tag 1']]);
  });

  it('and the copy of restic find each other’s copies', async () => {
    const { from } = await filled(2);
    const [to, back] = [await place(2, 'two'), await place(2, 'three')];
    await new Holdfast(to).call(['copy'], source(from, 'HOLDFAST'));
    const packs = await new Restic(to).list('packs');
    await new Restic(to).call(['copy'], source(from, 'RESTIC'));
    await new Holdfast(to).call(['copy'], source(from, 'HOLDFAST'));
    expect((await new Restic(to).snapshots()).length).toBe(2);
    expect(await new Restic(to).list('packs')).toEqual(packs);
    await new Restic(back).call(['copy'], source(to, 'RESTIC'));
    await new Holdfast(back).call(['copy'], source(from, 'HOLDFAST'));
    await new Holdfast(from).call(['copy'], source(back, 'HOLDFAST'));
    for (const p of [back, from]) expect((await new Restic(p).snapshots()).length).toBe(2);
  });
});
