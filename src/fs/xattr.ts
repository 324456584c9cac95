/**
 * Extended attributes, POSIX ACLs among them (`system.posix_acl_access`, `…_default`). Never through a link.
 * Trees hold them in the order in which the kernel lists them, as restic does: sorting them would change the
 * bytes of a tree and cost deduplication between the two programs.
 */
import { EngineError } from '../api/errors.ts';
import type { ExtendedAttribute } from '../format/types.ts';
import { type ByteString, fromBytes, toText } from '../util/byte-string.ts';
import { errnoName, showPath, translateFsError } from './errors.ts';
import { checked, cName, cPath, type Libc, libc } from './libc.ts';

export interface XattrList {
  readonly attributes: readonly ExtendedAttribute[];
  /** Attributes that are listed but could not be read; they are missing above. */
  readonly warnings: readonly EngineError[];
}

export interface ListXattrsOptions {
  /** Treat a refusal to list as "none": for folders above the source that belong to someone else. */
  readonly ignorePermission?: boolean;
}

export interface SetXattrsOptions {
  /** Attributes for which this is false are neither set nor removed. */
  readonly select?: (name: ByteString) => boolean;
}

const NONE: XattrList = { attributes: [], warnings: [] };

// Some servers (SMB) answer "no such attribute" where they mean "no attributes at all".
const ABSENT: ReadonlySet<string> = new Set(['ENOTSUP', 'EOPNOTSUPP', 'ENODATA', 'ENOATTR']);

// Small at first: the kernel clears a buffer of the size that it is offered, on every call.
let names = Buffer.allocUnsafeSlow(1024);
let value = Buffer.allocUnsafeSlow(1024);
/** Twice what Linux allows for a list; macOS allows values of 64 MiB. */
const MAX_SIZE = 64 * 1024 * 1024;

/** Calls with ever larger buffers until the answer fits with room to spare (macOS cuts off without a word). */
function grow(call: (size: number) => number, size: number, enlarge: (size: number) => void): number {
  for (let room = size; ; ) {
    try {
      const length = call(room);
      if (length < room) return length;
    } catch (e) {
      const name = errnoName(e);
      if ((name !== 'ERANGE' && name !== 'E2BIG') || room >= MAX_SIZE) throw e;
    }
    room = Math.min(room * 8, MAX_SIZE + 1);
    enlarge(room);
  }
}

function listNames(c: Libc, path: ByteString): ByteString[] {
  const where = cPath(path);
  const length = grow(
    (size) => checked(c, 'llistxattr', () => c.listxattr!(where, names, size)),
    names.length,
    (size) => {
      names = Buffer.allocUnsafeSlow(size);
    },
  );
  if (length === 0) return [];
  // Each name ends with a NUL, the last one too.
  return fromBytes(names.subarray(0, length - 1)).split('\0') as ByteString[];
}

function readValue(c: Libc, path: ByteString, name: ByteString): Uint8Array | null {
  const where = cPath(path);
  const key = cName(name);
  try {
    const length = grow(
      (size) => checked(c, 'lgetxattr', () => c.getxattr!(where, key, value, size)),
      value.length,
      (size) => {
        value = Buffer.allocUnsafeSlow(size);
      },
    );
    return new Uint8Array(value.subarray(0, length));
  } catch (e) {
    if (ABSENT.has(errnoName(e))) return null;
    throw e;
  }
}

function isRefusal(e: unknown): boolean {
  const name = errnoName(e);
  return name === 'EPERM' || name === 'EACCES';
}

/**
 * The extended attributes of a file, folder or link. Empty where the file system or the platform has none. Throws
 * when the list can't be read; an attribute that can't be read is a warning. One system call when there are none.
 */
