/**
 * Where restic's default layout puts each file, as path segments below the repository's root.
 *
 * config, and the folders index, keys, locks, snapshots and data; packs lie one level deeper, in the folder of
 * the first two digits of their name. Source: restic's `doc/design.rst`, "Repository Layout".
 *
 * holdfast, the folder of settings, is ours alone. It is made with the first file in it.
 */
import { EngineError } from '../api/errors.ts';
import { type FileType, isId } from '../format/types.ts';
import type { Handle } from './backend.ts';

const FOLDERS = {
  key: 'keys',
  lock: 'locks',
  snapshot: 'snapshots',
  index: 'index',
  pack: 'data',
  settings: 'holdfast',
} as const satisfies Record<Exclude<FileType, 'config'>, string>;

/** The folder of a type's files (packs: of their folders); undefined for the config, which lies in the root. */
export function folderOf(type: FileType): string | undefined {
  return type === 'config' ? undefined : FOLDERS[type];
}

/** Refuses, with 'usage', a name that is not an id: nothing else may become part of a path. */
export function checkHandle(h: Handle): void {
  const good = h.type === 'config' ? h.name === '' : Object.hasOwn(FOLDERS, h.type) && isId(h.name);
  if (good) return;
  const message = `${JSON.stringify(h.name)} is not the name of a ${h.type} file: 64 hexadecimal digits are.`;
  throw new EngineError('usage', message, { context: { type: h.type } });
}

/** The folder segments of a file, and its name last. */
export function segmentsOf(h: Handle): readonly string[] {
  checkHandle(h);
  if (h.type === 'config') return ['config'];
  const folder = FOLDERS[h.type];
  return h.type === 'pack' ? [folder, h.name.slice(0, 2), h.name] : [folder, h.name];
}

/** The 256 folders of packs: '00' … 'ff'. */
export const PACK_FOLDERS: readonly string[] = Array.from({ length: 256 }, (_, i) =>
  i.toString(16).padStart(2, '0'),
);

/** Every folder that a repository may have, parents first, as segments. */
export function allFolders(): readonly (readonly string[])[] {
  return [
    ...Object.values(FOLDERS).map((folder) => [folder]),
    ...PACK_FOLDERS.map((sub) => [FOLDERS.pack, sub]),
  ];
}

/** The folders with which a repository begins: restic's. */
export function newFolders(): readonly (readonly string[])[] {
  return allFolders().filter(([folder]) => folder !== FOLDERS.settings);
}
