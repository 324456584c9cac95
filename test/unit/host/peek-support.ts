/** Peeking into trees of a test's own making, without a host. */
import type { FileInVersion } from '../../../src/api/model/look.ts';
import type { RestoreRequest } from '../../../src/api/model/run.ts';
import type { Id, StoredSnapshot } from '../../../src/format/types.ts';
import { createPeek, type PeekPorts } from '../../../src/host/peek.ts';
import type { IndexedRepository } from '../../../src/repository/repository.ts';
import { systemClock } from '../../../src/util/clock.ts';
import { idOf, memoryRepository, type SketchFolder, saveTree } from '../../helpers/repo.ts';

export const HOST = 'this-computer';

export interface PeekOptions extends Partial<PeekPorts> {
  readonly snapshot?: Partial<StoredSnapshot>;
}

export interface Stored {
  readonly repo: IndexedRepository;
  readonly tree: Id;
}

/** Into a tree that is made of a sketch, or was made by the test. */
export async function peekInto(what: SketchFolder | Stored, o: PeekOptions = {}) {
  const { repo, tree } = isStored(what) ? what : await stored(what);
  const { snapshot: said, ...ports } = o;
  const snapshot: StoredSnapshot = {
    ...({
      time: '2026-01-31T12:00:00Z',
      paths: ['/'],
      hostname: HOST,
      tags: null,
    } as unknown as StoredSnapshot),
    id: idOf('snapshot'),
    tree,
    ...said,
  };
  const peek = createPeek({
    clock: systemClock,
    hostname: HOST,
    versions: async () => ({
      snapshots: [snapshot],
      named: () => snapshot,
      indexed: async () => repo,
    }),
    lastRate: () => null,
    ...ports,
  });
  const file = (path: string): FileInVersion => ({ destinationId: 'd', versionId: 'latest', path });
  return {
    repo,
    preview: (path: string, signal?: AbortSignal) => peek.preview(file(path), signal),
    compare: (path: string, signal?: AbortSignal) => peek.compare(file(path), signal),
    estimate: (request: Partial<RestoreRequest>, signal?: AbortSignal) =>
      peek.estimate(
        {
          destinationId: 'd',
          versionId: 'latest',
          paths: [],
          exclude: [],
          target: { kind: 'original' },
          conflicts: 'keep-both',
          verify: true,
          ...request,
        },
        signal,
      ),
  };
}

function isStored(what: SketchFolder | Stored): what is Stored {
  return 'repo' in what && 'tree' in what;
}

async function stored(sketch: SketchFolder): Promise<Stored> {
  const repo = await memoryRepository();
  return { repo, tree: await saveTree(repo, sketch) };
}
