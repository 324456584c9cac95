/**
 * A repository, opened.
 *
 * open      the config is read and the master key known: files (snapshots, indexes, locks) can be read and written
 * indexed   the index is loaded as well: blobs can be found, read and added
 *
 * Write order: packs, then index, then snapshot; what refers comes after what it refers to. docs/format.md tells why.
 */
import { randomBytes } from 'node:crypto';
import { EngineError, isEngineError } from '../api/errors.ts';
import { type Backend, type CallOptions, CONFIG_HANDLE, type Wrap } from '../backend/backend.ts';
import { formatPolynomial, randomPolynomial } from '../chunker/polynomial.ts';
import type { KdfParameters } from '../crypto/kdf.ts';
import { newSealKey } from '../crypto/kdf.ts';
import { Sealer, type SealKey } from '../crypto/sealer.ts';
import { parseConfig, serializeConfig } from '../format/config.ts';
import { visitIndex } from '../format/index-file.ts';
import { parseSnapshot, serializeSnapshot } from '../format/snapshot.ts';
import { parseTree } from '../format/tree.ts';
import type { BlobType, Config, Id, Snapshot, StoredSnapshot, Tree } from '../format/types.ts';
import { forEachLimit } from '../util/semaphore.ts';
import type { Compression } from '../util/zstd.ts';
import type { CodecOptions } from '../workers/blob-codec.ts';
import { BlobIndex } from './blob-index.ts';
import { BlobReader } from './blob-reader.ts';
import { BlobWriter, type WriterOptions } from './blob-writer.ts';
import { addKey, type Identity, keyIds, type OpenedKey, searchKey } from './keys.ts';
import { SealedFiles } from './sealed-files.ts';

export const DEFAULT_PACK_BYTES = 16 * 1024 * 1024;

export interface RepositoryOptions {
  readonly compression: Compression;
  /** Target size of a pack in bytes; 4 MiB to 128 MiB. */
  readonly packBytes: number;
  /** Open every sealed blob again before it is stored. */
  readonly extraVerify: boolean;
}

export const DEFAULT_OPTIONS: RepositoryOptions = {
  compression: 'auto',
  packBytes: DEFAULT_PACK_BYTES,
  extraVerify: true,
};

export interface OpenOptions extends CallOptions {
  readonly password: string;
  readonly keyHint?: string;
  /** What to put before the storage once it is known which repository it holds: a cache. */
  readonly decorate?: (id: Id) => Wrap;
  readonly repository?: Partial<RepositoryOptions>;
}

export interface CreateOptions extends CallOptions, Identity {
  readonly password: string;
  readonly version?: 1 | 2;
  /** Hexadecimal; to share chunks with another repository (`init --copy-chunker-params`). */
  readonly chunkerPolynomial?: string;
  readonly kdf?: KdfParameters;
  readonly repository?: Partial<RepositoryOptions>;
}

export class Repository {
  readonly backend: Backend;
  readonly config: Config;
  readonly key: OpenedKey;
  readonly options: RepositoryOptions;
  readonly sealer: Sealer;
  readonly files: SealedFiles;

  constructor(backend: Backend, config: Config, key: OpenedKey, options: RepositoryOptions) {
    this.backend = backend;
    this.config = config;
    this.key = key;
    this.options = options;
    this.sealer = new Sealer(key.master);
    this.files = new SealedFiles(backend, this.sealer, config.version, options.compression);
  }

  get id(): Id {
    return this.config.id;
  }

  get codec(): CodecOptions {
    const { compression, extraVerify } = this.options;
    return { compression, version: this.config.version, verify: extraVerify };
  }

  async loadSnapshot(id: Id, o?: CallOptions): Promise<StoredSnapshot> {
    return { ...parseSnapshot(await this.files.load('snapshot', id, o)), id };
  }

  /** Only after the writer's `flush`: a snapshot must never refer to what is not stored. */
  saveSnapshot(snapshot: Snapshot, o?: CallOptions & { readonly fromReserve?: boolean }): Promise<Id> {
    return this.files.save('snapshot', serializeSnapshot(snapshot), o);
  }

  /** Every snapshot that can be read, oldest first; `onDamaged` hears of the others. */
  async snapshots(o?: SnapshotsOptions): Promise<StoredSnapshot[]> {
    const found: StoredSnapshot[] = [];
    const ids = await this.files.ids('snapshot', o);
    await forEachLimit(ids, this.backend.traits.connections, async (id) => {
      try {
        found.push(await this.loadSnapshot(id, o));
      } catch (e) {
        if (isEngineError(e, 'not-found')) return;
        if (!isEngineError(e, 'damaged') || !o?.onDamaged) throw e;
        o.onDamaged(id, e);
      }
    });
    return found.sort(byTime);
  }

  /** Reads all index files. Errors: 'damaged' unless `onDamaged` takes it; the backend's. */
  async loadIndex(o: LoadIndexOptions = {}): Promise<IndexedRepository> {
    const index = new BlobIndex();
    const ids = await this.files.ids('index', o);
    await forEachLimit(ids, Math.max(2, this.backend.traits.connections), async (id) => {
      try {
        addIndexFile(index, await this.files.load('index', id, o));
      } catch (e) {
        if (isEngineError(e, 'not-found')) return;
        if (!isEngineError(e, 'damaged') || !o.onDamaged) throw e;
        o.onDamaged(id, e);
      }
    });
    return new IndexedRepository(this, index, ids);
  }

  async close(): Promise<void> {
    await this.backend.close();
  }
}

