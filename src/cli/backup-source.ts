/** What a backup is asked to read: files and folders, standard input, or what a command prints. */
import { spawn } from 'node:child_process';
import process from 'node:process';
import type { Readable } from 'node:stream';
import { EngineError, messageOf } from '../api/errors.ts';
import type { RootNode } from '../archiver/archiver.ts';
import { buildRoots } from '../archiver/roots.ts';
import { type StreamSource, streamPath } from '../archiver/stream.ts';
import { absolutePath, collectTargets, snapshotPaths } from '../archiver/targets.ts';
import { identity } from '../fs/platform.ts';
import { groupName, userName } from '../fs/users.ts';
import { type ByteString, fromText, toText } from '../util/byte-string.ts';
import { cleanPath } from '../util/pattern.ts';
import { argumentBytes } from './arguments.ts';
import type { CommandContext } from './context.ts';
import { comesFromStdin } from './password.ts';

export interface SourceFlags {
  readonly filesFrom: readonly string[];
  readonly filesFromVerbatim: readonly string[];
  readonly filesFromRaw: readonly string[];
  readonly stdin: boolean;
  readonly stdinFilename: string;
  readonly stdinFromCommand: boolean;
}

export interface FileSource {
  readonly kind: 'files';
  readonly roots: RootNode;
  /** With the targets that are missing, to find out whether the last backup had them. */
  readonly wanted: RootNode;
  /** Absolute. */
  readonly targets: readonly ByteString[];
  /** As they stand in the snapshot. */
  readonly paths: readonly string[];
  readonly missing: readonly string[];
}

export interface StdinSource {
  readonly kind: 'stream';
  readonly paths: readonly string[];
  /** Called once the repository is open: a command must not run in vain. */
  open(timeMs: number, signal: AbortSignal): StreamSource;
}

/** Errors: 'usage', 'source-missing'. What is missing among several targets is told and left out. */
export async function sourceOf(
  context: CommandContext,
  operands: readonly string[],
  flags: SourceFlags,
): Promise<FileSource | StdinSource> {
  const lists = [...flags.filesFrom, ...flags.filesFromVerbatim, ...flags.filesFromRaw];
  await refuseContradictions(context, operands, flags, lists);
  if (flags.stdin || flags.stdinFromCommand) return streamFrom(context, operands, flags);
  const stdin = lists.includes('-') ? await readAll(context.terminal.input.raw) : undefined;
  return filesFrom(context, operands, flags, stdin);
}

async function refuseContradictions(
  context: CommandContext,
  operands: readonly string[],
  flags: SourceFlags,
  lists: readonly string[],
): Promise<void> {
  const usage = (message: string, hint?: string) =>
    new EngineError('usage', message, hint === undefined ? {} : { hint });
  if (flags.stdin || flags.stdinFromCommand) {
    if (lists.length > 0) throw usage('Lists of files and --stdin contradict each other.');
    if (flags.stdinFromCommand && operands.length === 0) {
      throw usage(
        '--stdin-from-command needs a command.',
        'Write it after two dashes: -- command argument …',
      );
    }
    if (!flags.stdinFromCommand && operands.length > 0) {
      throw usage('Files and folders are named, but --stdin says to read from standard input.');
    }
  }
  const readsStdin = (flags.stdin && !flags.stdinFromCommand) || lists.includes('-');
  const passwordToo = comesFromStdin(context.globals.access, context.terminal);
  if (readsStdin && passwordToo && (await context.location()) !== undefined) {
    throw usage(
      'The password and the data can not both come from standard input.',
      'Give the password with --password-file, --password-command or HOLDFAST_PASSWORD.',
    );
  }
}

function filesFrom(
  context: CommandContext,
  operands: readonly string[],
  flags: SourceFlags,
  stdin: Uint8Array | undefined,
): FileSource {
  const cwd = fromText(process.cwd());
  const { filesFrom, filesFromVerbatim, filesFromRaw } = flags;
  const found = collectTargets({
    paths: operands.map(argumentBytes),
    filesFrom,
    filesFromVerbatim,
    filesFromRaw,
    ...(stdin === undefined ? {} : { stdin }),
    cwd,
  });
  for (const pattern of found.unmatched) context.print.problem(`No file answers to "${pattern}".`);
  const missing = found.missing.map(({ path }) => path);
  const roots = buildRoots(found.targets, cwd);
  return {
    kind: 'files',
    roots,
    wanted: missing.length === 0 ? roots : buildRoots([...found.targets, ...missing], cwd),
    targets: found.targets.map((target) => absolutePath(target, cwd)),
    paths: snapshotPaths(found.targets, cwd),
    missing: found.missing.map(({ error }) => `${error.message} It is left out.`),
  };
}

async function readAll(stream: Readable): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of stream) parts.push(part as Uint8Array);
  return Buffer.concat(parts);
}

function streamFrom(context: CommandContext, command: readonly string[], flags: SourceFlags): StdinSource {
  const filename = cleanPath(streamPath(argumentBytes(flags.stdinFilename)));
  if (filename === '/') throw new EngineError('usage', '--stdin-filename must name a file.');
  return {
    kind: 'stream',
    paths: [toText(filename)],
    open(timeMs, signal) {
      const { uid = 0, gid = 0 } = identity();
      const owner = { uid, gid, user: userName(uid), group: groupName(gid) };
      const stream = flags.stdinFromCommand
        ? outputOf(command, signal)
        : { stream: context.terminal.input.raw };
      return { ...stream, ...owner, filename, timeMs };
    },
  };
}

/** What the command prints. Its complaints go to our stderr. */
function outputOf(
  [program = '', ...args]: readonly string[],
  signal: AbortSignal,
): Pick<StreamSource, 'stream' | 'ended'> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], signal, windowsHide: true });
  const fail = (why: string) => new EngineError('io', `The command ${program} ${why}. Nothing was saved.`);
  const ended = new Promise<void>((resolve, reject) => {
    child.on('error', (e) => reject(signal.aborted ? signal.reason : fail(`can't be run: ${messageOf(e)}`)));
    child.on('close', (code, killer) => {
      if (code === 0) resolve();
      else reject(fail(code === null ? `was ended by ${killer}` : `failed with exit code ${code}`));
    });
  });
  // Awaited only when the stream has ended; until then a failure is nobody's fault.
  ended.catch(() => {});
  return { stream: child.stdout, ended };
}
