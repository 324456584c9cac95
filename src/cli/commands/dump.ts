import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { rename, rm } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { EngineError } from '../../api/errors.ts';
import { showPath, translateFsError } from '../../fs/errors.ts';
import { ARCHIVE_FORMATS, dump } from '../../operations/dump.ts';
import { findSnapshot } from '../../repository/snapshot-filter.ts';
import { argumentBytes } from '../arguments.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { choice, text } from '../options.ts';
import { withRepository } from '../session.ts';
import { snapshotFilter, snapshotFilterOptions } from '../snapshot-flags.ts';

export const command = defineCommand({
  usage: '[flags] snapshotID[:subfolder] path',
  description: `Writes a file of a snapshot to the standard output, or a folder as an archive.

"/" is the whole snapshot. An archive is not written to a terminal; send it to a file, or name one with --target.`,
  options: {
    ...snapshotFilterOptions(),
    archive: choice(
      '-a, --archive format',
      'form of a folder: tar or zip (default: tar)',
      ARCHIVE_FORMATS,
      'tar',
    ),
    target: text('-t, --target file', 'write to this file instead of the standard output'),
  },
  operands: { least: 2, most: 2 },
  async run(context, [reference, path], flags) {
    await withRepository(context, { lock: 'shared', index: true }, async ({ indexed, signal, snapshots }) => {
      const { snapshot, subfolder } = findSnapshot(
        await snapshots(),
        reference!,
        snapshotFilter(flags, context.env),
      );
      await withOutput(flags.target, async (out) => {
        await dump(indexed, snapshot, {
          path: argumentBytes(path!),
          subfolder: argumentBytes(subfolder === '' ? '/' : subfolder),
          format: flags.archive,
          out,
          signal,
          onArchive: () => refuseTerminal(context, flags.target),
          onRefused: (at, error) => context.print.problem(`left out ${showPath(at)}: ${error.message}`),
        });
      });
    });
  },
});

function refuseTerminal({ terminal }: CommandContext, target: string | undefined): void {
  if (target !== undefined || !terminal.stdout.isTerminal) return;
  throw new EngineError('usage', 'An archive would only fill the terminal with signs.', {
    hint: 'Send the output to a file, or name one with --target.',
  });
}

/** A file gets its name only when all of it has been written. */
async function withOutput(target: string | undefined, work: (out: Writable) => Promise<void>): Promise<void> {
  if (target === undefined) return work(process.stdout);
  const part = `${target}.part`;
  const file = createWriteStream(part, { flush: true });
  try {
    await once(file, 'open');
    await work(file);
    file.end();
    await once(file, 'close');
    await rename(part, target);
  } catch (e) {
    file.destroy();
    await rm(part, { force: true });
    throw translateFsError(e, argumentBytes(target), 'write');
  }
}
