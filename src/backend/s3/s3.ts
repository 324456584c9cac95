/**
 * S3 and what speaks like it: Amazon, MinIO, Ceph, Wasabi, Backblaze, R2 and many more. Objects have the names that restic gives
 * them, so each program reads what the other wrote.
 *
 * prefix       what the names of all objects of a repository begin with
 * sum          the SHA-256 of a whole file, sent with it: a service that got other bytes refuses them, and tells it again later
 * parts        how files above the limit of one request (5 GiB) are sent; they have no sum of the whole
 * conditional  a write that the service carries out only if there is nothing of that name yet: for the config of a new repository
 * delete mark  what a removal leaves in a bucket with versions; the version before it stays, and nothing here looks at it
 */
import {
  type BucketLocationConstraint,
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  type HeadObjectCommandOutput,
  PutObjectCommand,
  type PutObjectCommandInput,
  type StorageClass,
} from '@aws-sdk/client-s3';
import { EngineError, isEngineError } from '../../api/errors.ts';
import { type FileType, isId } from '../../format/types.ts';
import {
  type Backend,
  type CallOptions,
  type CleanOptions,
  CONFIG_HANDLE,
  type FileInfo,
  type Handle,
  type ListOptions,
  type LoadOptions,
  type StorageFacts,
  type Traits,
} from '../backend.ts';
import { describe, notFound, spanOf, throwIfAborted, totalLength } from '../calls.ts';
import { folderOf, segmentsOf } from '../layout.ts';
import type { StorageSetting } from '../registry.ts';
import { parseContentRange, partOf, partOfWhole } from '../rest/answers.ts';
import { type Asked, reasonOf, statusOf } from './errors.ts';
import { factsOf } from './facts.ts';
import { type Page, pageOfV1, pageOfV2 } from './pages.ts';
import { dropUpload, type PartsSetting, saveInParts, uploadsUnder } from './parts.ts';
import { sumOf, wholeSum } from './sums.ts';
import { parseOptions, parseTarget, type S3Options, type S3Target } from './target.ts';
import { openWire, type Passage, type Wire } from './wire.ts';

const GIB = 2 ** 30;
const PARTS: PartsSetting = { above: 5 * GIB, partBytes: 64 << 20 };
const WEEK_MS = 7 * 24 * 60 * 60 * 1000;

class S3 implements Backend {
  readonly location: string;
  readonly traits: Traits;
  readonly #wire: Wire;
  readonly #target: S3Target;
  readonly #options: S3Options;
  readonly #parts: PartsSetting;
  /** Made just now: there is no config yet, and another's may not be replaced. */
  #new = false;

  constructor(wire: Wire, target: S3Target, options: S3Options, parts: PartsSetting) {
    this.location = target.shown;
    this.traits = { connections: options.connections, atomicReplace: true, listLag: false, paced: true };
    this.#wire = wire;
    this.#target = target;
    this.#options = options;
    this.#parts = parts;
  }

