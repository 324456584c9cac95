/**
 * Checked access to the members of parsed JSON. As in Go, `null` counts as absent, and absent text, numbers and
 * lists count as empty; what must not be empty is asked for with `need…`. Every failure is 'damaged' and names the
 * field.
 */
import { type ByteString, fromText } from '../util/byte-string.ts';
import { damaged, type JsonObject } from './go-json.ts';
import { parseTimestamp } from './time.ts';
import { type Id, isId, type Timestamp, type Uint64 } from './types.ts';

const MAX_UINT32 = 0xffff_ffff;
const MAX_UINT64 = 0xffff_ffff_ffff_ffffn;

export function asObject(value: unknown, what: string): JsonObject {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw damaged(what, 'is not a JSON object');
  }
  return value as JsonObject;
}

export function textField(o: JsonObject, key: string, what: string): string {
  const value = o[key] ?? '';
  if (typeof value !== 'string') throw damaged(what, `has a field "${key}" that is not text`);
  return value;
}

/** A text field as its UTF-8 bytes. */
export function bytesField(o: JsonObject, key: string, what: string): ByteString {
  return fromText(textField(o, key, what));
}

export function boolField(o: JsonObject, key: string, what: string): boolean {
  const value = o[key] ?? false;
  if (typeof value !== 'boolean') throw damaged(what, `has a field "${key}" that is not true or false`);
  return value;
}

/** A whole number from `min` to `max`, both exact as doubles; absent is 0. */
export function intField(o: JsonObject, key: string, what: string, min: number, max: number): number {
  const value = o[key] ?? 0;
  if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < min || value > max) {
    throw damaged(what, `has a field "${key}" that is not a whole number in its range`);
  }
  return value;
}

export function uint32Field(o: JsonObject, key: string, what: string): number {
  return intField(o, key, what, 0, MAX_UINT32);
}

/** A count or a size that people meet: whole, not negative, below 2^53. */
export function countField(o: JsonObject, key: string, what: string): number {
  return intField(o, key, what, 0, Number.MAX_SAFE_INTEGER);
}

export function uint64Field(o: JsonObject, key: string, what: string): Uint64 {
  const value = o[key] ?? 0;
  if (typeof value === 'bigint' && value >= 0n && value <= MAX_UINT64) return value;
  return intField(o, key, what, 0, Number.MAX_SAFE_INTEGER);
}

export function needId(o: JsonObject, key: string, what: string): Id {
  const id = optionalId(o, key, what);
  if (id === undefined) throw damaged(what, `lacks the field "${key}"`);
  return id;
}

export function optionalId(o: JsonObject, key: string, what: string): Id | undefined {
  const value = o[key] ?? undefined;
  return value === undefined ? undefined : asId(value, key, what);
}

function asId(value: unknown, key: string, what: string): Id {
  if (typeof value !== 'string' || !isId(value)) {
    throw damaged(what, `has a field "${key}" with something that is not an id`);
  }
  return value;
}

export function needTimestamp(o: JsonObject, key: string, what: string): Timestamp {
  const value = o[key];
  if (typeof value !== 'string') throw damaged(what, `lacks the time "${key}"`);
  return parseTimestamp(value, what);
}

/** The list under `key`, or null where there is none. */
export function listField(o: JsonObject, key: string, what: string): readonly unknown[] | null {
  const value = o[key] ?? null;
  if (value !== null && !Array.isArray(value)) throw damaged(what, `has a field "${key}" that is not a list`);
  return value;
}

export function idsField(o: JsonObject, key: string, what: string): readonly Id[] | null {
  const list = listField(o, key, what);
  return list === null ? null : list.map((item) => asId(item, key, what));
}

export function textsField(o: JsonObject, key: string, what: string): readonly string[] {
  return (listField(o, key, what) ?? []).map((item) => {
    if (typeof item !== 'string') throw damaged(what, `has a field "${key}" with something that is not text`);
    return item;
  });
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** Bytes in standard base64 with padding; null where there are none. */
export function base64Field(o: JsonObject, key: string, what: string): Uint8Array | null {
  const value = o[key] ?? null;
  if (value === null) return null;
  if (typeof value !== 'string' || value.length % 4 !== 0 || !BASE64.test(value)) {
    throw damaged(what, `has a field "${key}" that is not base64`);
  }
  return new Uint8Array(Buffer.from(value, 'base64'));
}
