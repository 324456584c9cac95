/** A folder of its own for each test, as bytes, and what its file system and user can do. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { isEngineError } from '../../../src/api/errors.ts';
import { readXattrs, setXattrs } from '../../../src/fs/xattr.ts';
import {
  type ByteString,
  fromText,
  joinPath,
  rawByteString,
  toBytes,
} from '../../../src/util/byte-string.ts';

export const root = process.geteuid?.() === 0;
export const linux = process.platform === 'linux';
export const windows = process.platform === 'win32';

export interface Scratch {
  /** The folder as text. */
  readonly text: string;
  readonly path: ByteString;
  /** The path of a name in it. */
  at(name: string): ByteString;
  /** A new file with that name. */
  file(name: string, content?: string | Uint8Array): ByteString;
}

export function scratch(): Scratch {
  const text = mkdtempSync(path.join(tmpdir(), 'holdfast-fs-'));
  onTestFinished(() => rmSync(text, { recursive: true, force: true }));
  const at = (name: string) => joinPath(fromText(text), fromText(name));
  const file = (name: string, content: string | Uint8Array = '') => {
    writeFileSync(toBytes(at(name)), content);
    return at(name);
  };
  return { text, path: fromText(text), at, file };
}

export const bytes = (...values: number[]) => rawByteString(String.fromCharCode(...values));

/** Why extended attributes of this prefix can't be tried on `file`; undefined if they can. */
export function lackOfXattrs(file: ByteString, prefix = 'user'): string | undefined {
  const name = fromText(`${prefix}.holdfast-probe`);
  const [failure] = setXattrs(file, [{ name, value: Buffer.from('x') }]);
  if (failure !== undefined) return failure.message;
  const present = readXattrs(file).attributes.some((a) => a.name === name);
  setXattrs(file, []);
  return present ? undefined : 'the attribute was not kept';
}

/** The code of the EngineError that `act` throws, or what else happened. */
export function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (e) {
    return isEngineError(e) ? e.code : `another error: ${String(e)}`;
  }
  return 'no error';
}
