/**
 * What the Dropbox of tests keeps: files by path, whatever the case of letters, folders that come with their files, and upload
 * sessions. Throws `Refused` with Dropbox's unions.
 */
import { createHash, randomUUID } from 'node:crypto';

export type Union = { readonly '.tag': string } & Readonly<Record<string, unknown>>;

/** `of('path', 'not_found')` is {".tag": "path", "path": {".tag": "not_found"}}. */
export function union(...tags: readonly string[]): Union {
  const [tag = 'other', ...inner] = tags;
  return inner.length === 0 ? { '.tag': tag } : { '.tag': tag, [tag]: union(...inner) };
}

/** A call that answers 409. */
export class Refused extends Error {
  readonly union: Union;
  constructor(what: Union) {
    super(what['.tag']);
    this.union = what;
  }
}

export interface Stored {
  readonly path: string;
  readonly bytes: Buffer;
  readonly hash: string;
  readonly id: string;
  readonly rev: string;
  readonly modified: string;
  /** As the client told. */
  readonly written: string;
  /** Lists before this one do not show it. */
  readonly shownFrom: number;
}

export interface CommitInfo {
  readonly path: string;
  readonly mode?: string | Union;
  readonly autorename?: boolean;
  readonly strict_conflict?: boolean;
  readonly client_modified?: string;
}

export interface Cursor {
  readonly session_id: string;
  readonly offset: number;
}

interface Session {
  readonly parts: Buffer[];
  size: number;
  closed: boolean;
}

const BLOCK = 4 * 1024 * 1024;
const DISALLOWED = /^(desktop\.ini|thumbs\.db|\.ds_store|icon\r|\.dropbox|\.dropbox\.attr)$/i;

/** As Dropbox's reference tells it. */
export function contentHash(bytes: Buffer): string {
  const all: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += BLOCK) {
    all.push(
      createHash('sha256')
        .update(bytes.subarray(at, at + BLOCK))
        .digest(),
    );
  }
  return createHash('sha256').update(Buffer.concat(all)).digest('hex');
}

export class Space {
  readonly files = new Map<string, Stored>();
  readonly folders = new Map<string, string>();
  readonly sessions = new Map<string, Session>();
  /** Bytes. */
  capacity = 2 ** 40;
  /** For so many lists a new file is not shown. */
  lag = 0;
  lists = 0;
  #sorted: readonly string[] | undefined;

  get used(): number {
    return [...this.files.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  // Sessions.

  start(bytes: Buffer, close: boolean): string {
    const id = `pid_upload_session:${randomUUID()}`;
    this.sessions.set(id, { parts: [bytes], size: bytes.length, closed: close });
    return id;
  }

  append({ session_id, offset }: Cursor, bytes: Buffer, close: boolean): void {
    const session = this.sessions.get(session_id);
    if (session === undefined) throw new Refused(union('not_found'));
    if (session.closed) throw new Refused(union('closed'));
    if (offset !== session.size) {
      throw new Refused({ '.tag': 'incorrect_offset', correct_offset: session.size });
    }
    session.parts.push(bytes);
    session.size += bytes.length;
    session.closed = close;
  }

  /** Errors in the shape of UploadSessionFinishError. */
  finish(
    { session_id, offset }: Cursor,
    commit: CommitInfo,
    o: { closed: boolean; spoilt?: boolean },
  ): Stored {
    const session = this.sessions.get(session_id);
    if (session === undefined) throw new Refused(union('lookup_failed', 'not_found'));
    if (o.closed && !session.closed) throw new Refused(union('lookup_failed', 'not_closed'));
    if (offset !== session.size) {
      const inner = { '.tag': 'incorrect_offset', correct_offset: session.size };
      throw new Refused({ '.tag': 'lookup_failed', lookup_failed: inner });
    }
    const bytes = Buffer.concat(session.parts);
    if (o.spoilt) bytes[0] = (bytes[0] ?? 0) ^ 1;
    const stored = this.write(commit, bytes);
    this.sessions.delete(session_id);
    return stored;
  }

  // Names.

  /** Errors in the shape of {".tag": "path", "path": WriteError}. */
  write({ path, mode, strict_conflict, client_modified }: CommitInfo, bytes: Buffer): Stored {
    const key = path.toLowerCase();
    this.#checkWritable(path);
    const before = this.files.get(key);
    const hash = contentHash(bytes);
    const how = typeof mode === 'string' ? mode : (mode?.['.tag'] ?? 'add');
    if (before && how === 'add' && (strict_conflict || before.hash !== hash)) {
      throw new Refused(union('path', 'conflict', 'file'));
    }
    if (this.used - (before?.bytes.length ?? 0) + bytes.length > this.capacity) {
      throw new Refused(union('path', 'insufficient_space'));
    }
    this.#makeFolders(path);
    const now = `${new Date().toISOString().slice(0, 19)}Z`;
    const stored: Stored = {
      path,
      bytes,
      hash,
      id: before?.id ?? `id:${randomUUID()}`,
      rev: randomUUID().replaceAll('-', '').slice(0, 16),
      modified: now,
      written: client_modified ?? now,
      shownFrom: this.lists + this.lag,
    };
    this.files.set(key, stored);
    this.#sorted = undefined;
    return stored;
  }

  #checkWritable(path: string): void {
    const segments = path.toLowerCase().split('/').slice(1);
    if (segments.some((segment) => DISALLOWED.test(segment)))
      throw new Refused(union('path', 'disallowed_name'));
    for (let i = 1; i < segments.length; i++) {
      if (!this.files.has(`/${segments.slice(0, i).join('/')}`)) continue;
      throw new Refused(union('path', 'conflict', 'file_ancestor'));
    }
    if (this.folders.has(path.toLowerCase())) throw new Refused(union('path', 'conflict', 'folder'));
  }

  #makeFolders(path: string): void {
    const segments = path.split('/').slice(1, -1);
    for (let i = 1; i <= segments.length; i++) {
      const folder = `/${segments.slice(0, i).join('/')}`;
      if (!this.folders.has(folder.toLowerCase())) this.folders.set(folder.toLowerCase(), folder);
    }
    this.#sorted = undefined;
  }