export function readXattrs(path: ByteString, options: ListXattrsOptions = {}): XattrList {
  const c = libc();
  if (c?.listxattr === undefined || c.getxattr === undefined) return NONE;
  let found: ByteString[];
  try {
    found = listNames(c, path);
  } catch (e) {
    if (ABSENT.has(errnoName(e)) || (options.ignorePermission === true && isRefusal(e))) return NONE;
    throw translateFsError(e, path, 'list the extended attributes of');
  }
  return found.length === 0 ? NONE : readValues(c, path, found);
}

function readValues(c: Libc, path: ByteString, found: readonly ByteString[]): XattrList {
  const attributes: ExtendedAttribute[] = [];
  const warnings: EngineError[] = [];
  for (const name of found) {
    try {
      attributes.push({ name, value: readValue(c, path, name) });
    } catch (e) {
      warnings.push(translateFsError(e, path, `read the extended attribute ${showPath(name)} of`));
    }
  }
  return { attributes, warnings };
}

/** `readXattrs` for callers to whom an unreadable attribute is a fault. */
export function listXattrs(path: ByteString): readonly ExtendedAttribute[] {
  const { attributes, warnings } = readXattrs(path);
  if (warnings[0] !== undefined) throw warnings[0];
  return attributes;
}

/**
 * Makes the extended attributes of a file be exactly `attributes`: sets each, then removes all others. Goes on
 * after a failure; returns all failures ('unsupported' where the file system has no such attributes).
 */
export function setXattrs(
  path: ByteString,
  attributes: readonly ExtendedAttribute[],
  options: SetXattrsOptions = {},
): readonly EngineError[] {
  const c = libc();
  if (c?.setxattr === undefined || c.removexattr === undefined) return lackOfXattrs(path, attributes);
  const selected = options.select ?? (() => true);
  const warnings: EngineError[] = [];
  const wanted = new Set<ByteString>();
  for (const { name, value: bytes } of attributes) {
    if (!selected(name)) continue;
    wanted.add(name);
    attempt(warnings, path, `set the extended attribute ${showPath(name)} of`, () =>
      setOne(c, path, name, bytes),
    );
  }
  const superfluous = attempt(warnings, path, 'list the extended attributes of', () => listExisting(c, path));
  for (const name of superfluous ?? []) {
    if (wanted.has(name) || !selected(name)) continue;
    attempt(warnings, path, `remove the extended attribute ${showPath(name)} of`, () =>
      removeOne(c, path, name),
    );
  }
  return warnings;
}

function lackOfXattrs(path: ByteString, attributes: readonly ExtendedAttribute[]): readonly EngineError[] {
  if (attributes.length === 0) return [];
  const list = attributes.map((a) => toText(a.name)).join(', ');
  const message = `Could not set the extended attributes of ${showPath(path)}: this platform has none (${list}).`;
  return [new EngineError('unsupported', message)];
}

function attempt<T>(warnings: EngineError[], path: ByteString, what: string, act: () => T): T | undefined {
  try {
    return act();
  } catch (e) {
    warnings.push(translateFsError(e, path, what));
    return undefined;
  }
}

const EMPTY = Buffer.alloc(1);

function setOne(c: Libc, path: ByteString, name: ByteString, bytes: Uint8Array | null): void {
  const length = bytes?.length ?? 0;
  const data = length === 0 ? EMPTY : Buffer.from(bytes!.buffer, bytes!.byteOffset, length);
  checked(c, 'lsetxattr', () => c.setxattr!(cPath(path), cName(name), data, length));
}

function removeOne(c: Libc, path: ByteString, name: ByteString): void {
  try {
    checked(c, 'lremovexattr', () => c.removexattr!(cPath(path), cName(name)));
  } catch (e) {
    // Removing one ACL may have taken the other along.
    if (!ABSENT.has(errnoName(e))) throw e;
  }
}

function listExisting(c: Libc, path: ByteString): ByteString[] {
  try {
    return listNames(c, path);
  } catch (e) {
    if (ABSENT.has(errnoName(e))) return [];
    throw e;
  }
}
