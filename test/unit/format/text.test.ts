/** Names and strings as Go spells them. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { jsonString, jsonStringOfBytes, jsonValue, parseJson } from '../../../src/format/go-json.ts';
import { isPrintable } from '../../../src/format/go-printable.ts';
import { goQuote, goUnquote } from '../../../src/format/go-quote.ts';
import { fromText, isValidUtf8, rawByteString, toText } from '../../../src/util/byte-string.ts';
import { GOLDEN } from './golden-files.ts';

/** Printed by a Go program: bytes in hexadecimal, `strconv.Quote` of them, `json.Marshal` of them. */
const rows: readonly (readonly [hex: string, quoted: string, json: string])[] = JSON.parse(
  readFileSync(join(GOLDEN, 'go', 'strings.json'), 'utf8'),
);

const json = (text: string): unknown => parseJson(Buffer.from(text), 'a test');
const damaged = expect.objectContaining({ code: 'damaged' });

it('calls printable what Go calls printable, for every code point', () => {
  const map = Uint8Array.from({ length: 0x110000 }, (_, codePoint) => (isPrintable(codePoint) ? 1 : 0));
  // The hash of the same map made by a Go 1.26 program with unicode.IsPrint.
  expect(createHash('sha256').update(map).digest('hex')).toBe(
    'a24a109bc8e347f9490466c59e4160d0dc9dd1006a5be9a4c91af71cd2e7fa99',
  );
});

it('spells bytes as Go does, and reads them back', () => {
  expect(rows.length).toBeGreaterThan(300);
  for (const [hex, quoted, inJson] of rows) {
    const bytes = rawByteString(Buffer.from(hex, 'hex').toString('latin1'));
    expect(goQuote(bytes)).toBe(quoted);
    expect(goUnquote(quoted)).toBe(bytes);
    expect(jsonStringOfBytes(bytes)).toBe(inJson);
    if (isValidUtf8(bytes)) expect(jsonString(toText(bytes))).toBe(inJson);
  }
});

describe('goUnquote', () => {
  it('reads escapes that Go reads but does not write', () => {
    expect(goUnquote('\\101\\u00e9\\U0001F600\\xFF')).toBe(`A${fromText('é\u{1f600}')}\xff`);
  });

  it.each(['\\', '\\q', '\\x1', '\\u12', '\\400', '\\ud800', '\\U00110000', 'a"b', 'a\nb', "\\'"])(
    'refuses %j',
    (quoted) => {
      expect(() => goUnquote(quoted)).toThrow(damaged);
    },
  );
});

describe('parseJson', () => {
  it('keeps long integers exact and short ones plain', () => {
    expect(json('{"a":18446744073709551615,"b":9007199254740993,"c":9007199254740991}')).toEqual({
      a: 18446744073709551615n,
      b: 9007199254740993n,
      c: 9007199254740991,
    });
    expect(json('12345678901234567890')).toBe(12345678901234567890n);
    expect(json('[ 12345678901234567890, 1.5, ":12345678901234567890"]')).toEqual([
      12345678901234567890n,
      1.5,
      ':12345678901234567890',
    ]);
  });

  it('refuses bombs and rubbish', () => {
    expect(() => json('['.repeat(1_000_000))).toThrow(damaged);
    expect(() => json(`${'{"a":'.repeat(100)}1${'}'.repeat(100)}`)).toThrow(damaged);
    for (const text of ['', '{', '"', '"\\', '{"a":1}x', '\ufeff{}', 'nul'])
      expect(() => json(text)).toThrow(damaged);
    expect(json(`"${'['.repeat(1000)}"`)).toBe('['.repeat(1000));
  });

  it('leaves no trace of hostile keys', () => {
    json('{"__proto__":{"polluted":true}}');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

it('writes values as Go compacts them', () => {
  const text = '{"z":["\\u003c",1,-2,true,null,18446744073709551615],"a":{}}';
  expect(jsonValue(json(text))).toBe(text);
  expect(jsonString('\ud800x\udc00')).toBe('"\\ufffdx\\ufffd"');
});