  async save(h: Handle, data: readonly Uint8Array[], o?: CallOptions): Promise<void> {
    const object = this.#object(h);
    throwIfAborted(o?.signal);
    const size = totalLength(data);
    const asked = this.#asked(`save ${describe(h)} (${size} bytes)`);
    const kind = this.#options.storageClass ? { StorageClass: storageClass(this.#options.storageClass) } : {};
    if (size > this.#parts.above) {
      return saveInParts(this.#wire, asked, { ...object, ...kind }, data, o, this.#parts.partBytes);
    }
    if (h.type === 'config' && this.#new) await this.#saveFirst(asked, { ...object, ...kind }, data, o);
    else await this.#put(asked, { ...object, ...kind }, data, o);
  }

  async load(h: Handle, o?: LoadOptions): Promise<Uint8Array> {
    const object = this.#object(h);
    throwIfAborted(o?.signal);
    const { offset, length } = spanOf(h, Number.MAX_SAFE_INTEGER, o);
    // No Range can ask for nothing.
    if (length === 0) return this.#within(h, (await this.stat(h, o)).size, o);
    const all = offset === 0 && o?.length === undefined;
    const Range = `bytes=${offset}-${o?.length === undefined ? '' : offset + length - 1}`;
    const passage: Passage = { signal: o?.signal, pace: o?.pace, file: true };
    const asked = this.#asked(`read ${describe(h)}`);
    try {
      await this.#wire.ask(asked, passage, (client, how) =>
        client.send(new GetObjectCommand({ ...object, ...(all ? {} : { Range }) }), how),
      );
    } catch (e) {
      if (statusOf(e) !== 416) throw absent(h, e);
      const told = parseContentRange(passage.answer?.headers['content-range']).size;
      return this.#within(h, told ?? (await this.stat(h, o)).size, o);
    }
    const answer = passage.answer;
    if (answer === undefined) throw new EngineError('internal', 'The SDK has not asked.');
    return answer.status === 206 ? partOf(h, o, answer, asked) : partOfWhole(h, o, answer);
  }

  async stat(h: Handle, o?: CallOptions): Promise<FileInfo> {
    const { ContentLength } = await this.#head(h, o, false);
    if (ContentLength === undefined) {
      throw new EngineError(
        'io',
        `Could not look at ${describe(h)}: the service tells no size (${this.location}).`,
      );
    }
    return { name: h.name, size: ContentLength };
  }

  async *list(type: FileType, o?: ListOptions): AsyncGenerator<FileInfo> {
    throwIfAborted(o?.signal);
    if (type === 'config') return yield* this.#listConfig(o);
    let next: string | undefined;
    do {
      const page = await this.#page(type, next, o);
      yield* this.#filesOn(page, type, o);
      ({ next } = page);
    } while (next !== undefined);
  }

  async remove(h: Handle, o?: CallOptions): Promise<void> {
    const object = this.#object(h);
    const asked = this.#asked(`remove ${describe(h)}`);
    try {
      await this.#wire.ask(asked, { signal: o?.signal }, (client, how) =>
        client.send(new DeleteObjectCommand(object), how),
      );
    } catch (e) {
      if (!isEngineError(absent(h, e), 'not-found')) throw e;
    }
  }

