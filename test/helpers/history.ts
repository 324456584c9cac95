/** A repository in memory that has seen some years: snapshots that share files, and what stopped runs leave. */
import { createHash, randomBytes } from 'node:crypto';
import type { Backend } from '../../src/backend/backend.ts';
import { createMemory } from '../../src/backend/memory/memory.ts';
import { fromEpochNs } from '../../src/format/time.ts';
import type { Id, Snapshot } from '../../src/format/types.ts';
import { createRepository, openRepository, type Repository } from '../../src/repository/repository.ts';
import { sealBlob } from '../../src/workers/blob-codec.ts';
import { CHEAP_KDF, PASSWORD, type SketchFolder, SOME_TIME_NS, saveTree } from './repo.ts';

/** Small, so that a test's repository has many. */
export const SMALL_PACKS = 2048;

export interface HistoryOptions {
  readonly version?: 1 | 2;
  readonly packBytes?: number;
}

export class History {
  readonly backend: Backend;
  readonly #packBytes: number;
  #count = 0;

  private constructor(backend: Backend, packBytes: number) {
    this.backend = backend;
    this.#packBytes = packBytes;
  }

  static async create(o: HistoryOptions = {}, backend: Backend = createMemory()): Promise<History> {
    const { version = 2, packBytes = SMALL_PACKS } = o;
    const who = { hostname: 'host', username: 'user' };
    await createRepository(backend, { password: PASSWORD, version, kdf: CHEAP_KDF, ...who });
    return new History(backend, packBytes);
  }

  /** As a new process would open it; through another backend (a faulty one) if given. */
  open(backend: Backend = this.backend): Promise<Repository> {
    return openRepository(backend, { password: PASSWORD, repository: { packBytes: this.#packBytes } });
  }

  /** A snapshot of files with these contents, some of them in folders. */
  async snapshot(contents: readonly number[], fields: Partial<Snapshot> = {}): Promise<Id> {
    const repo = await this.open();
    const tree = await saveTree(await repo.loadIndex(), sketch(contents));
    const time = fromEpochNs(SOME_TIME_NS + BigInt(this.#count++) * 3_600_000_000_000n);
    return repo.saveSnapshot({ time, tree, paths: ['/data'], hostname: 'host', ...fields });
  }

  /** Contents that lie in a further pack as well, as two backups at once leave them. */
  async duplicate(contents: readonly number[]): Promise<void> {
    const repo = await this.open();
    const writer = (await repo.loadIndex()).writer();
    for (const n of contents) {
      const plain = contentOf(n);
      const id = createHash('sha256').update(plain).digest('hex') as Id;
      await writer.add(sealBlob(repo.sealer, 'data', id, plain, repo.codec), plain.length, true);
    }
    await writer.flush();
  }

  /** A pack that no index lists, as a stopped backup leaves it. */
  async orphan(): Promise<void> {
    const noise = randomBytes(200);
    const name = createHash('sha256').update(noise).digest('hex');
    await this.backend.save({ type: 'pack', name }, [noise]);
  }

  async forget(id: Id): Promise<void> {
    await this.backend.remove({ type: 'snapshot', name: id });
  }
}

/** The same number, the same content: between 100 and 900 bytes, every other one easy to compress. */
export function contentOf(n: number): Uint8Array {
  const length = 100 + ((n * 37) % 800);
  if (n % 2 === 0) return Buffer.from(`content ${n} `.repeat(length).slice(0, length));
  const parts: Buffer[] = [];
  for (let i = 0; i * 32 < length; i++) parts.push(createHash('sha256').update(`${n} ${i}`).digest());
  return Buffer.concat(parts).subarray(0, length);
}

function sketch(contents: readonly number[]): SketchFolder {
  const folders: Record<string, Record<string, Uint8Array>> = {};
  for (const n of contents) {
    folders[`folder ${n % 3}`] = { ...folders[`folder ${n % 3}`], [`file ${n}`]: contentOf(n) };
  }
  return { ...folders, 'empty folder': {} };
}

/** A copy of everything in a storage, to try things on. */
export async function cloneBackend(from: Backend): Promise<Backend> {
  const to = createMemory();
  for (const type of ['config', 'key', 'lock', 'snapshot', 'index', 'pack', 'settings'] as const) {
    for await (const { name } of from.list(type)) {
      await to.save({ type, name }, [await from.load({ type, name })]);
    }
  }
  return to;
}
