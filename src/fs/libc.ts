/**
 * The C library, called through `koffi` for what Node's fs lacks. Loaded on first use (about 10 ms), once per
 * thread; where it can't be loaded everything else in this folder falls back or reports a lack.
 *
 * Facts used: struct and constant values of Linux (x86-64, arm64; glibc and musl) and macOS, from their headers.
 */
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import type { ByteString } from '../util/byte-string.ts';
import { SystemError } from './errors.ts';

type PathCall<Rest extends readonly unknown[]> = (path: Buffer, ...rest: Rest) => number;

/** A function is undefined where this C library does not export it. Results and arguments are those of C. */
export interface Libc {
  readonly errno: () => number;
  /** Where a buffer lies in memory. */
  readonly addressOf: (buffer: Buffer) => bigint;
  readonly lstat: PathCall<[out: Buffer]> | undefined;
  readonly getdents64: ((fd: number, out: Buffer, size: number) => number) | undefined;
  readonly listxattr: PathCall<[out: Buffer | null, size: number]> | undefined;
  readonly getxattr: PathCall<[name: Buffer, out: Buffer | null, size: number]> | undefined;
  readonly setxattr: PathCall<[name: Buffer, value: Buffer, size: number]> | undefined;
  readonly removexattr: PathCall<[name: Buffer]> | undefined;
  readonly fchmodat: ((at: number, path: Buffer, mode: number, flags: number) => number) | undefined;
  readonly utimensat: ((at: number, path: Buffer, times: Buffer, flags: number) => number) | undefined;
  readonly mkfifo: PathCall<[mode: number]> | undefined;
  readonly mknod: PathCall<[mode: number, device: number | bigint]> | undefined;
  readonly fallocate: ((fd: number, mode: number, offset: number, length: number) => number) | undefined;
  /** Ends the process without anything else. */
  readonly _exit: ((code: number) => void) | undefined;
  readonly mallopt: ((parameter: number, value: number) => number) | undefined;
  /** Only for calls with three whole numbers. */
  readonly syscall3: ((number: number, a: number, b: number, c: number) => number) | undefined;
  readonly getpwuid: ReentrantLookup<number> | undefined;
  readonly getpwnam: ReentrantLookup<Buffer> | undefined;
  readonly getgrgid: ReentrantLookup<number> | undefined;
  readonly getgrnam: ReentrantLookup<Buffer> | undefined;
}

/** getpwuid_r and its kin. Returns an errno instead of setting it; the found struct's address lands in `found`. */
export type ReentrantLookup<Key> = (
  key: Key,
  record: Buffer,
  strings: Buffer,
  size: number,
  found: Buffer,
) => number;

const mac = process.platform === 'darwin';
export const AT_FDCWD = mac ? -2 : -100;
export const AT_SYMLINK_NOFOLLOW = mac ? 0x20 : 0x100;

const EINTR = constants.errno.EINTR;
const PTR = 'void *';

type Koffi = typeof import('koffi');
type Call = ReturnType<ReturnType<Koffi['load']>['func']>;
type Define = (name: string, result: string, parameters: string[]) => Call | undefined;

function symbolsOf(koffi: Koffi): Define {
  const library = koffi.load(null);
  return (name, result, parameters) => {
    try {
      return library.func(name, result, parameters);
    } catch {
      return undefined;
    }
  };
}

function linuxXattrs(define: Define) {
  return {
    listxattr: define('llistxattr', 'intptr_t', [PTR, PTR, 'size_t']),
    getxattr: define('lgetxattr', 'intptr_t', [PTR, PTR, PTR, 'size_t']),
    setxattr: withTail(define('lsetxattr', 'int', [PTR, PTR, PTR, 'size_t', 'int']), 0),
    removexattr: define('lremovexattr', 'int', [PTR, PTR]),
  };
}

const XATTR_NOFOLLOW = 1;

/** macOS has one function for each task, with a position (always 0) and options at the end. */
function macXattrs(define: Define) {
  const sized = [PTR, PTR, PTR, 'size_t', 'uint32_t', 'int'];
  return {
    listxattr: withTail(define('listxattr', 'intptr_t', [PTR, PTR, 'size_t', 'int']), XATTR_NOFOLLOW),
    getxattr: withTail(define('getxattr', 'intptr_t', sized), 0, XATTR_NOFOLLOW),
    setxattr: withTail(define('setxattr', 'int', sized), 0, XATTR_NOFOLLOW),
    removexattr: withTail(define('removexattr', 'int', [PTR, PTR, 'int']), XATTR_NOFOLLOW),
  };
}

