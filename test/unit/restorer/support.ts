/** Restoring sketches into temporary folders. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { EngineError } from '../../../src/api/errors.ts';
import type { Id } from '../../../src/format/types.ts';
import { type RestoreRequest, restore } from '../../../src/operations/restore.ts';
import type { IndexedRepository } from '../../../src/repository/repository.ts';
import type { RestoreReport } from '../../../src/restorer/progress.ts';
import { fromText, toText } from '../../../src/util/byte-string.ts';
import { memoryRepository, type SketchFolder, saveTree } from '../../helpers/repo.ts';

export const root = process.geteuid?.() === 0;

export interface Outcome {
  readonly report: RestoreReport;
  /** `path: code` of each failure, in order. */
  readonly failures: readonly string[];
  readonly warnings: readonly string[];
  /** `action path` of each event, sorted. */
  readonly items: readonly string[];
}

export type Options = Omit<Partial<RestoreRequest>, 'target' | 'events'>;

/** Restores a tree and gathers all that is told. One worker, so that it stays cheap. */
export async function restoreTo(
  repo: IndexedRepository,
  tree: Id,
  target: string,
  o: Options = {},
): Promise<Outcome> {
  const failures: string[] = [];
  const warnings: string[] = [];
  const items: string[] = [];
  const report = await restore(
    repo,
    { tree },
    {
      threads: 1,
      ...o,
      target: fromText(target),
      events: {
        onError: (path, e: EngineError) => failures.push(`${toText(path)}: ${e.code}`),
        onWarning: (path, e: EngineError) => warnings.push(`${toText(path)}: ${e.code}`),
        onItem: (action, path) => items.push(`${action} ${toText(path)}`),
      },
    },
  );
  return { report, failures, warnings, items: items.sort() };
}

/** A repository in memory with one tree. */
export async function repositoryWith(sketch: SketchFolder): Promise<{ repo: IndexedRepository; tree: Id }> {
  const repo = await memoryRepository();
  return { repo, tree: await saveTree(repo, sketch) };
}

/** All paths below a folder with the text of files, `→ target` of links and '/' for folders. */
export function textOf(folder: string, at = ''): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of fs.readdirSync(join(folder, at)).sort()) {
    const path = at === '' ? name : `${at}/${name}`;
    const full = join(folder, path);
    const stats = fs.lstatSync(full);
    if (stats.isSymbolicLink()) found[path] = `→ ${fs.readlinkSync(full)}`;
    else if (stats.isDirectory()) Object.assign(found, { [path]: '/' }, textOf(folder, path));
    else found[path] = stats.isFile() ? fs.readFileSync(full, 'utf8') : 'special';
  }
  return found;
}
