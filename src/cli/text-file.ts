/** Small text files of the person: UTF-8, or UTF-16 where a byte order mark says so. */
import { readFile, writeFile } from 'node:fs/promises';
import { EngineError, messageOf } from '../api/errors.ts';

/** The text without its byte order mark. Errors: 'usage' with a sentence that says which file and why. */
export async function readTextFile(path: string, signal?: AbortSignal): Promise<string> {
  try {
    return decodeText(await readFile(path, signal === undefined ? {} : { signal }));
  } catch (e) {
    signal?.throwIfAborted();
    throw new EngineError('usage', `The file ${path} can't be read: ${reasonOf(e)}`, {}, { cause: e });
  }
}

/** `fatal` makes bytes that are no text a TypeError; else they become U+FFFD. */
export function decodeText(bytes: Uint8Array, o: { readonly fatal?: boolean } = {}): string {
  const encoding =
    bytes[0] === 0xff && bytes[1] === 0xfe
      ? 'utf-16le'
      : bytes[0] === 0xfe && bytes[1] === 0xff
        ? 'utf-16be'
        : 'utf-8';
  return new TextDecoder(encoding, o).decode(bytes);
}

/** Why a file can't be read, as the end of a sentence. */
export function reasonOf(e: unknown): string {
  const code = e instanceof Error && 'code' in e ? e.code : undefined;
  if (code === 'ENOENT') return 'it does not exist.';
  if (code === 'EACCES' || code === 'EPERM') return 'this user may not read it.';
  if (code === 'EISDIR') return 'it is a folder.';
  return messageOf(e);
}

/** Makes a file that only the person can read. Errors: 'conflict' where there is one already, 'usage', 'no-space'. */
export async function writeNewFile(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { flag: 'wx', mode: 0o600 });
  } catch (e) {
    const code = e instanceof Error && 'code' in e ? e.code : undefined;
    if (code === 'EEXIST') {
      throw new EngineError('conflict', `There is a file ${path} already.`, { hint: 'Name another one.' });
    }
    const kind = code === 'ENOSPC' ? 'no-space' : 'usage';
    throw new EngineError(kind, `The file ${path} can't be written: ${messageOf(e)}`, {}, { cause: e });
  }
}
