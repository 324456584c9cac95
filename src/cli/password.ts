/**
 * Where a password comes from, in restic's order: a command, a file, the variable, a person at the terminal, the
 * next line of stdin. A password is never part of a message.
 */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { EngineError, messageOf } from '../api/errors.ts';
import type { Access } from './globals.ts';
import { shellWords } from './shell-words.ts';
import type { Terminal } from './terminal.ts';
import { decodeText, reasonOf } from './text-file.ts';

export interface PasswordIo {
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

type Secret = Pick<Access, 'password' | 'passwordFile' | 'passwordCommand' | 'insecureNoPassword'>;

/** How often a person may try: only what was typed can be typed better. */
export const PROMPT_TRIES = 3;

/** Nothing but a person can say it. */
export function isPrompted(access: Secret, terminal: Terminal): boolean {
  return !isConfigured(access) && !access.insecureNoPassword && terminal.isInteractive;
}

/** It will be read from stdin, which is then no source of data. */
export function comesFromStdin(access: Secret, terminal: Terminal): boolean {
  return !isConfigured(access) && !access.insecureNoPassword && !terminal.isInteractive;
}

function isConfigured(access: Secret): boolean {
  return (
    access.password !== undefined || access.passwordFile !== undefined || access.passwordCommand !== undefined
  );
}

/** Errors: 'usage' where nothing usable comes from the source, 'cancelled' where the person gave up. */
export async function readPassword(
  access: Secret,
  io: PasswordIo,
  prompt = 'Password of the repository: ',
): Promise<string> {
  if (access.insecureNoPassword) {
    if (!isConfigured(access)) return '';
    throw new EngineError('usage', '--insecure-no-password is given together with a password.', {
      hint: 'Leave out one of them.',
    });
  }
  if (access.passwordCommand !== undefined) return passwordOfCommand(access.passwordCommand, io.signal);
  if (access.passwordFile !== undefined) return passwordOfFile(access.passwordFile, io.signal);
  return access.password ?? askPassword(io, prompt);
}

/** For a repository or a key to be made: whoever types it types it twice. */
export async function readNewPassword(
  access: Secret,
  io: PasswordIo,
  prompt = 'Password for the new repository: ',
): Promise<string> {
  const first = await readPassword(access, io, prompt);
  if (!isPrompted(access, io.terminal)) return first;
  const second = await askPassword(io, 'The same password again: ');
  if (first !== second) {
    throw new EngineError('usage', 'The two passwords are not the same.', { hint: 'Try again.' });
  }
  return first;
}

async function askPassword(io: PasswordIo, prompt: string): Promise<string> {
  const { terminal, signal } = io;
  if (!terminal.isInteractive && terminal.stdout.isTerminal)
    terminal.print('Reading the password from stdin.');
  terminal.setStatus([]);
  const typed = await terminal.input.readSecret(prompt, signal);
  signal.throwIfAborted();
  if (typed !== undefined && typed !== '') return typed;
  throw new EngineError('usage', typed === undefined ? 'No password was given.' : 'The password is empty.', {
    hint: 'Give it with --password-file, --password-command or HOLDFAST_PASSWORD; a repository without a password needs --insecure-no-password.',
  });
}

/** Go's idea of white space, which is trimmed at both ends; unlike JavaScript's it leaves U+FEFF alone. */
const MARGINS =
  /^[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+|[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$/g;

function trimmed(text: string, source: string): string {
  const password = text.replace(MARGINS, '');
  if (password === '') throw new EngineError('usage', `There is no password in ${source}.`);
  return password;
}

async function passwordOfFile(path: string, signal: AbortSignal): Promise<string> {
  const source = `the password file ${path}`;
  const bytes = await readFile(path, { signal }).catch((e: unknown) => {
    signal.throwIfAborted();
    throw new EngineError('usage', `${capital(source)} can't be read: ${reasonOf(e)}`, {}, { cause: e });
  });
  return trimmed(asText(bytes, source), source);
}

async function passwordOfCommand(command: string, signal: AbortSignal): Promise<string> {
  const source = "the password command's output";
  return trimmed(asText(await outputOf(shellWords(command), signal), source), source);
}

function asText(bytes: Uint8Array, source: string): string {
  try {
    return decodeText(bytes, { fatal: true });
  } catch {
    throw new EngineError('usage', `${capital(source)} is not text in UTF-8.`);
  }
}

/** What the program prints; its complaints go to our stderr. */
function outputOf(words: readonly [string, ...string[]], signal: AbortSignal): Promise<Uint8Array> {
  const [program, ...args] = words;
  const fail = (why: string) => new EngineError('usage', `The password command ${program} ${why}.`);
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], signal, windowsHide: true });
    const chunks: Uint8Array[] = [];
    child.stdout.on('data', (chunk: Uint8Array) => chunks.push(chunk));
    child.on('error', (e) => reject(signal.aborted ? signal.reason : fail(`can't be run: ${messageOf(e)}`)));
    child.on('close', (code, killer) => {
      if (code === 0) resolve(Buffer.concat(chunks));
      else reject(fail(code === null ? `was ended by ${killer}` : `failed with exit code ${code}`));
    });
  });
}

function capital(sentence: string): string {
  return sentence.charAt(0).toUpperCase() + sentence.slice(1);
}
