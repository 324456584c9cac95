/**
 * Files that are too large for one request, sent in parts. Nothing is visible before the last call; what was sent until then is
 * dropped where the save fails, or else by `cleanTemporary`.
 */
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListMultipartUploadsCommand,
  type ListMultipartUploadsCommandInput,
  type ListMultipartUploadsCommandOutput,
  type MultipartUpload,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { EngineError } from '../../api/errors.ts';
import type { CallOptions } from '../backend.ts';
import { throwIfAborted, totalLength } from '../calls.ts';
import { type Asked, statusOf } from './errors.ts';
import { sumOf } from './sums.ts';
import type { Wire } from './wire.ts';

export interface PartsSetting {
  /** Larger files are sent in parts; bytes. */
  readonly above: number;
  /** Of each part but the last; services want 5 MiB at least. */
  readonly partBytes: number;
}

export interface Upload {
  readonly wire: Wire;
  readonly asked: Asked;
  /** Bucket and key, and what kind of object it will be. */
  readonly object: { readonly Bucket: string; readonly Key: string };
  readonly UploadId: string;
}

interface Part {
  readonly PartNumber: number;
  readonly ETag: string;
  readonly ChecksumSHA256: string;
}

const MOST_PARTS = 10_000;

/** Errors: those of a save. */
export async function saveInParts(
  wire: Wire,
  asked: Asked,
  object: Upload['object'] & Readonly<Record<string, unknown>>,
  data: readonly Uint8Array[],
  o: CallOptions | undefined,
  partBytes: number,
): Promise<void> {
  const { Bucket, Key } = object;
  const input = { ...object, ChecksumAlgorithm: 'SHA256' } as const;
  const { UploadId } = await wire.ask(asked, { signal: o?.signal }, (client, how) =>
    client.send(new CreateMultipartUploadCommand(input), how),
  );
  if (UploadId === undefined)
    throw new EngineError('io', `Could not ${asked.doing}: the service began no upload.`);
  const upload: Upload = { wire, asked, object: { Bucket, Key }, UploadId };
  try {
    const parts: Part[] = [];
    const least = Math.ceil(totalLength(data) / MOST_PARTS);
    for (const bytes of partsOf(data, Math.max(partBytes, least))) {
      parts.push(await sendPart(upload, parts.length + 1, bytes, o));
    }
    throwIfAborted(o?.signal);
    await complete(upload, parts, o);
  } catch (e) {
    // What is left behind here, `cleanTemporary` finds: the failure that led here matters more.
    await dropUpload(upload).catch(() => undefined);
    throw e;
  }
}

async function sendPart(
  { wire, asked, object, UploadId }: Upload,
  PartNumber: number,
  body: readonly Uint8Array[],
  o: CallOptions | undefined,
): Promise<Part> {
  const ChecksumSHA256 = sumOf(body);
  const ContentLength = totalLength(body);
  const input = { ...object, UploadId, PartNumber, ChecksumSHA256, ContentLength, Body: Buffer.alloc(0) };
  const { ETag } = await wire.ask(asked, { body, signal: o?.signal, pace: o?.pace }, (client, how) =>
    client.send(new UploadPartCommand(input), how),
  );
  if (ETag === undefined) {
    throw new EngineError('io', `Could not ${asked.doing}: the service did not say that it stored a part.`, {
      transient: true,
    });
  }
  return { PartNumber, ETag, ChecksumSHA256 };
}

async function complete(
  { wire, asked, object, UploadId }: Upload,
  Parts: readonly Part[],
  o: CallOptions | undefined,
): Promise<void> {
  const input = { ...object, UploadId, MultipartUpload: { Parts: [...Parts] } };
  await wire.ask(asked, { signal: o?.signal }, (client, how) =>
    client.send(new CompleteMultipartUploadCommand(input), how),
  );
}

/** Errors: those of a removal; none where the upload is gone. */
export async function dropUpload(
  { wire, asked, object, UploadId }: Upload,
  signal?: AbortSignal,
): Promise<void> {
  const input = { ...object, UploadId };
  try {
    await wire.ask(asked, { signal }, (client, how) =>
      client.send(new AbortMultipartUploadCommand(input), how),
    );
  } catch (e) {
    if (statusOf(e) !== 404) throw e;
  }
}

/** All uploads under way whose keys begin with the prefix, other people's too. */
export async function* uploadsUnder(
  wire: Wire,
  asked: Asked,
  { bucket, prefix }: { readonly bucket: string; readonly prefix: string },
  o: CallOptions,
): AsyncGenerator<MultipartUpload> {
  let from: Pick<ListMultipartUploadsCommandInput, 'KeyMarker' | 'UploadIdMarker'> | undefined = {};
  while (from !== undefined) {
    const command = new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix, ...from });
    const page: ListMultipartUploadsCommandOutput = await wire.ask(
      asked,
      { signal: o.signal },
      (client, how) => client.send(command, how),
    );
    yield* page.Uploads ?? [];
    from = page.IsTruncated
      ? { KeyMarker: page.NextKeyMarker, UploadIdMarker: page.NextUploadIdMarker }
      : undefined;
  }
}

/** The data as lists of `size` bytes each; the last has what remains. */
export function* partsOf(data: readonly Uint8Array[], size: number): Generator<readonly Uint8Array[]> {
  let part: Uint8Array[] = [];
  let room = size;
  for (const bytes of data) {
    for (let at = 0; at < bytes.length; ) {
      const piece = bytes.subarray(at, at + room);
      part.push(piece);
      at += piece.length;
      room -= piece.length;
      if (room > 0) continue;
      yield part;
      part = [];
      room = size;
    }
  }
  if (part.length > 0) yield part;
}
