/** What `find` prints: lines by snapshot, or restic's one JSON list. */
import { parseJson } from '../format/go-json.ts';
import { serializeNode } from '../format/node.ts';
import type { StoredSnapshot } from '../format/types.ts';
import type { FoundObject } from '../operations/find.ts';
import type { WalkedNode } from '../operations/walk.ts';
import type { CommandContext } from './context.ts';
import { jsonText } from './json-lines.ts';
import { goText, type NodeLineOptions, nodeLine, permissionsOf } from './node-text.ts';
import { writeLine } from './output.ts';
import { shortId } from './snapshot-table.ts';
import { printable } from './text-width.ts';
import { formatLocalTime } from './time-format.ts';

export interface FindOutput {
  node(item: WalkedNode, snapshot: StoredSnapshot): Promise<void>;
  object(found: FoundObject): Promise<void>;
  end(): Promise<void>;
}

export function findOutput(context: CommandContext, o: NodeLineOptions): FindOutput {
  return context.globals.json ? jsonOutput(context) : textOutput(context, o);
}

function textOutput({ print, terminal }: CommandContext, o: NodeLineOptions): FindOutput {
  const { stdout } = terminal;
  let current: StoredSnapshot | undefined;
  return {
    async node(item, snapshot) {
      if (snapshot !== current) {
        if (current) print.say('');
        current = snapshot;
        print.say(`in snapshot ${shortId(snapshot.id)} of ${formatLocalTime(snapshot.time)}:`);
      }
      await writeLine(stdout, nodeLine(item, o));
    },
    async object({ kind, id, path, parentTree, snapshot }) {
      const name = printable(goText(path));
      await writeLine(stdout, `Found ${kind} ${id}`);
      await writeLine(stdout, kind === 'blob' ? ` ... in file ${name}` : ` ... at ${name}`);
      if (parentTree !== undefined) await writeLine(stdout, `     (tree ${parentTree})`);
      await writeLine(stdout, ` ... in snapshot ${shortId(snapshot.id)} (${formatLocalTime(snapshot.time)})`);
    },
    async end() {},
  };
}

/** One list, written as it grows: of snapshots with their matches, or of objects. */
function jsonOutput({ terminal }: CommandContext): FindOutput {
  const { stdout } = terminal;
  let current: StoredSnapshot | undefined;
  let hits = 0;
  let begun = false;
  const write = async (text: string) => {
    if (!stdout.write(text)) await stdout.drained();
  };
  const close = () => (current ? `],"hits":${hits},"snapshot":"${current.id}"}` : '');
  const open = () => {
    const text = begun ? '' : '[';
    begun = true;
    return text;
  };
  return {
    async node(item, snapshot) {
      let text = open();
      if (snapshot !== current) {
        text += `${current ? `${close()},` : ''}{"matches":[`;
        [current, hits] = [snapshot, 0];
      }
      await write(`${text}${hits++ > 0 ? ',' : ''}${jsonText(foundNodeJson(item))}`);
    },
    object: (found) => write(`${open()}${hits++ > 0 ? ',' : ''}${jsonText(objectJson(found))}`),
    end: () => write(begun ? `${close()}]\n` : '[]\n'),
  };
}

/** The node as it is stored, without what only a restore needs. */
function foundNodeJson({ path, node }: WalkedNode) {
  const stored = parseJson(Buffer.from(serializeNode(node)), 'an entry') as Readonly<Record<string, unknown>>;
  const {
    name: _name,
    extended_attributes: _attributes,
    generic_attributes: _generic,
    device: _device,
    content: _content,
    subtree: _subtree,
    ...kept
  } = stored;
  return { path: goText(path), permissions: permissionsOf(node), ...kept };
}

function objectJson({ kind, id, path, parentTree, snapshot }: FoundObject) {
  return {
    object_type: kind,
    id,
    path: goText(path),
    parent_tree: parentTree,
    snapshot: snapshot.id,
    time: snapshot.time,
  };
}
