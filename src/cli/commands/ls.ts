import { EngineError } from '../../api/errors.ts';
import type { StoredSnapshot } from '../../format/types.ts';
import { type LsEvents, ls, SORT_KEYS, type SortKey, sortNodes } from '../../operations/ls.ts';
import type { WalkedNode } from '../../operations/walk.ts';
import { findSnapshot } from '../../repository/snapshot-filter.ts';
import { findFolder } from '../../restorer/find-tree.ts';
import { argumentBytes } from '../arguments.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { damageReporter } from '../damage.ts';
import { EXIT } from '../exit-codes.ts';
import { NCDU_END, ncduHead, ncduNode } from '../ncdu.ts';
import { nodeJson, nodeLine } from '../node-text.ts';
import { choice, flag } from '../options.ts';
import { writeLine } from '../output.ts';
import { withRepository } from '../session.ts';
import { snapshotFilter, snapshotFilterOptions } from '../snapshot-flags.ts';
import { shortId, snapshotJson } from '../snapshot-table.ts';
import { printable } from '../text-width.ts';
import { formatLocalTime } from '../time-format.ts';

const options = {
  ...snapshotFilterOptions(),
  long: flag('-l, --long', 'with mode, owner, size and time'),
  recursive: flag('--recursive', 'also what is in subfolders of the named folders'),
  humanReadable: flag('--human-readable', 'sizes with units'),
  ncdu: flag('--ncdu', 'the format that `ncdu -f -` reads'),
  sort: choice('-s, --sort key', `order by one of ${SORT_KEYS.join(', ')}`, SORT_KEYS, 'name'),
  reverse: flag('--reverse', 'in the opposite order'),
};

interface Values {
  readonly long: boolean;
  readonly humanReadable: boolean;
  readonly ncdu: boolean;
  readonly sort: SortKey;
  readonly reverse: boolean;
}

export const command = defineCommand({
  usage: '[flags] snapshotID [folder …]',
  description: `Lists the files and folders of a snapshot: all of them, or those in the named folders.

The snapshot is an id or "latest"; "id:folder" begins at a folder. Folders are absolute paths inside of the
snapshot.`,
  options,
  operands: { least: 1, most: Number.POSITIVE_INFINITY },
  async run(context, [reference = '', ...folders], values) {
    refuseContradictions(context, values, folders);
    const { recursive } = values;
    const damaged = await withRepository(context, { lock: 'shared', index: true }, async (session) => {
      const { indexed, signal, snapshots } = session;
      const filter = snapshotFilter(values, context.env);
      const { snapshot, subfolder } = findSnapshot(await snapshots(), reference, filter);
      const tree = await findFolder(indexed, snapshot.tree, argumentBytes(subfolder), { signal });
      const writer = writerFor(context, values, folders);
      const damage = damageReporter(context);
      const events = { ...writer, onDamaged: damage.report };
      await writer.begin({ ...snapshot, tree });
      await ls(indexed, tree, events, { folders: folders.map(argumentBytes), recursive, signal });
      await writer.end();
      return damage.count();
    });
    return damaged > 0 ? EXIT.fatal : undefined;
  },
});

function refuseContradictions({ globals }: CommandContext, values: Values, folders: readonly string[]): void {
  const usage = (message: string) => new EngineError('usage', message);
  if (values.ncdu && globals.json) throw usage('--json and --ncdu contradict each other.');
  if (values.ncdu && (values.sort !== 'name' || values.reverse)) {
    throw usage('--ncdu has an order of its own: leave out --sort and --reverse.');
  }
  const relative = folders.find((folder) => !folder.startsWith('/'));
  if (relative !== undefined) throw usage(`The folder ${relative} must be absolute: begin it with a slash.`);
}

/** One of the forms of the list. */
interface ListWriter extends Pick<LsEvents, 'onNode' | 'onLeave'> {
  begin(snapshot: StoredSnapshot): void | Promise<void>;
  end(): void | Promise<void>;
}

function writerFor(context: CommandContext, values: Values, folders: readonly string[]): ListWriter {
  if (values.ncdu) return ncduWriter(context);
  const writer = context.globals.json ? jsonWriter(context) : textWriter(context, values, folders);
  return values.sort === 'name' && !values.reverse ? writer : sorted(writer, values);
}

function textWriter(context: CommandContext, o: Values, folders: readonly string[]): ListWriter {
  const { print, terminal } = context;
  return {
    begin({ id, paths, time, hostname = '' }) {
      const shown = [...paths].map(printable).join(' ');
      const filter = folders.length === 0 ? '' : `, only ${folders.map(printable).join(' ')}`;
      print.say(
        `snapshot ${shortId(id)} of ${shown} at ${formatLocalTime(time)} by ${printable(hostname)}${filter}:`,
      );
    },
    async onNode(item, leading) {
      if (!leading) await writeLine(terminal.stdout, nodeLine(item, o));
    },
    end() {},
  };
}

function jsonWriter({ json }: CommandContext): ListWriter {
  return {
    begin: (snapshot) =>
      json.write({ ...snapshotJson(snapshot), message_type: 'snapshot', struct_type: 'snapshot' }),
    async onNode(item, leading) {
      if (!leading) await json.write(nodeJson(item));
    },
    end() {},
  };
}

/** Holds all nodes until the last is known. */
function sorted(writer: ListWriter, o: Values): ListWriter {
  const items: WalkedNode[] = [];
  return {
    begin: (snapshot) => writer.begin(snapshot),
    onNode(item, leading) {
      if (!leading) items.push(item);
    },
    async end() {
      for (const item of sortNodes(items, o.sort, o.reverse)) await writer.onNode(item, false);
      await writer.end();
    },
  };
}

function ncduWriter({ terminal }: CommandContext): ListWriter {
  const { stdout } = terminal;
  let depth = 1;
  const indent = (n: number) => '  '.repeat(n);
  return {
    begin: (snapshot) => void stdout.write(ncduHead(snapshot)),
    async onNode({ node }) {
      const text =
        node.type === 'dir'
          ? `,\n${indent(depth)}[\n${indent(depth + 1)}${ncduNode(node)}`
          : `,\n${indent(depth)}${ncduNode(node)}`;
      if (node.type === 'dir') depth++;
      if (!stdout.write(text)) await stdout.drained();
    },
    onLeave() {
      depth--;
      stdout.write(`\n${indent(depth)}]`);
    },
    end: () => void stdout.write(NCDU_END),
  };
}
