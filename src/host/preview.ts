/** What a file of a version holds, for eyes: a text or its beginning, or an image. */
import { EngineError } from '../api/errors.ts';
import type { FilePreview } from '../api/model/look.ts';
import type { CallOptions } from '../backend/backend.ts';
import type { Id, Node } from '../format/types.ts';
import type { IndexedRepository } from '../repository/repository.ts';
import { contentOf, sizeOf } from '../restorer/content-stream.ts';
import { imageTypeOf, textOf } from './file-kind.ts';

/** Of a text; what is longer is cut there. */
export const MOST_TEXT_BYTES = 256 * 1024;
export const MOST_IMAGE_BYTES = 8 << 20;
/** Far beyond what any chunker cuts; longer ones could only exhaust memory. */
const MOST_BLOB_BYTES = 256 << 20;

/** Only the blobs are read that it takes. Errors: 'damaged' where one of them can't be, the backend's, the signal's reason. */
export async function previewOf(
  repo: IndexedRepository,
  node: Node | undefined,
  o: CallOptions = {},
): Promise<FilePreview> {
  if (node?.type !== 'file') return { kind: 'none', reason: 'not-a-file' };
  const content = node.content ?? [];
  if (content.length === 0) return { kind: 'none', reason: 'empty' };
  const start = await readStart(repo, content, MOST_TEXT_BYTES, o);
  const mediaType = imageTypeOf(start.bytes);
  if (mediaType !== undefined) return imageOf(repo, node, mediaType, o);
  const text = textOf(start.bytes, start.cut);
  return text === undefined ? { kind: 'none', reason: 'binary' } : { kind: 'text', text, cut: start.cut };
}

async function imageOf(
  repo: IndexedRepository,
  node: Node,
  mediaType: string,
  o: CallOptions,
): Promise<FilePreview> {
  const tooLarge = { kind: 'none', reason: 'too-large' } as const;
  if (Number(node.size) > MOST_IMAGE_BYTES) return tooLarge;
  // What the node claims may be wrong; its content is what counts.
  const { bytes, cut } = await readStart(repo, node.content ?? [], MOST_IMAGE_BYTES, o);
  return cut ? tooLarge : { kind: 'image', mediaType, data: bytes.toString('base64') };
}

export interface Start {
  readonly bytes: Buffer;
  /** There is more of it. */
  readonly cut: boolean;
}

/** The first bytes of a file, no more than `most`, from no more blobs than they lie in. */
export async function readStart(
  repo: IndexedRepository,
  content: readonly Id[],
  most: number,
  o: CallOptions,
): Promise<Start> {
  const needed: Id[] = [];
  let covered = 0;
  for (let at = 0; at < content.length && covered < most; at++) {
    const size = sizeOf(repo, content[at]!);
    if (size > MOST_BLOB_BYTES) throw impossible(content[at]!);
    needed.push(content[at]!);
    covered += size;
  }
  const parts: Uint8Array[] = [];
  for await (const part of contentOf(repo, needed, o)) parts.push(part);
  const cut = covered > most || needed.length < content.length;
  return { bytes: Buffer.concat(parts).subarray(0, most), cut };
}

function impossible(id: Id): EngineError {
  return new EngineError('damaged', `The index gives a part of its content (${id}) an impossible size.`, {
    hint: 'Check the destination to learn what is affected.',
    context: { blob: id },
  });
}
