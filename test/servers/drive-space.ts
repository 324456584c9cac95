/** What the Drive of tests holds: files by ids, in folders; names may be had twice. */
import { createHash, randomBytes } from 'node:crypto';

export const FOLDER = 'application/vnd.google-apps.folder';

export interface Stored {
  readonly id: string;
  name: string;
  mimeType: string;
  parents: string[];
  /** Only in a shared drive. */
  readonly driveId: string | undefined;
  trashed: boolean;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  modifiedAt: number;
  bytes: Buffer;
  /** Whose it is: with the scope drive.file a program sees only its own. */
  readonly clientId: string;
  sha256: string;
  md5: string;
}

export interface Wanted {
  readonly id?: string;
  readonly name: string;
  readonly parents: readonly string[];
  readonly mimeType?: string;
  readonly bytes?: Buffer;
  readonly clientId?: string;
  readonly modifiedTime?: string;
}

export const newId = (): string => `1${randomBytes(24).toString('base64url')}`;

export class Space {
  readonly files = new Map<string, Stored>();
  /** Ids of all that ever was: none is given twice. */
  readonly made = new Set<string>();
  /** Those that a list still shows, with the time of their end. */
  readonly removed: { readonly file: Stored; readonly at: number }[] = [];
  readonly #byParent = new Map<string, Set<Stored>>();
  readonly rootId = newId();
  readonly now: () => number;
  /** The client id of a test that puts files in by hand. */
  owner = '';

  constructor(now: () => number) {
    this.now = now;
    this.#add({ id: this.rootId, name: 'My Drive', parents: [], mimeType: FOLDER });
  }

  addDrive(name: string): string {
    return this.#add({ name, parents: [], mimeType: FOLDER }, newId()).id;
  }

  /** 'root' is another name for the top of My Drive. */
  idOf(id: string): string {
    return id === 'root' ? this.rootId : id;
  }

  get(id: string): Stored | undefined {
    return this.files.get(this.idOf(id));
  }

  create(wanted: Wanted): Stored {
    const parents = wanted.parents.length === 0 ? [this.rootId] : wanted.parents.map((id) => this.idOf(id));
    const [parent] = parents.map((id) => this.files.get(id));
    return this.#add({ ...wanted, parents }, parent?.driveId);
  }

  #add(wanted: Wanted, driveId?: string): Stored {
    const id = wanted.id ?? (driveId !== undefined && wanted.parents.length === 0 ? driveId : newId());
    const now = this.now();
    const file: Stored = {
      id,
      name: wanted.name,
      mimeType: wanted.mimeType ?? 'application/octet-stream',
      parents: [...wanted.parents],
      driveId,
      trashed: false,
      createdAt: now,
      modifiedAt: wanted.modifiedTime === undefined ? now : Date.parse(wanted.modifiedTime),
      bytes: Buffer.alloc(0),
      clientId: wanted.clientId ?? this.owner,
      sha256: '',
      md5: '',
    };
    this.write(file, wanted.bytes ?? Buffer.alloc(0));
    this.files.set(id, file);
    this.made.add(id);
    this.#enter(file);
    return file;
  }

  within(parent: string): Iterable<Stored> {
    return this.#byParent.get(parent) ?? [];
  }

  move(file: Stored, o: { readonly add: readonly string[]; readonly remove: readonly string[] }): void {
    for (const parent of file.parents) this.#byParent.get(parent)?.delete(file);
    file.parents = [...file.parents.filter((id) => !o.remove.includes(id)), ...o.add];
    this.#enter(file);
  }

  #enter(file: Stored): void {
    for (const parent of file.parents) {
      const all = this.#byParent.get(parent) ?? new Set();
      this.#byParent.set(parent, all.add(file));
    }
  }

  write(file: Stored, bytes: Buffer): void {
    file.bytes = bytes;
    file.sha256 = createHash('sha256').update(bytes).digest('hex');
    file.md5 = createHash('md5').update(bytes).digest('hex');
  }

  remove(id: string): void {
    const file = this.files.get(id);
    if (file === undefined) return;
    this.files.delete(id);
    for (const parent of file.parents) this.#byParent.get(parent)?.delete(file);
    this.removed.push({ file, at: this.now() });
    for (const { id: below } of [...this.within(id)]) this.remove(below);
  }

  /** What lies in a folder in the bin is in the bin. */
  isTrashed({ trashed, parents }: Stored): boolean {
    return trashed || parents.some((id) => this.#isTrashedId(id));
  }

  #isTrashedId(id: string): boolean {
    const file = this.files.get(id);
    return file !== undefined && this.isTrashed(file);
  }

  /** 'a/b/c' of files, below the top. */
  pathsOf(): readonly string[] {
    return [...this.files.values()]
      .filter(({ mimeType }) => mimeType !== FOLDER)
      .map((file) => this.#pathOf(file))
      .sort();
  }

  /** All with that path. */
  at(path: string): readonly Stored[] {
    return [...this.files.values()].filter((file) => this.#pathOf(file) === path);
  }

  #pathOf({ name, parents }: Stored): string {
    const parent = this.files.get(parents[0] ?? '');
    return parent === undefined || parent.parents.length === 0 ? name : `${this.#pathOf(parent)}/${name}`;
  }
}

/** The fields of a file that an answer may have. */
export function fieldsOf(file: Stored, trashed: boolean): Readonly<Record<string, unknown>> {
  const isFolder = file.mimeType === FOLDER;
  const { sha256: sha256Checksum, md5: md5Checksum, bytes } = file;
  return {
    kind: 'drive#file',
    id: file.id,
    name: file.name,
    mimeType: file.mimeType,
    parents: file.parents,
    createdTime: new Date(file.createdAt).toISOString(),
    modifiedTime: new Date(file.modifiedAt).toISOString(),
    trashed,
    explicitlyTrashed: file.trashed,
    ...(file.driveId === undefined ? {} : { driveId: file.driveId, teamDriveId: file.driveId }),
    ...(isFolder ? {} : { size: String(bytes.length), sha256Checksum, md5Checksum }),
  };
}