  makeFolder(path: string): void {
    const key = path.toLowerCase();
    if (this.files.has(key)) throw new Refused(union('path', 'conflict', 'file'));
    if (this.folders.has(key)) throw new Refused(union('path', 'conflict', 'folder'));
    this.#makeFolders(`${path}/x`);
  }

  /** Errors in the shape of DeleteError. */
  remove(path: string): object {
    const key = path.toLowerCase();
    const metadata = this.metadataOf(key);
    if (metadata === undefined) throw new Refused(union('path_lookup', 'not_found'));
    for (const all of [this.files, this.folders]) {
      for (const other of all.keys()) if (other === key || other.startsWith(`${key}/`)) all.delete(other);
    }
    this.#sorted = undefined;
    return metadata;
  }

  metadataOf(key: string): object | undefined {
    const file = this.files.get(key);
    if (file) return { '.tag': 'file', ...fileFields(file) };
    const folder = this.folders.get(key);
    return folder === undefined ? undefined : folderFields(folder);
  }

  /** Up to `limit` entries of a folder after a key, and whether there are more. */
  page(folder: string, o: { readonly recursive: boolean; readonly after: string; readonly limit: number }) {
    const top = folder.toLowerCase();
    if (top !== '' && !this.folders.has(top)) {
      throw new Refused(union('path', this.files.has(top) ? 'not_folder' : 'not_found'));
    }
    this.#sorted ??= [...this.files.keys(), ...this.folders.keys()].sort();
    const mine = this.#sorted.filter((key) => key > o.after && this.#isIn(key, top, o.recursive));
    const some = mine.slice(0, o.limit);
    const entries = some.map((key) => this.metadataOf(key));
    return { entries, last: some.at(-1) ?? o.after, more: mine.length > some.length };
  }

  #isIn(key: string, top: string, recursive: boolean): boolean {
    if (!key.startsWith(`${top}/`)) return recursive && key === top;
    if ((this.files.get(key)?.shownFrom ?? 0) > this.lists) return false;
    return recursive || !key.includes('/', top.length + 1);
  }
}

export function fileFields(file: Stored): object {
  return {
    name: file.path.slice(file.path.lastIndexOf('/') + 1),
    path_lower: file.path.toLowerCase(),
    path_display: file.path,
    id: file.id,
    client_modified: file.written,
    server_modified: file.modified,
    rev: file.rev,
    size: file.bytes.length,
    is_downloadable: true,
    content_hash: file.hash,
  };
}

function folderFields(path: string): object {
  return {
    '.tag': 'folder',
    name: path.slice(path.lastIndexOf('/') + 1),
    path_lower: path.toLowerCase(),
    path_display: path,
    id: `id:folder${createHash('md5').update(path).digest('hex').slice(0, 16)}`,
  };
}
