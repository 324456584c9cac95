/** The kinds of damage that both programs are tried with: what a disk, a cable or a person may do to a repository. */
import { addGarbageFile, flipByte, garbage, idsOf, removeFile, removeIndex, truncate } from './damage.ts';

export interface HarmTargets {
  readonly repository: string;
  /** A pack of file contents. */
  readonly dataPack: string;
  /** A pack of folders. */
  readonly treePack: string;
}

export interface Harm {
  readonly name: string;
  /** Does the damage; returns the id that a check must name, if there is one. */
  readonly apply: (targets: HarmTargets) => string | undefined;
  readonly clean?: boolean;
  /** restic 0.14 tries for a minute, or for many if it is about trees, to read what is gone. */
  readonly slowInOldRestic?: 'minute' | 'minutes';
}

const at = (repository: string, type: 'index' | 'snapshots') => idsOf(repository, type)[0] as string;

export const HARMS: readonly Harm[] = [
  { name: 'nothing', clean: true, apply: () => undefined },
  {
    name: 'a missing data pack',
    slowInOldRestic: 'minute',
    apply: ({ repository, dataPack }) => removeFile(repository, { type: 'data', id: dataPack }),
  },
  {
    name: 'a missing tree pack',
    slowInOldRestic: 'minutes',
    apply: ({ repository, treePack }) => removeFile(repository, { type: 'data', id: treePack }),
  },
  {
    name: 'a flipped bit in a data pack',
    apply: ({ repository, dataPack }) => flipByte(repository, { type: 'data', id: dataPack }),
  },
  {
    name: 'a flipped bit in a tree pack',
    slowInOldRestic: 'minutes',
    apply: ({ repository, treePack }) =>
      flipByte(repository, { type: 'data', id: treePack }, { fraction: 0.1 }),
  },
  {
    name: "a flipped bit in a pack's header",
    apply: ({ repository, dataPack }) =>
      flipByte(repository, { type: 'data', id: dataPack }, { fromEnd: 10 }),
  },
  {
    name: 'a data pack cut in half',
    slowInOldRestic: 'minute',
    apply: ({ repository, dataPack }) => truncate(repository, { type: 'data', id: dataPack }),
  },
  {
    name: 'an empty data pack',
    slowInOldRestic: 'minute',
    apply: ({ repository, dataPack }) => truncate(repository, { type: 'data', id: dataPack }, 0),
  },
  {
    name: 'a data pack of random bytes',
    apply: ({ repository, dataPack }) => garbage(repository, { type: 'data', id: dataPack }),
  },
  {
    name: 'a stray file among the packs',
    clean: true,
    apply: ({ repository }) => {
      addGarbageFile(repository, 'data');
      return undefined;
    },
  },
  {
    name: 'a flipped bit in an index',
    apply: ({ repository }) => flipByte(repository, { type: 'index', id: at(repository, 'index') }),
  },
  {
    name: 'an empty index file',
    apply: ({ repository }) => truncate(repository, { type: 'index', id: at(repository, 'index') }, 0),
  },
  {
    name: 'one index missing',
    apply: ({ repository }) => {
      removeIndex(repository, 0);
      return undefined;
    },
  },
  {
    name: 'no index at all',
    apply: ({ repository }) => {
      removeIndex(repository, 'all');
      return undefined;
    },
  },
  {
    name: 'a flipped bit in a snapshot',
    apply: ({ repository }) => flipByte(repository, { type: 'snapshots', id: at(repository, 'snapshots') }),
  },
  {
    name: 'an empty snapshot file',
    apply: ({ repository }) =>
      truncate(repository, { type: 'snapshots', id: at(repository, 'snapshots') }, 0),
  },
  {
    name: 'a stray file among the snapshots',
    apply: ({ repository }) => addGarbageFile(repository, 'snapshots'),
  },
];
