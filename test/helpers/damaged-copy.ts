/** A repository that restic made, and copies of it to harm. */
import { join } from 'node:path';
import type { CliPlace } from './cli.ts';
import { copyRepository } from './cli.ts';
import type { Harm } from './harms.ts';
import { Restic } from './restic.ts';
import type { Temp } from './temp.ts';
import { file, symlink, tree, writeTree } from './tree.ts';

export interface Original {
  readonly cli: Restic;
  /** The source folders, as the two snapshots have them. */
  readonly sources: readonly [string, string];
  readonly dataPack: string;
  readonly treePack: string;
}

/** Two snapshots, with several packs of contents and an index each. */
export async function makeOriginal(temp: Temp, version: 1 | 2): Promise<Original> {
  const home = temp.dir('home');
  const cli = new Restic({ home, repository: join(home, 'repository') });
  await cli.init(version);
  const sources = [temp.dir('source'), temp.dir('source')] as const;
  const shared = {
    big: file({ seed: 1, size: 6 << 20 }),
    docs: { 'a.txt': 'one', 'b.txt': 'two', deep: { c: 'three', link: symlink('../a.txt') } },
  };
  writeTree(sources[0], tree({ ...shared, 'only in the first': file({ seed: 2, size: 5 << 20 }) }));
  writeTree(sources[1], tree({ ...shared, 'only in the second': file({ seed: 3, size: 5 << 20 }), e: {} }));
  for (const cwd of sources) await cli.backup(['.'], { cwd, args: ['--pack-size', '4', '--host', 'host'] });
  const [dataPack] = await cli.packsOf('data');
  const [treePack] = await cli.packsOf('tree');
  return { cli, sources, dataPack: dataPack!, treePack: treePack! };
}

/** The place of a copy of the repository that this damage was done to, and the id that a check must name. */
export function harmedCopy(
  { cli, dataPack, treePack }: Original,
  temp: Temp,
  harm: Harm,
): { readonly place: CliPlace; readonly named: string | undefined } {
  const home = temp.dir('harmed');
  const repository = join(home, 'repository');
  copyRepository(cli.place.repository, repository);
  return { place: { home, repository }, named: harm.apply({ repository, dataPack, treePack }) };
}
