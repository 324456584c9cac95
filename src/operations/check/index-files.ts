/** Checking the index files: all readable, and of one mind about each pack. */
import { createHash } from 'node:crypto';
import { isEngineError } from '../../api/errors.ts';
import type { CallOptions } from '../../backend/backend.ts';
import { type IndexVisitor, visitIndex } from '../../format/index-file.ts';
import type { BlobType, Id } from '../../format/types.ts';
import { BlobIndex } from '../../repository/blob-index.ts';
import type { Repository } from '../../repository/repository.ts';
import { forEachLimit } from '../../util/semaphore.ts';
import { type Finding, fault, hint } from './findings.ts';

/** What the index files say about one pack. */
interface PackListings {
  /** The first index file that lists it; further ones in `others`. */
  readonly first: Id;
  readonly others: Id[];
  /** Of the entries in the first file, whatever their order. */
  readonly sum: string;
  contradicted: boolean;
}

export interface LoadedIndex {
  readonly index: BlobIndex;
  readonly indexFiles: readonly Id[];
  readonly unreadable: readonly Id[];
  /** Packs that several index files list, by whether those say the same. */
  readonly repeated: ReadonlyMap<Id, { readonly contradicted: boolean; readonly indexes: readonly Id[] }>;
}

/**
 * Loads all index files, and tells which packs are listed several times. Files that are damaged, or that the disk
 * refuses to give, are left out and named. Errors: the backend's.
 */
export async function loadIndexFiles(repo: Repository, o: LoadIndexFilesOptions): Promise<LoadedIndex> {
  const index = new BlobIndex();
  const packs = new Map<Id, PackListings>();
  const unreadable: Id[] = [];
  const indexFiles = await repo.files.ids('index', o);
  await forEachLimit(indexFiles, Math.max(2, repo.backend.traits.connections), async (id) => {
    try {
      addFile(index, packs, id, await repo.files.load('index', id, o));
    } catch (e) {
      if (isEngineError(e, 'not-found')) return;
      if (!isEngineError(e, 'damaged', 'range', 'io')) throw e;
      unreadable.push(id);
      o.onUnreadable?.(id, e);
    }
    o.onFile?.();
  });
  return { index, indexFiles, unreadable, repeated: repeatedOnly(packs) };
}

export interface LoadIndexFilesOptions extends CallOptions {
  readonly onUnreadable?: (id: Id, error: unknown) => void;
  readonly onFile?: () => void;
}

/** Nothing of a damaged file is taken: it is read once for its form, then for its content. */
function addFile(index: BlobIndex, packs: Map<Id, PackListings>, file: Id, content: Uint8Array): void {
  visitIndex(content, {});
  let pack: Id | undefined;
  let entries: string[] = [];
  let add: ReturnType<BlobIndex['adder']> | undefined;
  const close = () => {
    if (pack && entries.length > 0) noteListing(packs, file, pack, entries);
    entries = [];
  };
  visitIndex(content, {
    onPack: (id) => {
      close();
      pack = id;
      add = index.adder(id);
    },
    onBlob: (id, type, offset, length, uncompressed) => {
      add?.(id, type, offset, length, uncompressed);
      entries.push(entryText(id, type, offset, length, uncompressed));
    },
  } satisfies IndexVisitor);
  close();
}

function entryText(
  id: Uint8Array,
  type: BlobType,
  offset: number,
  length: number,
  uncompressed: number,
): string {
  const hex = Buffer.from(id.buffer, id.byteOffset, id.byteLength).toString('hex');
  return `${offset} ${length} ${uncompressed} ${type} ${hex}`;
}

function noteListing(packs: Map<Id, PackListings>, file: Id, pack: Id, entries: string[]): void {
  const sum = createHash('sha256').update(entries.sort().join('\n')).digest('base64');
  const known = packs.get(pack);
  if (!known) {
    packs.set(pack, { first: file, others: [], sum, contradicted: false });
    return;
  }
  if (known.sum !== sum) known.contradicted = true;
  known.others.push(file);
}

function repeatedOnly(packs: ReadonlyMap<Id, PackListings>): LoadedIndex['repeated'] {
  const repeated = new Map<Id, { readonly contradicted: boolean; readonly indexes: readonly Id[] }>();
  for (const [pack, { first, others, contradicted }] of packs) {
    if (others.length > 0) repeated.set(pack, { contradicted, indexes: [first, ...others] });
  }
  return repeated;
}

/** The errors and hints that lie in the index alone. */
export function* indexFindings({ index, repeated }: LoadedIndex): Iterable<Finding> {
  for (const [pack, { contradicted, indexes }] of repeated) {
    const files = indexes.map((id) => id.slice(0, 8)).join(', ');
    yield contradicted
      ? fault('pack-contradicted', contradiction(pack, files), { pack }, 'repair-index')
      : hint(
          'pack-listed-twice',
          `Pack ${pack} is listed by several index files: ${files}.`,
          { pack },
          'repair-index',
        );
  }
  for (const pack of mixedPacks(index)) {
    yield hint('pack-mixed', `Pack ${pack} holds data and trees.`, { pack }, 'prune');
  }
}

const contradiction = (pack: Id, files: string) =>
  `The index files ${files} say different things about pack ${pack}.`;

function mixedPacks(index: BlobIndex): readonly Id[] {
  const [DATA, TREE] = [1, 2];
  const kinds = new Uint8Array(index.packs.length);
  for (let entry = 0; entry < index.size; entry++) {
    kinds[index.packNumberOf(entry)]! |= index.typeOf(entry) === 'tree' ? TREE : DATA;
  }
  return index.packs.filter((_, number) => kinds[number] === (DATA | TREE));
}
