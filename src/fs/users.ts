/**
 * Names of users and groups, and back, as the system's name service knows them (files, LDAP …). Each answer is
 * kept for the life of the thread: a backup asks for the same few ids a million times. Where the C library can't
 * be called nobody has a name.
 */
import { constants } from 'node:os';
import { type Libc, libc, type ReentrantLookup } from './libc.ts';

const userNames = new Map<number, string>();
const groupNames = new Map<number, string>();
const userIds = new Map<string, number | undefined>();
const groupIds = new Map<string, number | undefined>();

/** The name of a user, '' where there is none. */
export function userName(uid: number): string {
  return cached(userNames, uid, () => nameFrom((c) => c.getpwuid, uid));
}

/** The name of a group, '' where there is none. */
export function groupName(gid: number): string {
  return cached(groupNames, gid, () => nameFrom((c) => c.getgrgid, gid));
}

/** The id of a user, undefined where no user has that name. */
export function uidOf(name: string): number | undefined {
  return cached(userIds, name, () => idFrom((c) => c.getpwnam, name));
}

/** The id of a group, undefined where no group has that name. */
export function gidOf(name: string): number | undefined {
  return cached(groupIds, name, () => idFrom((c) => c.getgrnam, name));
}

function cached<K, V>(cache: Map<K, V>, key: K, find: () => V): V {
  const known = cache.get(key);
  if (known !== undefined || cache.has(key)) return known as V;
  const found = find();
  cache.set(key, found);
  return found;
}

/** Both structs begin with the pointer to the name, and hold the own id after a second pointer. */
const NAME_OFFSET = 0;
const ID_OFFSET = 16;
const RECORD_SIZE = 128;
const MAX_STRINGS = 1024 * 1024;

/** A found record, and the buffer that its pointers lead into. */
interface Found {
  readonly record: Buffer;
  readonly strings: Buffer;
}

/** Runs a lookup with a growing buffer for the strings: a group may have thousands of members. */
function find<Key>(call: ReentrantLookup<Key>, key: Key): Found | undefined {
  const record = Buffer.alloc(RECORD_SIZE);
  const found = Buffer.alloc(8);
  for (let size = 4096; size <= MAX_STRINGS; size *= 4) {
    const strings = Buffer.alloc(size);
    const errno = call(key, record, strings, size, found);
    if (errno === constants.errno.ERANGE || errno === constants.errno.EINTR) continue;
    return errno !== 0 || found.readBigUInt64LE(0) === 0n ? undefined : { record, strings };
  }
  return undefined;
}

function nameFrom(pick: (c: Libc) => ReentrantLookup<number> | undefined, id: number): string {
  const c = libc();
  const call = c === undefined ? undefined : pick(c);
  const hit = call === undefined ? undefined : find(call, id);
  if (c === undefined || hit === undefined) return '';
  const start = Number(hit.record.readBigUInt64LE(NAME_OFFSET) - c.addressOf(hit.strings));
  if (start < 0 || start >= hit.strings.length) return '';
  return hit.strings.toString('utf8', start, hit.strings.indexOf(0, start));
}

function idFrom(pick: (c: Libc) => ReentrantLookup<Buffer> | undefined, name: string): number | undefined {
  const c = libc();
  const call = c === undefined ? undefined : pick(c);
  if (call === undefined || name === '' || name.includes('\0')) return undefined;
  return find(call, Buffer.from(`${name}\0`))?.record.readUInt32LE(ID_OFFSET);
}