function withTail(call: Call | undefined, ...tail: readonly number[]): Call | undefined {
  if (call === undefined) return undefined;
  const bound = (...given: readonly unknown[]) => call(...given, ...tail);
  return Object.assign(bound, { async: call.async, info: call.info });
}

function lookups(define: Define) {
  const rest = [PTR, PTR, 'size_t', PTR];
  return {
    getpwuid: define('getpwuid_r', 'int', ['uint32_t', ...rest]),
    getpwnam: define('getpwnam_r', 'int', [PTR, ...rest]),
    getgrgid: define('getgrgid_r', 'int', ['uint32_t', ...rest]),
    getgrnam: define('getgrnam_r', 'int', [PTR, ...rest]),
  };
}

function load(): Libc | undefined {
  const linux = process.platform === 'linux';
  if ((!linux && !mac) || (process.arch !== 'x64' && process.arch !== 'arm64')) return undefined;
  let koffi: Koffi;
  let define: Define;
  try {
    koffi = createRequire(import.meta.url)('koffi');
    define = symbolsOf(koffi);
  } catch {
    return undefined;
  }
  const only = (wanted: boolean, ...signature: Parameters<Define>) =>
    wanted ? define(...signature) : undefined;
  return {
    errno: () => koffi.errno(),
    addressOf: (buffer) => koffi.address(buffer),
    lstat: only(linux, 'lstat', 'int', [PTR, PTR]),
    getdents64: only(linux, 'getdents64', 'intptr_t', ['int', PTR, 'size_t']),
    ...(mac ? macXattrs(define) : linuxXattrs(define)),
    fchmodat: define('fchmodat', 'int', ['int', PTR, mac ? 'uint16_t' : 'uint32_t', 'int']),
    utimensat: define('utimensat', 'int', ['int', PTR, PTR, 'int']),
    mkfifo: define('mkfifo', 'int', [PTR, mac ? 'uint16_t' : 'uint32_t']),
    mknod: define('mknod', 'int', mac ? [PTR, 'uint16_t', 'int32_t'] : [PTR, 'uint32_t', 'uint64_t']),
    fallocate: only(linux, 'fallocate', 'int', ['int', 'int', 'int64_t', 'int64_t']),
    _exit: define('_exit', 'void', ['int']),
    mallopt: only(linux, 'mallopt', 'int', ['int', 'int']),
    syscall3: only(linux, 'syscall', 'intptr_t', ['intptr_t', 'intptr_t', 'intptr_t', 'intptr_t']),
    ...lookups(define),
  };
}

let loaded: Libc | undefined;
let tried = false;

/** The functions of the C library, or undefined where there is no way to call them (Windows, odd machines). */
export function libc(): Libc | undefined {
  if (!tried) {
    tried = true;
    loaded = load();
  }
  return loaded;
}

/** Repeats a call that a signal interrupted (FUSE and CIFS do that); throws the errno of a failed one. */
export function checked(c: Libc, syscall: string, call: () => number): number {
  for (;;) {
    const result = call();
    if (result >= 0) return result;
    const errno = c.errno();
    if (errno !== EINTR) throw new SystemError(errno, syscall);
  }
}

/** PATH_MAX with its NUL; longer paths are refused by the kernel anyway. */
const MAX_PATH = 4096;
const pathScratch = Buffer.allocUnsafeSlow(MAX_PATH);
const nameScratch = Buffer.allocUnsafeSlow(MAX_PATH);

/** The path as a C string in a buffer that the next call overwrites. */
export function cPath(path: ByteString): Buffer {
  return cString(path, pathScratch);
}

/** The same for a second string beside a path. */
export function cName(name: ByteString): Buffer {
  return cString(name, nameScratch);
}

// A NUL inside would end the string early, and the call would hit another file than the one that was named.
function cString(s: ByteString, scratch: Buffer): Buffer {
  if (s.length >= MAX_PATH) throw new SystemError(constants.errno.ENAMETOOLONG, 'path');
  if (s.includes('\0')) throw new SystemError(constants.errno.EINVAL, 'path');
  scratch.write(s, 0, 'latin1');
  scratch[s.length] = 0;
  return scratch;
}
