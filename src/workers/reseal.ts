/**
 * The worker's part of moving blobs from pack to pack: each is opened and compared with its name, so that no damage
 * is ever carried on; some are sealed anew, for another key or to be compressed.
 */
import { asEngineError } from '../api/errors.ts';
import type { Sealer } from '../crypto/sealer.ts';
import { type CodecOptions, openBlob, sealBlob } from './blob-codec.ts';
import { Output } from './output.ts';
import type { NewBlob, ResealBlob, ResealJob, ResealReply } from './protocol.ts';

export interface ResealKeys {
  readonly source: Sealer;
  readonly target: Sealer;
  readonly codec: CodecOptions;
}

/** A damaged blob is told in the reply; only a seal that does not open again ends the whole job ('internal'). */
export function reseal(keys: ResealKeys, job: ResealJob): ResealReply {
  const again = job.blobs.filter((blob) => blob.again);
  const out = new Output(again.reduce((sum, blob) => sum + blob.length, 64));
  const damaged: ResealReply['damaged'][number][] = [];
  const sealed = job.blobs.map((blob, i) => {
    const plain = open(keys, job, blob);
    if (plain instanceof Uint8Array) return blob.again ? sealAgain(keys, blob, plain, out) : undefined;
    damaged.push({ blob: i, error: plain });
    return undefined;
  });
  return { data: job.data, buffer: out.finish(), sealed, damaged };
}

function open({ source }: ResealKeys, { data }: ResealJob, blob: ResealBlob) {
  try {
    const { id, offset, length, uncompressedLength } = blob;
    return openBlob(source, id, data.subarray(offset, offset + length), uncompressedLength);
  } catch (e) {
    return asEngineError(e).toWire();
  }
}

function sealAgain(
  { target, codec }: ResealKeys,
  { id, type }: ResealBlob,
  plain: Uint8Array,
  out: Output,
): NewBlob {
  const { sealed, uncompressedLength } = sealBlob(target, type, id, plain, codec);
  const offset = out.append(sealed);
  return { id, plainLength: plain.length, uncompressedLength, offset, length: sealed.length };
}