export interface SnapshotsOptions extends CallOptions {
  readonly onDamaged?: (id: Id, error: EngineError) => void;
}

export interface LoadIndexOptions extends CallOptions {
  readonly onDamaged?: (id: Id, error: EngineError) => void;
}

/** All blobs of one index file, into the index. Error: 'damaged'. */
export function addIndexFile(index: BlobIndex, content: Uint8Array): void {
  let add: ReturnType<BlobIndex['adder']> | undefined;
  visitIndex(content, {
    onPack: (pack) => {
      add = index.adder(pack);
    },
    onBlob: (id, type, offset, length, uncompressed) => add?.(id, type, offset, length, uncompressed),
  });
}

function byTime(a: StoredSnapshot, b: StoredSnapshot): number {
  const [x, y] = [Date.parse(a.time), Date.parse(b.time)];
  return x - y || (a.id < b.id ? -1 : 1);
}

export class IndexedRepository {
  readonly repository: Repository;
  readonly index: BlobIndex;
  /** The index files that were there when it was loaded. */
  readonly indexFiles: readonly Id[];
  readonly #reader: BlobReader;

  constructor(repository: Repository, index: BlobIndex, indexFiles: readonly Id[]) {
    this.repository = repository;
    this.index = index;
    this.indexFiles = indexFiles;
    this.#reader = new BlobReader(repository.backend, repository.sealer, index);
  }

  /** Errors: 'damaged' if no pack has it whole; the backend's. */
  loadBlob(type: BlobType, id: Id, o?: CallOptions): Promise<Uint8Array> {
    return this.#reader.load(type, id, o);
  }

  async loadTree(id: Id, o?: CallOptions): Promise<Tree> {
    return parseTree(await this.loadBlob('tree', id, o));
  }

  writer(o?: WriterOptions): BlobWriter {
    const { backend, files, sealer, codec, options } = this.repository;
    return new BlobWriter(
      { backend, files, sealer, index: this.index, codec, packBytes: options.packBytes },
      o,
    );
  }
}

/** Errors: 'repository-missing', 'wrong-password', 'damaged', 'unsupported', and the backend's. */
export async function openRepository(backend: Backend, o: OpenOptions): Promise<Repository> {
  await refuseUnlessPresent(backend, o);
  const key = await searchKey(backend, o.password, { ...o, ...(o.keyHint ? { hint: o.keyHint } : {}) });
  const options = { ...DEFAULT_OPTIONS, ...o.repository };
  const config = await loadConfig(backend, key.master, o);
  return new Repository(o.decorate?.(config.id)(backend) ?? backend, config, key, options);
}

async function loadConfig(backend: Backend, master: SealKey, o: CallOptions): Promise<Config> {
  const files = new SealedFiles(backend, new Sealer(master), 1, 'auto');
  return parseConfig(await files.load('config', '', o));
}

async function refuseUnlessPresent(backend: Backend, o: CallOptions): Promise<void> {
  try {
    await backend.stat(CONFIG_HANDLE, o);
  } catch (e) {
    if (!isEngineError(e, 'not-found')) throw e;
    throw new EngineError(
      'repository-missing',
      `There is no repository at ${backend.location}.`,
      { hint: 'Check the location (is the disk plugged in?), or make a new repository there with "init".' },
      { cause: e },
    );
  }
}

/** Makes the first key, then the config. Errors: 'repository-exists', and the backend's. */
export async function createRepository(backend: Backend, o: CreateOptions): Promise<Repository> {
  await refuseIfPresent(backend, o);
  const { id: keyId, master } = (await keyOfStoppedCreation(backend, o)) ?? (await firstKey(backend, o));
  const config: Config = {
    version: o.version ?? 2,
    id: randomBytes(32).toString('hex') as Id,
    chunkerPolynomial: o.chunkerPolynomial ?? formatPolynomial(randomPolynomial(randomBytes)),
  };
  const files = new SealedFiles(backend, new Sealer(master), 1, 'auto');
  await files.save('config', serializeConfig(config), o);
  return new Repository(backend, config, { id: keyId, master }, { ...DEFAULT_OPTIONS, ...o.repository });
}

async function firstKey(backend: Backend, o: CreateOptions): Promise<OpenedKey> {
  const master = newSealKey();
  return { id: await addKey(backend, master, o.password, o), master };
}

/**
 * The key of an earlier creation that was stopped before its config was written, if this password opens it: then
 * creation goes on from there.
 */
async function keyOfStoppedCreation(backend: Backend, o: CreateOptions): Promise<OpenedKey | undefined> {
  if ((await keyIds(backend, o)).length === 0) return undefined;
  try {
    return await searchKey(backend, o.password, o);
  } catch (e) {
    if (isEngineError(e, 'wrong-password')) throw existing(backend, 'a key of an unfinished repository');
    throw e;
  }
}

function existing(backend: Backend, what: string): EngineError {
  return new EngineError('repository-exists', `There is already ${what} at ${backend.location}.`, {
    hint: 'Use another folder, or open what is there with its password.',
  });
}

/** Snapshots or packs without a config are the remains of a repository: a new one over them would bury it. */
async function refuseIfPresent(backend: Backend, o: CallOptions): Promise<void> {
  try {
    await backend.stat(CONFIG_HANDLE, o);
    throw existing(backend, 'a repository');
  } catch (e) {
    if (!isEngineError(e, 'not-found')) throw e;
  }
  for (const type of ['snapshot', 'index', 'pack'] as const) {
    for await (const _ of backend.list(type, o)) throw existing(backend, 'a repository without its config');
  }
}
