/**
 * Local caches: a folder for each repository, named by its id, whose modification time is when it was last used.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { EngineError, messageOf } from '../../api/errors.ts';
import { isId } from '../../format/types.ts';
import { cacheDirectory } from '../../fs/platform.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { flag, integer } from '../options.ts';
import { renderTable } from '../table.ts';
import { formatBytes, plural } from '../units.ts';

const DAY_MS = 86_400_000;

interface Cache {
  readonly id: string;
  readonly folder: string;
  readonly ageDays: number;
}

export const command = defineCommand({
  usage: '[flags]',
  description: `Lists the local caches of repositories, or removes those that were not used for long.

A cache can always be removed: it only holds copies of what is in the repository.`,
  options: {
    cleanup: flag('--cleanup', 'remove old caches'),
    maxAge: integer('--max-age days', 'a cache is old when it was not used for this many days', 30, 0),
    noSize: flag('--no-size', "don't count how big the caches are"),
  },
  async run(context, _operands, options) {
    const { globals } = context;
    if (globals.cacheDir === null) {
      throw new EngineError('usage', 'There is nothing to do: --no-cache turns the cache off.');
    }
    const base = globals.cacheDir ?? cacheDirectory();
    const caches = await findCaches(base, context.clock.now());
    if (options.cleanup || globals.cleanupCache) return cleanUp(caches, options.maxAge, context);
    return showCaches(base, caches, options, context);
  },
});

/** Longest unused first. A folder that is not there holds none. */
async function findCaches(base: string, now: number): Promise<readonly Cache[]> {
  const entries = await readdir(base, { withFileTypes: true }).catch((e: NodeJS.ErrnoException) => {
    if (e.code === 'ENOENT') return [];
    throw new EngineError(
      'permission',
      `The cache folder ${base} can't be read: ${e.message}`,
      {},
      { cause: e },
    );
  });
  const caches: Cache[] = [];
  for (const entry of entries) {
    if (!entry.isDirectory() || !isId(entry.name)) continue;
    const folder = path.join(base, entry.name);
    const { mtimeMs } = await stat(folder);
    caches.push({ id: entry.name, folder, ageDays: Math.max(0, Math.floor((now - mtimeMs) / DAY_MS)) });
  }
  return caches.sort((a, b) => b.ageDays - a.ageDays || (a.id < b.id ? -1 : 1));
}

async function cleanUp(caches: readonly Cache[], maxAge: number, context: CommandContext): Promise<void> {
  const old = caches.filter((cache) => cache.ageDays > maxAge);
  if (old.length === 0) return context.print.say('There are no old caches.');
  let removed = 0;
  for (const cache of old) {
    context.signal.throwIfAborted();
    try {
      await rm(cache.folder, { recursive: true, force: true });
      removed++;
    } catch (e) {
      context.print.problem(`The cache ${cache.folder} can't be removed: ${messageOf(e)}`);
    }
  }
  context.print.say(`Removed ${plural(removed, 'old cache')}.`);
}

async function showCaches(
  base: string,
  caches: readonly Cache[],
  options: { readonly maxAge: number; readonly noSize: boolean },
  { print, signal }: CommandContext,
): Promise<void> {
  if (caches.length === 0) return print.result(`There are no caches in ${base}.`);
  const rows: string[][] = [];
  for (const cache of caches) {
    const size = options.noSize ? [] : [formatBytes(await folderSize(cache.folder, signal)).padStart(11)];
    const old = cache.ageDays > options.maxAge ? 'yes' : '';
    rows.push([cache.id.slice(0, 10), `${plural(cache.ageDays, 'day')} ago`, old, ...size]);
  }
  const columns = ['Repo ID', 'Last Used', 'Old', ...(options.noSize ? [] : ['Size'])];
  const footer = [`${plural(caches.length, 'cache')} in ${base}`];
  for (const line of renderTable({ columns, rows, footer })) print.result(line);
}

/** Bytes of all files below. */
async function folderSize(folder: string, signal: AbortSignal): Promise<number> {
  let bytes = 0;
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    signal.throwIfAborted();
    const below = path.join(folder, entry.name);
    if (entry.isDirectory()) bytes += await folderSize(below, signal);
    else if (entry.isFile()) bytes += (await stat(below)).size;
  }
  return bytes;
}
