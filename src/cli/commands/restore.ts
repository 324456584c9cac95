import path from 'node:path';
import { EngineError } from '../../api/errors.ts';
import { meaningfulLines, readListFile } from '../../archiver/list-file.ts';
import { type RestorePatterns, restore } from '../../operations/restore.ts';
import { type FoundSnapshot, findSnapshot } from '../../repository/snapshot-filter.ts';
import { OVERWRITES, type Ownership } from '../../restorer/options.ts';
import { newRestoreCounters } from '../../restorer/progress.ts';
import { type ByteString, fromText } from '../../util/byte-string.ts';
import { type PatternList, parsePatternBytes } from '../../util/pattern.ts';
import { argumentBytes } from '../arguments.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { EXIT, type ExitCode } from '../exit-codes.ts';
import { choice, flag, list, text, type ValuesOf } from '../options.ts';
import { restoreReporter } from '../restore-report.ts';
import { type IndexedSession, withRepository } from '../session.ts';
import { snapshotFilter, snapshotFilterOptions } from '../snapshot-flags.ts';
import { describeSnapshot } from '../snapshot-table.ts';

const options = {
  ...snapshotFilterOptions(),
  delete: flag(
    '--delete',
    'remove from the target what the snapshot has not; try it with --dry-run -vv first',
  ),
  dryRun: flag('--dry-run', 'write nothing, tell what would be done'),
  exclude: list('-e, --exclude pattern', 'leave out what matches (can be given several times)'),
  excludeFile: list('--exclude-file file', 'read such patterns from a file (can be given several times)'),
  excludeXattr: list('--exclude-xattr pattern', 'leave out extended attributes with such names'),
  iexclude: list('--iexclude pattern', 'the same as --exclude, whatever the case of letters'),
  iexcludeFile: list('--iexclude-file file', 'the same as --exclude-file, whatever the case of letters'),
  iinclude: list('--iinclude pattern', 'the same as --include, whatever the case of letters'),
  iincludeFile: list('--iinclude-file file', 'the same as --include-file, whatever the case of letters'),
  include: list('-i, --include pattern', 'restore only what matches (can be given several times)'),
  includeFile: list('--include-file file', 'read such patterns from a file (can be given several times)'),
  includeXattr: list('--include-xattr pattern', 'restore only extended attributes with such names'),
  noOwner: flag('--no-owner', 'everything belongs to whoever restores it'),
  overwrite: choice(
    '--overwrite rule',
    `what to do with files that are there already, one of ${OVERWRITES.join(', ')} (default: always)`,
    OVERWRITES,
    'always',
  ),
  ownershipByName: flag('--ownership-by-name', 'find owner and group by their names, not their numbers'),
  sparse: flag('--sparse', 'leave holes where files have zeros'),
  target: text('-t, --target folder', 'the folder to restore to'),
  verify: flag('--verify', 'read what was restored once more and compare it'),
};

type Flags = ValuesOf<typeof options>;

export const command = defineCommand({
  usage: '[flags] snapshotID[:subfolder]',
  description: `Restores the files of a snapshot into the folder --target.

"latest" is the newest snapshot that fits --host, --tag and --path. With "snapshotID:subfolder" the content of that
folder comes to lie directly in the target. Files that are there already become as they were: only the parts that
differ are written. What can't be restored is named, the rest is restored all the same, and the exit code is 1.`,
  options,
  operands: { least: 1, most: 1 },
  async run(context, [reference], flags) {
    const target = targetOf(flags);
    const ownership = ownershipOf(flags);
    const patterns = patternsOf(flags);
    return withRepository(context, { lock: 'shared', index: true }, async (session) => {
      const found = findSnapshot(await session.snapshots(), reference!, snapshotFilter(flags, context.env));
      return restoreTo(context, session, found, { target, ownership, patterns, flags });
    });
  },
});

interface Wishes {
  readonly target: ByteString;
  readonly ownership: Ownership;
  readonly patterns: RestorePatterns;
  readonly flags: Flags;
}

async function restoreTo(
  context: CommandContext,
  { indexed, signal }: IndexedSession,
  { snapshot, subfolder }: FoundSnapshot,
  { target, ownership, patterns, flags }: Wishes,
): Promise<ExitCode | undefined> {
  const { clock, print } = context;
  print.say(`restoring ${describeSnapshot(snapshot)} to ${flags.target}`);
  const counters = newRestoreCounters();
  const reporter = restoreReporter(context, counters, flags.dryRun);
  const start = clock.now();
  const progress = context.startProgress(reporter.view);
  const { overwrite, dryRun, verify, sparse } = flags;
  const report = await restore(indexed, snapshot, {
    ...patterns,
    subfolder: argumentBytes(subfolder === '' ? '/' : subfolder),
    target,
    overwrite,
    ownership,
    delete: flags.delete,
    dryRun,
    verify,
    sparse,
    events: reporter.events,
    counters,
    signal,
  }).finally(() => progress.stop());
  await reporter.finish(report, clock.now() - start);
  return report.errors > 0 ? EXIT.fatal : undefined;
}

function targetOf({ target }: Flags): ByteString {
  if (target === undefined || target === '') {
    throw new EngineError('usage', 'Where to restore to is not given.', {
      hint: 'Say it with --target folder.',
    });
  }
  const bytes = argumentBytes(target);
  return path.isAbsolute(target) ? bytes : (`${fromText(process.cwd())}/${bytes}` as ByteString);
}

function ownershipOf({ noOwner, ownershipByName }: Flags): Ownership {
  if (noOwner && ownershipByName) {
    throw new EngineError('usage', '--no-owner and --ownership-by-name contradict each other.');
  }
  return noOwner ? 'keep' : ownershipByName ? 'name' : 'number';
}

function patternsOf(f: Flags): RestorePatterns {
  return {
    include: lists(f.include, f.includeFile, f.iinclude, f.iincludeFile, 'include'),
    exclude: lists(f.exclude, f.excludeFile, f.iexclude, f.iexcludeFile, 'exclude'),
    ...(f.includeXattr.length > 0
      ? { includeXattr: parsePatternBytes(f.includeXattr.map(argumentBytes)) }
      : {}),
    ...(f.excludeXattr.length > 0
      ? { excludeXattr: parsePatternBytes(f.excludeXattr.map(argumentBytes)) }
      : {}),
  };
}

function lists(
  given: readonly string[],
  files: readonly string[],
  anyCase: readonly string[],
  anyCaseFiles: readonly string[],
  what: 'include' | 'exclude',
): PatternList[] {
  const fromFiles = (names: readonly string[], option: string) =>
    names.flatMap((name) => meaningfulLines(readListFile(argumentBytes(name), option)));
  const all = [...given.map(argumentBytes), ...fromFiles(files, `--${what}-file`)];
  const insensitive = [...anyCase.map(argumentBytes), ...fromFiles(anyCaseFiles, `--i${what}-file`)];
  return [parsePatternBytes(all), parsePatternBytes(insensitive, { insensitive: true })];
}
