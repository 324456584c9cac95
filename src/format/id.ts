/** Ids between their two forms: 64 hexadecimal digits and 32 bytes. */
import { EngineError } from '../api/errors.ts';
import { type Id, isId } from './types.ts';

/** Bytes of an id. */
export const ID_BYTES = 32;

/** The id whose 32 bytes stand at `offset`. Error: 'internal' where they are fewer. */
export function idFromBytes(bytes: Uint8Array, offset = 0): Id {
  const hex = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString(
    'hex',
    offset,
    offset + ID_BYTES,
  );
  if (!isId(hex)) throw new EngineError('internal', 'an id needs 32 bytes');
  return hex;
}

/** The 32 bytes of an id. */
export function idToBytes(id: Id): Buffer {
  return Buffer.from(id, 'hex');
}
