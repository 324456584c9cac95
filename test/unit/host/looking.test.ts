import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CatalogState } from '../../../src/api/model/look.ts';
import { createLooking, type Looking } from '../../../src/host/looking.ts';
import type { OpenedVersions } from '../../../src/host/opened.ts';
import type { IndexedRepository } from '../../../src/repository/repository.ts';
import { findSnapshot } from '../../../src/repository/snapshot-filter.ts';
import { memoryRepository, type SketchFolder, saveTree, time } from '../../helpers/repo.ts';
import { useTemp } from '../../helpers/scope.ts';

const temp = useTemp();
const DISK = 'a-destination';

describe('looking into versions', () => {
  let repo: IndexedRepository;
  let looking: Looking;
  let states: CatalogState[];
  let asked: number;
  let fault: Error | undefined;

  beforeEach(async () => {
    repo = await memoryRepository();
    states = [];
    asked = 0;
    fault = undefined;
    looking = createLooking({
      folder: temp.dir('catalogs'),
      versions: async () => opened(),
      onState: (state) => states.push(state),
      log: () => {},
    });
  });
  afterEach(() => looking.close());

  async function opened(): Promise<OpenedVersions> {
    asked++;
    if (fault) throw fault;
    const snapshots = await repo.repository.snapshots();
    return {
      snapshots,
      named: (reference) => findSnapshot(snapshots, reference).snapshot,
      indexed: async () => repo,
    };
  }

  let hours = 0;
  async function version(sketch: SketchFolder, hostname = 'host'): Promise<string> {
    const tree = await saveTree(repo, sketch);
    const at = time(BigInt(1_700_000_000 + 3600 * hours++) * 1_000_000_000n);
    return repo.repository.saveSnapshot({ time: at, tree, paths: ['/data'], hostname });
  }

  const at = (versionId: string, path: string) => ({ destinationId: DISK, versionId, path });

  it('shows pages of folders', async () => {
    const id = await version({ data: { 'b.txt': 'bb', 'a.txt': 'a', sub: {} } });
    const page = await looking.folder(at('latest', '/data/'), { offset: 0, limit: 2 });
    expect(page).toMatchObject({
      total: 3,
      offset: 0,
      entries: [
        { name: 'sub', path: '/data/sub', kind: 'dir', bytes: null },
        { name: 'a.txt', path: '/data/a.txt', kind: 'file', bytes: 1 },
      ],
    });
    fault = new Error('away');
    await expect(looking.folder(at('latest', '/'), { offset: 0, limit: 2 })).rejects.toThrow('away');
    // Once it is known which version is meant, pages of a folder in memory need nobody.
    const next = await looking.folder(at(id, 'data'), { offset: 2, limit: 2 });
    expect(next.entries.map((entry) => entry.path)).toEqual(['/data/b.txt']);
    expect(asked).toBe(2);
  });

  it('says which folder is not there', async () => {
    await version({ data: {} });
    const missing = looking.folder(at('latest', '/data/more'), { offset: 0, limit: 2 });
    await expect(missing).rejects.toMatchObject({ code: 'path-missing' });
    await expect(looking.folder(at('0123', '/'), { offset: 0, limit: 2 })).rejects.toMatchObject({
      code: 'snapshot-missing',
    });
  });
});
