/**
 * Files and folders as Drive knows them: by ids. Names are mere properties, and several items in one folder may share one.
 *
 * query   the language of searches: `'<folder>' in parents and name = '…' and trashed = false`
 */
import type { drive_v3 } from 'googleapis/build/src/apis/drive/v3.js';
import { EngineError, isEngineError } from '../../api/errors.ts';
import type { Wire } from './wire.ts';

export interface Item {
  readonly id: string;
  readonly name: string;
  readonly parent: string | undefined;
  /** Bytes; 0 for folders. */
  readonly size: number;
  /** Hexadecimal; undefined where Drive has not counted it (yet). */
  readonly sha256: string | undefined;
  readonly md5: string | undefined;
  /** Milliseconds since the epoch; 0: not told. */
  readonly createdAt: number;
  readonly modifiedAt: number;
  readonly trashed: boolean;
}

export const FOLDER = 'application/vnd.google-apps.folder';
export const FIELDS = 'id,name,parents,size,sha256Checksum,md5Checksum,createdTime,modifiedTime,trashed';

/** Drive's own bound of a page. */
const PAGE = 1000;

export function itemOf(file: drive_v3.Schema$File): Item {
  const timeOf = (text: string | null | undefined) => Date.parse(text ?? '') || 0;
  return {
    id: file.id ?? '',
    name: file.name ?? '',
    parent: file.parents?.[0],
    size: Number(file.size ?? 0),
    sha256: file.sha256Checksum ?? undefined,
    md5: file.md5Checksum ?? undefined,
    createdAt: timeOf(file.createdTime),
    modifiedAt: timeOf(file.modifiedTime),
    trashed: file.trashed ?? false,
  };
}

function quoted(text: string): string {
  return `'${text.replace(/[\\']/g, '\\$&')}'`;
}

interface Search {
  /** Ids; at most 50, or the query gets too complex. */
  readonly parents: readonly string[];
  readonly name?: string;
  readonly kind: 'folder' | 'file';
}

function queryOf({ parents, name, kind }: Search): string {
  const within = parents.map((id) => `${quoted(id)} in parents`).join(' or ');
  return [
    parents.length > 1 ? `(${within})` : within,
    ...(name === undefined ? [] : [`name = ${quoted(name)}`]),
    `mimeType ${kind === 'folder' ? '=' : '!='} ${quoted(FOLDER)}`,
    'trashed = false',
  ].join(' and ');
}

export class Items {
  readonly #wire: Wire;
  readonly #sharedDrive: string | undefined;
  readonly #warn: (sentence: string) => void;
  #warned = false;

  constructor(wire: Wire, sharedDrive: string | undefined, warn: ((sentence: string) => void) | undefined) {
    this.#wire = wire;
    this.#sharedDrive = sharedDrive;
    this.#warn = warn ?? (() => undefined);
  }

  /** The id of the folder in which all lie. */
  get top(): string {
    return this.#sharedDrive ?? 'root';
  }

  /** In no order. A folder that is gone holds nothing. */
  async *search(search: Search, signal: AbortSignal | undefined): AsyncGenerator<Item> {
    if (search.parents.length === 0) return;
    for (let pageToken: string | undefined; ; ) {
      const page = await this.#page(search, pageToken, signal);
      for (const file of page?.files ?? []) yield itemOf(file);
      pageToken = page?.nextPageToken ?? undefined;
      if (pageToken === undefined) return;
    }
  }

  async all(search: Search, signal: AbortSignal | undefined): Promise<Item[]> {
    const found: Item[] = [];
    for await (const item of this.search(search, signal)) found.push(item);
    return found;
  }

  async #page(search: Search, pageToken: string | undefined, signal: AbortSignal | undefined) {
    const shared = this.#sharedDrive;
    const where = shared === undefined ? {} : { corpora: 'drive', driveId: shared };
    const wanted = {
      q: queryOf(search),
      pageSize: PAGE,
      fields: `nextPageToken,files(${FIELDS})`,
      spaces: 'drive',
      supportsAllDrives: true,
      includeItemsFromAllDrives: shared !== undefined,
      ...where,
      ...(pageToken === undefined ? {} : { pageToken }),
    };
    try {
      return await this.#wire.call(signal, () => this.#wire.sdk.files.list(wanted, options(signal)));
    } catch (e) {
      if (!isEngineError(e, 'not-found')) throw e;
      if (shared !== undefined && search.parents.includes(shared)) throw noSharedDrive(shared, e);
      return undefined;
    }
  }

  /** undefined: it is not there, or in the bin. */
  async get(fileId: string, signal: AbortSignal | undefined): Promise<Item | undefined> {
    const wanted = { fileId, fields: FIELDS, supportsAllDrives: true };
    try {
      const file = await this.#wire.call(signal, () => this.#wire.sdk.files.get(wanted, options(signal)));
      const item = itemOf(file);
      return item.trashed ? undefined : item;
    } catch (e) {
      if (isEngineError(e, 'not-found')) return undefined;
      throw e;
    }
  }

  async makeFolder(name: string, parent: string): Promise<Item> {
    const wanted = {
      requestBody: { name, mimeType: FOLDER, parents: [parent] },
      fields: FIELDS,
      supportsAllDrives: true,
    };
    return itemOf(await this.#wire.call(undefined, () => this.#wire.sdk.files.create(wanted)));
  }

  /** Past the bin. An item that is gone: success. */
  async remove(fileId: string, signal: AbortSignal | undefined): Promise<void> {
    const wanted = { fileId, supportsAllDrives: true };
    try {
      await this.#wire.call(signal, () => this.#wire.sdk.files.delete(wanted, options(signal)));
    } catch (e) {
      if (isEngineError(e, 'not-found')) return;
      const mayOnlyBin = this.#sharedDrive !== undefined && isEngineError(e, 'permission');
      if (!mayOnlyBin) throw e;
      await this.#bin(fileId, signal);
    }
  }

  /** In shared drives only managers may remove for good; the bin empties itself after 30 days. */
  async #bin(fileId: string, signal: AbortSignal | undefined): Promise<void> {
    const wanted = { fileId, supportsAllDrives: true, requestBody: { trashed: true }, fields: 'id' };
    await this.#wire.call(signal, () => this.#wire.sdk.files.update(wanted, options(signal)));
    if (this.#warned) return;
    this.#warned = true;
    this.#warn(
      'In this shared drive what is removed goes to the bin first: only managers may remove for good.',
    );
  }
}

function noSharedDrive(id: string, cause: unknown): EngineError {
  const message = `There is no shared drive ${id}, or the account is not a member of it.`;
  return new EngineError('permission', message, {}, { cause });
}

export function options(signal: AbortSignal | undefined): { readonly signal?: AbortSignal } {
  return signal === undefined ? {} : { signal };
}