  async cleanTemporary(o: CleanOptions = {}): Promise<number> {
    const before = (o.now ?? Date.now()) - (o.olderThanMs ?? WEEK_MS);
    const asked = this.#asked('remove what was left over');
    const { bucket, prefix } = this.#target;
    let removed = 0;
    for await (const { Key, UploadId, Initiated } of uploadsUnder(this.#wire, asked, { bucket, prefix }, o)) {
      if (!this.#isOurs(Key) || UploadId === undefined) continue;
      if (Initiated === undefined || Initiated.getTime() > before) continue;
      await dropUpload({ wire: this.#wire, asked, object: { Bucket: bucket, Key }, UploadId }, o.signal);
      removed++;
    }
    return removed;
  }

  async facts(o?: CallOptions): Promise<StorageFacts> {
    return factsOf(this.#wire, this.#asked('look at the settings of the bucket'), this.#target.bucket, o);
  }

  /** Makes the bucket if there is none. Errors: 'repository-exists', and the storage's. */
  async create(o: CallOptions | undefined): Promise<void> {
    await this.#makeBucket(o);
    if (await this.#holdsConfig(o)) throw this.#exists();
    this.#new = true;
  }

  async close(): Promise<void> {
    this.#wire.close();
  }

  async #put(
    asked: Asked,
    object: PutObjectCommandInput,
    body: readonly Uint8Array[],
    o: CallOptions | undefined,
  ): Promise<void> {
    const ChecksumSHA256 = sumOf(body);
    const input = { ...object, ChecksumSHA256, ContentLength: totalLength(body), Body: Buffer.alloc(0) };
    const { ChecksumSHA256: told = ChecksumSHA256, ETag } = await this.#wire.ask(
      asked,
      { body, signal: o?.signal, pace: o?.pace },
      (client, how) => client.send(new PutObjectCommand(input), how),
    );
    // Every service names what it has stored; a network that wants people to sign in first says 200 to anything.
    const wrong =
      ETag === undefined ? 'did not say that it stored it' : told !== ChecksumSHA256 && 'stored other bytes';
    if (!wrong) return;
    throw new EngineError('io', `Could not ${asked.doing}: the service ${wrong} (${asked.place}).`, {
      transient: true,
    });
  }

  /** Services that know no conditions are asked before; then a second creator at the same moment is not noticed. */
  async #saveFirst(
    asked: Asked,
    object: PutObjectCommandInput,
    data: readonly Uint8Array[],
    o: CallOptions | undefined,
  ): Promise<void> {
    try {
      await this.#put(asked, { ...object, IfNoneMatch: '*' }, data, o);
    } catch (e) {
      if (statusOf(e) === 412) await this.#refuseUnlessOurs(data, o);
      else if (!knowsNoConditions(e)) throw e;
      else if (await this.#holdsConfig(o)) await this.#refuseUnlessOurs(data, o);
      else await this.#put(asked, object, data, o);
    }
    this.#new = false;
  }

  /** A config that is there may be ours, from a try whose answer was lost. */
  async #refuseUnlessOurs(data: readonly Uint8Array[], o: CallOptions | undefined): Promise<void> {
    const kept = await this.load(CONFIG_HANDLE, o);
    if (Buffer.compare(kept, Buffer.concat(data)) !== 0) throw this.#exists();
  }

  async #holdsConfig(o: CallOptions | undefined): Promise<boolean> {
    try {
      await this.stat(CONFIG_HANDLE, o);
      return true;
    } catch (e) {
      if (isEngineError(e, 'not-found')) return false;
      throw e;
    }
  }

  async #makeBucket(o: CallOptions | undefined): Promise<void> {
    if (await this.#hasBucket(o)) return;
    const { region } = this.#wire;
    const place =
      region === 'us-east-1' ? {} : { CreateBucketConfiguration: { LocationConstraint: constraint(region) } };
    const asked = this.#asked(`make the bucket ${this.#target.bucket}`);
    const input = { Bucket: this.#target.bucket, ...place };
    try {
      await this.#wire.ask(asked, { signal: o?.signal }, (client, how) =>
        client.send(new CreateBucketCommand(input), how),
      );
    } catch (e) {
      if (reasonOf(e) !== 'BucketAlreadyOwnedByYou') throw e;
    }
  }

  /** A bucket that we may not look at may still take files. */
  async #hasBucket(o: CallOptions | undefined): Promise<boolean> {
    const asked = this.#asked(`look for the bucket ${this.#target.bucket}`);
    try {
      await this.#wire.ask(asked, { signal: o?.signal }, (client, how) =>
        client.send(new HeadBucketCommand({ Bucket: this.#target.bucket }), how),
      );
      return true;
    } catch (e) {
      if (statusOf(e) === 404) return false;
      if (isEngineError(e, 'permission') || statusOf(e) === 400) return true;
      throw e;
    }
  }

  async #head(h: Handle, o: CallOptions | undefined, checksums: boolean): Promise<HeadObjectCommandOutput> {
    const object = { ...this.#object(h), ...(checksums ? { ChecksumMode: 'ENABLED' as const } : {}) };
    try {
      return await this.#wire.ask(
        this.#asked(`look at ${describe(h)}`),
        { signal: o?.signal },
        (client, how) => client.send(new HeadObjectCommand(object), how),
      );
    } catch (e) {
      throw await this.#explained(h, e, o);
    }
  }

  /** Answers to HEAD have no body that says why: the first byte is asked for, whose refusal has one. */
  async #explained(h: Handle, e: unknown, o: CallOptions | undefined): Promise<unknown> {
    const status = statusOf(e);
    if (status === 404 && h.type !== 'config') return notFound(h, e);
    if (![301, 307, 400, 403, 404].includes(status ?? 0) || reasonOf(e) !== undefined) return e;
    const signal = o?.signal ? { signal: o.signal } : {};
    return this.load(h, { ...signal, length: 1 }).then(
      () => e,
      (reason: unknown) => reason,
    );
  }

  /** Nothing, for a range without bytes within a file of `size`. Errors: 'range' for one that reaches beyond; 'io'. */
  #within(h: Handle, size: number, o: LoadOptions | undefined): Uint8Array {
    if (spanOf(h, size, o).length === 0) return new Uint8Array(0);
    throw new EngineError('io', `Could not read ${describe(h)}: the service refuses a range that is there.`);
  }

