/** Harm to a repository in any storage, and what `check` says about it. */
import type { Backend } from '../../src/backend/backend.ts';
import { serializeIndex } from '../../src/format/index-file.ts';
import type { BlobType, FileType, Id, IndexPack } from '../../src/format/types.ts';
import { type CheckOptions, type CheckReport, check, type Finding } from '../../src/operations/check.ts';
import { PackListing } from '../../src/repository/pack-listing.ts';
import { openRepository, type Repository } from '../../src/repository/repository.ts';
import { PASSWORD } from './repo.ts';

export function openHarmed(backend: Backend): Promise<Repository> {
  return openRepository(backend, { password: PASSWORD });
}

/** Replaces the content of a stored file; its name stays. */
export async function alter(
  backend: Backend,
  type: FileType,
  name: string,
  change: (content: Buffer) => Uint8Array,
): Promise<void> {
  const content = Buffer.from(await backend.load({ type, name }));
  await backend.remove({ type, name });
  await backend.save({ type, name }, [change(content)]);
}

/** Turns one bit of the byte at `at`; counted from the end where negative. */
export function flip(at: number): (content: Buffer) => Buffer {
  return (content) => {
    const index = at < 0 ? content.length + at : at;
    content[index] = content[index]! ^ 1;
    return content;
  };
}

export async function filesOf(backend: Backend, type: FileType): Promise<Id[]> {
  const names: Id[] = [];
  for await (const { name } of backend.list(type)) names.push(name as Id);
  return names.sort();
}

/** Packs, as the index lists them, whose first blob is of this type; those with the most blobs first. */
export async function packsOf(backend: Backend, type: BlobType): Promise<IndexPack[]> {
  const { index } = await (await openHarmed(backend)).loadIndex();
  const listing = new PackListing(index);
  return [...listing.packs()]
    .map((id) => ({ id, blobs: listing.blobs(id) }))
    .filter(({ blobs }) => blobs[0]!.type === type)
    .sort((a, b) => b.blobs.length - a.blobs.length);
}

/** Stores one more index file with these packs. */
export async function addIndex(backend: Backend, packs: readonly IndexPack[]): Promise<Id> {
  return (await openHarmed(backend)).files.save('index', serializeIndex(packs));
}

/** Makes this the only index file. */
export async function replaceIndex(backend: Backend, packs: readonly IndexPack[]): Promise<void> {
  const old = await filesOf(backend, 'index');
  await addIndex(backend, packs);
  for (const name of old) await backend.remove({ type: 'index', name });
}

export interface Checked {
  readonly report: CheckReport;
  readonly findings: readonly Finding[];
  readonly errors: readonly Finding[];
  /** Kinds of the errors, each once, sorted. */
  readonly kinds: readonly string[];
}

/** `check` as a new process would run it; all packs are read unless `o` says otherwise. */
export async function checked(backend: Backend, o: Partial<CheckOptions> = {}): Promise<Checked> {
  const findings: Finding[] = [];
  const report = await check(await openHarmed(backend), {
    readData: { kind: 'all' },
    threads: 1,
    onFinding: (finding) => findings.push(finding),
    ...o,
  });
  const errors = findings.filter(({ severity }) => severity === 'error');
  return { report, findings, errors, kinds: [...new Set(errors.map(({ kind }) => kind))].sort() };
}
