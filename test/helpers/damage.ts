import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { generatedBytes } from './tree.ts';

/**
 * Harm to a repository's folder, the same each time: a seed chooses among the files in the order of their names,
 * or a test names the file. Every function returns the id of the file it touched.
 */
export const REPOSITORY_TYPES = ['data', 'index', 'snapshots', 'keys', 'locks'] as const;
export type RepositoryType = (typeof REPOSITORY_TYPES)[number];

export interface Target {
  readonly type: RepositoryType;
  /** The file's id. Without it the seed chooses. */
  readonly id?: string;
  readonly seed?: number;
}

/** Where in a file: a fraction of its length (0 the first byte, 1 the last), or bytes from the end. */
export type Where = { readonly fraction: number } | { readonly fromEnd: number };

/** Ids of all files of a type, sorted. Leftovers that aren't named like an id are not among them. */
export function idsOf(repository: string, type: RepositoryType): readonly string[] {
  const all = fs.readdirSync(join(repository, type), { recursive: true, encoding: 'utf8' });
  return all
    .map((path) => path.split('/').at(-1) ?? '')
    .filter((name) => /^[0-9a-f]{64}$/.test(name))
    .sort();
}

export function pathOf(repository: string, type: RepositoryType, id: string): string {
  return type === 'data' ? join(repository, type, id.slice(0, 2), id) : join(repository, type, id);
}

function choose(repository: string, target: Target): { readonly id: string; readonly path: string } {
  const ids = idsOf(repository, target.type);
  const id = target.id ?? ids[Math.abs(target.seed ?? 0) % ids.length];
  if (id === undefined) throw new Error(`${repository} has no ${target.type} to damage`);
  return { id, path: pathOf(repository, target.type, id) };
}

/** Replaces a file's content, read-only or not, and keeps its mode. */
function rewrite(path: string, content: Uint8Array): void {
  const { mode } = fs.statSync(path);
  fs.chmodSync(path, 0o600);
  fs.writeFileSync(path, content);
  fs.chmodSync(path, mode);
}

export function removeFile(repository: string, target: Target): string {
  const { id, path } = choose(repository, target);
  fs.rmSync(path);
  return id;
}

export function removePack(repository: string, seed = 0): string {
  return removeFile(repository, { type: 'data', seed });
}

/** Removes one index, or all of them. */
export function removeIndex(repository: string, which: number | 'all' = 0): readonly string[] {
  const count = which === 'all' ? idsOf(repository, 'index').length : 1;
  const seed = which === 'all' ? 0 : which;
  return Array.from({ length: count }, () => removeFile(repository, { type: 'index', seed }));
}

/** Inverts the lowest bit of one byte. */
export function flipByte(repository: string, target: Target, where: Where = { fraction: 0.5 }): string {
  const { id, path } = choose(repository, target);
  const content = fs.readFileSync(path);
  const last = content.length - 1;
  const at = 'fraction' in where ? Math.floor(last * where.fraction) : content.length - where.fromEnd;
  const old = content[at];
  if (old === undefined) throw new Error(`${path} has no byte ${at}`);
  content[at] = old ^ 1;
  rewrite(path, content);
  return id;
}

/** Cuts a file short: `keep` is a fraction of its length (0 leaves it empty). */
export function truncate(repository: string, target: Target, keep = 0.5): string {
  const { id, path } = choose(repository, target);
  const content = fs.readFileSync(path);
  rewrite(path, content.subarray(0, Math.floor(content.length * keep)));
  return id;
}

/** Overwrites a file with as many random bytes. */
export function garbage(repository: string, target: Target): string {
  const { id, path } = choose(repository, target);
  rewrite(path, Buffer.concat([...generatedBytes({ seed: target.seed ?? 0, size: fs.statSync(path).size })]));
  return id;
}

/** Adds a file of random bytes whose name is right for them: what a broken upload or a stranger may leave. */
export function addGarbageFile(repository: string, type: RepositoryType, seed = 0, size = 1000): string {
  const content = Buffer.concat([...generatedBytes({ seed, size })]);
  const id = createHash('sha256').update(content).digest('hex');
  const path = pathOf(repository, type, id);
  fs.mkdirSync(join(path, '..'), { recursive: true });
  fs.writeFileSync(path, content);
  return id;
}

/**
 * Copies into `repository` every sound pack that `later`, a copy of it that has gone on, has more: packs in no
 * index, as a backup leaves them that was stopped before its index.
 */
export function addOrphanPacks(repository: string, later: string): readonly string[] {
  const known = new Set(idsOf(repository, 'data'));
  const added = idsOf(later, 'data').filter((id) => !known.has(id));
  for (const id of added) {
    const path = pathOf(repository, 'data', id);
    fs.mkdirSync(join(path, '..'), { recursive: true });
    fs.copyFileSync(pathOf(later, 'data', id), path);
  }
  return added;
}
