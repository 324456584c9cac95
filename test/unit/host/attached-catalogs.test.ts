/** Disks of a set hold repositories of their own: each has its catalog, and none is left when the destination goes. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { EngineError } from '../../../src/api/errors.ts';
import { createLooking } from '../../../src/host/looking.ts';
import { useTemp } from '../../helpers/scope.ts';

const temp = useTemp();

it('has a catalog for each repository, and drops all of them, those of other processes too', async () => {
  const folder = temp.dir('catalogs');
  const at = { name: 'disks' };
  const looking = createLooking({
    folder,
    nameOf: (id) => (id === 'disks' ? at.name : id),
    versions: async () => {
      throw new EngineError('unreachable', 'The disk “A” is not plugged in.');
    },
    onState: () => {},
    log: () => {},
  });
  const catalogs = () => fs.readdirSync(folder).filter((name) => name.endsWith('.db'));
  await looking.catalog('disks');
  at.name = 'disks.second';
  await looking.catalog('disks');
  await looking.catalog('disks2');
  await looking.settled('disks');
  expect((await looking.catalog('disks')).problem).toContain('not plugged in');
  await looking.settled('disks');
  fs.writeFileSync(join(folder, 'disks.third.db'), '');
  expect(catalogs().sort()).toEqual(['disks.db', 'disks.second.db', 'disks.third.db', 'disks2.db']);
  await looking.drop('disks');
  expect(catalogs()).toEqual(['disks2.db']);
  await looking.close();
});
