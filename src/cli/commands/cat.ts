import { EngineError } from '../../api/errors.ts';
import { serializeConfig } from '../../format/config.ts';
import { sha256 } from '../../format/hash.ts';
import { serializeKeyFile, serializeMasterKey } from '../../format/key.ts';
import { parseLock, serializeLock } from '../../format/lock.ts';
import { serializeSnapshot } from '../../format/snapshot.ts';
import { type FileType, type Id, isId } from '../../format/types.ts';
import { loadKeyFile } from '../../repository/keys.ts';
import type { Repository } from '../../repository/repository.ts';
import { findSnapshot } from '../../repository/snapshot-filter.ts';
import { findFolder } from '../../restorer/find-tree.ts';
import { argumentBytes } from '../arguments.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { indentJson } from '../json-indent.ts';
import { parseChoice } from '../options.ts';
import { type Session, withRepository } from '../session.ts';

const WHAT = ['config', 'index', 'snapshot', 'key', 'masterkey', 'lock', 'pack', 'blob', 'tree'] as const;
type What = (typeof WHAT)[number];

export const command = defineCommand({
  usage: '[flags] masterkey|config|{pack|blob|snapshot|index|key|lock} ID|tree snapshotID:folder',
  description: `Prints an object of the repository as it is stored, opened and unfolded: JSON as text, packs and blobs as
bytes. Whoever has the master key can read the whole repository.`,
  options: {},
  operands: { least: 1, most: 2 },
  async run(context, [word = '', id]) {
    const what = parseChoice(word, WHAT);
    if (id === undefined && what !== 'masterkey' && what !== 'config') {
      throw new EngineError('usage', `\`cat ${what}\` needs an id.`);
    }
    await withRepository(context, { lock: 'shared' }, (session) => cat(context, session, what, id ?? ''));
  },
});

async function cat(context: CommandContext, session: Session, what: What, id: string): Promise<void> {
  const { repo, signal } = session;
  const json = (bytes: Uint8Array) => context.print.result(indentJson(Buffer.from(bytes).toString()));
  switch (what) {
    case 'config':
      return json(serializeConfig(repo.config));
    case 'masterkey':
      return json(serializeMasterKey(repo.key.master));
    case 'key':
      return json(
        serializeKeyFile(await loadKeyFile(repo.backend, await resolve(session, 'key', id), { signal })),
      );
    case 'lock': {
      const content = await repo.files.load('lock', await resolve(session, 'lock', id), { signal });
      return json(serializeLock(parseLock(content)));
    }
    case 'snapshot': {
      const { id: _, ...snapshot } = findSnapshot(await session.snapshots(), id).snapshot;
      return json(serializeSnapshot(snapshot));
    }
    case 'index': {
      const content = await repo.files.load('index', await resolve(session, 'index', id), { signal });
      return context.print.result(Buffer.from(content).toString());
    }
    case 'pack':
      return catPack(context, session, await resolve(session, 'pack', id));
    case 'blob':
      return raw(context, await loadBlob(repo, id, signal));
    case 'tree':
      return raw(context, await loadFolder(session, id));
  }
}

/** A damaged pack is printed all the same: whoever asks for it may want to look into it. */
async function catPack(context: CommandContext, { repo, signal }: Session, id: Id): Promise<void> {
  const content = await repo.backend.load({ type: 'pack', name: id }, { signal });
  const actual = sha256(content);
  if (actual !== id) context.print.problem(`The pack is damaged: the hash of its content is ${actual}.`);
  await raw(context, content);
}

async function loadBlob(repo: Repository, id: string, signal: AbortSignal): Promise<Uint8Array> {
  if (!isId(id)) throw new EngineError('usage', `"${id}" is not the whole id of a blob.`);
  const indexed = await repo.loadIndex({ signal });
  const type = (['data', 'tree'] as const).find((t) => indexed.index.has(t, id));
  if (type === undefined) {
    throw new EngineError('not-found', `Blob ${id} is in no pack that the index knows.`);
  }
  return indexed.loadBlob(type, id, { signal });
}

async function loadFolder({ repo, signal, snapshots }: Session, reference: string): Promise<Uint8Array> {
  const { snapshot, subfolder } = findSnapshot(await snapshots(), reference);
  const indexed = await repo.loadIndex({ signal });
  const tree = await findFolder(indexed, snapshot.tree, argumentBytes(subfolder), { signal });
  return indexed.loadBlob('tree', tree, { signal });
}

/** The whole id from its beginning. Errors: 'usage', 'not-found', 'ambiguous'. */
async function resolve({ repo, signal }: Session, type: FileType, prefix: string): Promise<Id> {
  if (isId(prefix)) return prefix;
  if (!/^[0-9a-f]+$/.test(prefix)) throw new EngineError('usage', `"${prefix}" is not an id.`);
  const found = (await repo.files.ids(type, { signal })).filter((id) => id.startsWith(prefix));
  const [first, second] = found;
  if (first === undefined)
    throw new EngineError('not-found', `No ${type} has an id that begins with ${prefix}.`);
  if (second !== undefined) {
    throw new EngineError('ambiguous', `${found.length} ids begin with ${prefix}. Give more of its digits.`);
  }
  return first;
}

async function raw({ terminal }: CommandContext, bytes: Uint8Array): Promise<void> {
  if (!terminal.stdout.write(bytes)) await terminal.stdout.drained();
}
