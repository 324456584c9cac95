/** Several programs at work on one repository at once: nothing of any of them is lost. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import type { CliPlace, ResticCli } from '../helpers/cli.ts';
import { expectSame, type FolderSnapshot, snapshotOf } from '../helpers/compare.ts';
import { createOnDisk } from '../helpers/disk-repository.ts';
import { Holdfast } from '../helpers/holdfast.ts';
import { Restic } from '../helpers/restic.ts';
import { useTemp } from '../helpers/scope.ts';
import { requireTool } from '../helpers/tools.ts';
import { file, tree, writeTree } from '../helpers/tree.ts';

const temp = useTemp();
beforeEach((context) => requireTool(context, 'restic'));

const MIB = 1024 * 1024;
const ROUNDS = 5;
const LOCKED = 11;

interface Party {
  readonly name: string;
  readonly cli: ResticCli;
  readonly folder: string;
}

/** A third of it is the same for all, so that they store the same blobs at once. */
function renew({ name, folder }: Party, round: number): FolderSnapshot {
  fs.rmSync(join(folder, 'tree'), { recursive: true, force: true });
  const small = Array.from({ length: 60 }, (_, n) => [
    `small ${n}`,
    file(`${n % 2 ? name : 'all'} ${n} ${round}\n`.repeat(n * 40)),
  ]);
  const who = [...name].reduce((sum, c) => sum * 31 + c.charCodeAt(0), 0);
  const root = tree({
    own: file({ seed: who + round, size: 12 * MIB + round }),
    lasting: file({ seed: who, size: 6 * MIB }),
    common: file({ seed: round, size: 9 * MIB }),
    small: tree(Object.fromEntries(small)),
  });
  writeTree(join(folder, 'tree'), root);
  return snapshotOf(folder);
}

it('two Holdfasts and one restic back up at once, while others look on', async () => {
  const home = temp.dir('home');
  const repository = join(home, 'repository');
  await createOnDisk({ home, repository });
  const at = (name: string): CliPlace => ({ repository, home: temp.dir(name) });
  const parties: readonly Party[] = [
    { name: 'first', cli: new Holdfast(at('first')), folder: temp.dir('source') },
    { name: 'second', cli: new Holdfast(at('second')), folder: temp.dir('source') },
    { name: 'third', cli: new Restic(at('third')), folder: temp.dir('source') },
  ];
  const onlooker = new Holdfast(at('onlooker'));
  const states = new Map<string, FolderSnapshot>();
  for (let round = 0; round < ROUNDS; round++) {
    const backups = parties.map(async (party) => {
      const tag = `${party.name}-${round}`;
      states.set(tag, renew(party, round));
      // The check may hold the repository for a moment: who comes then waits, or is told so and comes again.
      const args = ['backup', 'tree', '--tag', tag];
      for (;;) {
        const { code, stderr } = await party.cli.try(args, { cwd: party.folder });
        if (code === 0) return;
        if (!/lock/.test(stderr)) throw new Error(`${tag}: exit code ${code}\n${stderr}`);
      }
    });
    const look = async (): Promise<void> => {
      const { code, stderr } = await onlooker.try(['check']);
      expect([0, LOCKED], stderr).toContain(code);
      expect((await onlooker.try(['check', '--no-lock'])).code, 'a check without a lock').toBe(0);
    };
    await Promise.all([...backups, look()]);
  }
  const [restic, holdfast] = [new Restic({ home, repository }), new Holdfast({ home, repository })];
  await restic.check();
  await holdfast.check();
  const snapshots = await restic.snapshots();
  expect(snapshots.map(({ tags }) => tags![0]).sort()).toEqual([...states.keys()].sort());
  for (const { id, tags } of snapshots) {
    const target = temp.dir('target');
    await restic.restore(id, target);
    expectSame(states.get(tags![0]!)!, snapshotOf(target), { root: false });
    fs.rmSync(target, { recursive: true });
  }
  expect(await restic.list('locks')).toEqual([]);
});
