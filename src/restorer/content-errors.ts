/** What can be wrong with the content of a file in a snapshot, whatever it is restored to. */
import { EngineError } from '../api/errors.ts';
import type { Id } from '../format/types.ts';
import { showPath } from '../fs/errors.ts';
import type { ByteString } from '../util/byte-string.ts';

export function lostBlob(id: Id): EngineError {
  return new EngineError('damaged', `A part of its content (${id}) is in no pack that the index knows.`, {
    hint: 'Run "repair index"; if that does not bring it back, another snapshot may have the file whole.',
    context: { blob: id },
  });
}

export function impossibleBlob(id: Id): EngineError {
  return new EngineError('damaged', `The index gives a part of its content (${id}) an impossible size.`, {
    hint: 'Run "repair index".',
    context: { blob: id },
  });
}

/** `said`: the size that the snapshot gives. In bytes. */
export function otherSize(location: ByteString, said: bigint | number, size: number): EngineError {
  return new EngineError(
    'damaged',
    `The snapshot says that ${showPath(location)} has ${said} bytes; its content has ${size}.`,
  );
}