  async *#listConfig(o: ListOptions | undefined): AsyncGenerator<FileInfo> {
    try {
      const { size } = await this.stat(CONFIG_HANDLE, o);
      yield { name: '', size };
    } catch (e) {
      if (!isEngineError(e, 'not-found')) throw e;
    }
  }

  async #page(type: FileType, from: string | undefined, o: ListOptions | undefined): Promise<Page> {
    const input = { Bucket: this.#target.bucket, Prefix: `${this.#target.prefix}${folderOf(type)}/` };
    const passage: Passage = { signal: o?.signal };
    const ask = this.#options.listV1 ? pageOfV1 : pageOfV2;
    const page = await ask(this.#wire, this.#asked(`list the ${type} files`), passage, input, from);
    // A page of something else, or one whose end is lost, must not pass for a storage that holds no more.
    if (!page.whole || !passage.answer?.body.includes('<ListBucketResult')) throw this.#noList(type);
    return page;
  }

  async *#filesOn(page: Page, type: FileType, o: ListOptions | undefined): AsyncGenerator<FileInfo> {
    const files = page.objects.flatMap((object) => this.#fileOf(type, object) ?? []);
    const { connections } = this.traits;
    for (let i = 0; i < files.length; i += connections) {
      const some = files.slice(i, i + connections);
      const full = o?.checksums ? await Promise.all(some.map((f) => this.#withSum(type, f, o))) : some;
      for (const file of full) {
        throwIfAborted(o?.signal);
        if (file !== undefined) yield file;
      }
    }
    throwIfAborted(o?.signal);
  }

  #fileOf(type: FileType, { Key, Size, LastModified }: Page['objects'][number]): FileInfo | undefined {
    const name = Key?.split('/').at(-1) ?? '';
    if (!isId(name) || Size === undefined || Key !== this.#object({ type, name }).Key) return undefined;
    return { name, size: Size, ...(LastModified ? { storedAt: LastModified.getTime() } : {}) };
  }

  /** Nothing for a file that was removed since it was listed. */
  async #withSum(type: FileType, file: FileInfo, o: CallOptions): Promise<FileInfo | undefined> {
    try {
      const { ChecksumSHA256, ChecksumType } = await this.#head({ type, name: file.name }, o, true);
      const value = ChecksumType === 'COMPOSITE' ? undefined : wholeSum(ChecksumSHA256);
      return value === undefined ? file : { ...file, checksum: { kind: 'sha256', value } };
    } catch (e) {
      if (isEngineError(e, 'not-found')) return undefined;
      throw e;
    }
  }

  /** Whether a key is one that a repository at this place would use. */
  #isOurs(key: string | undefined): key is string {
    if (!key?.startsWith(this.#target.prefix)) return false;
    const path = key.slice(this.#target.prefix.length);
    return /^(?:config|data\/[0-9a-f]{2}\/[0-9a-f]{64}|(?:keys|locks|snapshots|index|holdfast)\/[0-9a-f]{64})$/.test(
      path,
    );
  }

  #object(h: Handle): { readonly Bucket: string; readonly Key: string } {
    return { Bucket: this.#target.bucket, Key: this.#target.prefix + segmentsOf(h).join('/') };
  }

  #asked(doing: string): Asked {
    return { doing, place: this.location };
  }

  #noList(type: FileType): EngineError {
    const message = `Could not list the ${type} files: the service answers with something that is no list (${this.location}).`;
    return new EngineError('io', message, { hint: 'Is it an S3 service, and is the address right?' });
  }

  #exists(): EngineError {
    return new EngineError('repository-exists', `There already is a repository at ${this.location}.`);
  }
}

/** A 404 that speaks of the object, as 'not-found'; any other error as it is. */
function absent(h: Handle, e: unknown): unknown {
  const isAbsent = statusOf(e) === 404 && !isEngineError(e, 'repository-missing');
  return isAbsent ? notFound(h, e) : e;
}

/** 501 where it is told as it should be; others find fault with the header. */
function knowsNoConditions(e: unknown): boolean {
  if (statusOf(e) === 501) return true;
  return (
    statusOf(e) === 400 && /^(InvalidArgument|InvalidRequest|UnexpectedHeader)$/.test(String(reasonOf(e)))
  );
}

/** The SDK knows only the classes and regions of its day; services have others. */
const storageClass = (text: string) => text as StorageClass;
const constraint = (text: string) => text as BucketLocationConstraint;

async function connect(target: string, o: StorageSetting, parts: PartsSetting): Promise<S3> {
  const options = parseOptions(o.options);
  const place = parseTarget(target);
  return new S3(await openWire(place, options, o), place, options, parts);
}

/** Asks the service nothing yet. Errors: 'usage' for address, options and certificates, 'auth-expired' without a key. */
export async function openS3(target: string, o: StorageSetting = {}, parts = PARTS): Promise<Backend> {
  return connect(target, o, parts);
}

/** Errors: 'repository-exists', those of opening, those of a save. */
export async function createS3(target: string, o: StorageSetting = {}, parts = PARTS): Promise<Backend> {
  const s3 = await connect(target, o, parts);
  try {
    await s3.create(o);
    return s3;
  } catch (e) {
    await s3.close();
    throw e;
  }
}
