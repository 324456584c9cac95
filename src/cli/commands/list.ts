import { EngineError } from '../../api/errors.ts';
import type { FileType, Id } from '../../format/types.ts';
import type { IndexedRepository } from '../../repository/repository.ts';
import { findSnapshot } from '../../repository/snapshot-filter.ts';
import { markUsedBlobs, newMarks } from '../../repository/used-blobs.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { parseChoice } from '../options.ts';
import { type Session, withRepository } from '../session.ts';

const WHAT = ['blobs', 'packs', 'index', 'snapshots', 'keys', 'locks'] as const;

const FILE_TYPES = {
  packs: 'pack',
  index: 'index',
  snapshots: 'snapshot',
  keys: 'key',
  locks: 'lock',
} as const satisfies Record<Exclude<(typeof WHAT)[number], 'blobs'>, FileType>;

export const command = defineCommand({
  usage: `[flags] ${WHAT.join('|')}, or packs snapshotID`,
  description: `Lists the objects of one kind that are in the repository, an id a line. "packs" with a snapshot lists the
packs that this snapshot needs.`,
  options: {},
  operands: { least: 1, most: 2 },
  async run(context, [word = '', snapshot]) {
    const what = parseChoice(word, WHAT);
    if (snapshot !== undefined && what !== 'packs') {
      throw new EngineError('usage', `\`list ${what}\` takes no further operand.`);
    }
    // A list of locks that shows the lister's own would only confuse.
    const lock = what === 'locks' ? 'none' : 'shared';
    await withRepository(context, { lock }, (session) => {
      if (what === 'blobs') return listBlobs(context, session);
      if (snapshot !== undefined) return listPacksOf(context, session, snapshot);
      return listFiles(context, session, FILE_TYPES[what]);
    });
  },
});

async function listFiles(context: CommandContext, { repo, signal }: Session, type: FileType): Promise<void> {
  for await (const { name } of repo.files.list(type, { signal })) await line(context, name);
}

async function listBlobs(context: CommandContext, { repo, signal }: Session): Promise<void> {
  const { index } = await repo.loadIndex({ signal });
  for (const { type, id } of index) {
    signal.throwIfAborted();
    await line(context, `${type} ${id}`);
  }
}

async function listPacksOf(
  context: CommandContext,
  { repo, signal, snapshots }: Session,
  reference: string,
): Promise<void> {
  const { snapshot } = findSnapshot(await snapshots(), reference);
  const indexed = await repo.loadIndex({ signal });
  const marks = newMarks(indexed);
  await markUsedBlobs(indexed, [snapshot.tree], marks, { signal });
  for (const pack of packsOf(indexed, marks)) await line(context, pack);
}

/** Packs with a copy of a marked blob, sorted. */
function packsOf({ index }: IndexedRepository, marks: Uint8Array): readonly Id[] {
  const packs = new Set<Id>();
  for (let entry = 0; entry < index.size; entry++) {
    if (marks[index.firstOf(entry)] === 1) packs.add(index.packs[index.packNumberOf(entry)]!);
  }
  return [...packs].sort();
}

/** No faster than the reader takes them: there may be millions. */
async function line({ terminal }: CommandContext, text: string): Promise<void> {
  if (!terminal.stdout.write(`${text}\n`)) await terminal.stdout.drained();
}
