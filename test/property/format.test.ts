/** Round trips of every kind of value, and parsers that meet rubbish: they answer 'damaged' and nothing else. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isEngineError } from '../../src/api/errors.ts';
import { jsonString, jsonStringOfBytes, parseJson } from '../../src/format/go-json.ts';
import { goQuote, goUnquote } from '../../src/format/go-quote.ts';
import { parseIndex, serializeIndex } from '../../src/format/index-file.ts';
import { nodesEqual } from '../../src/format/node.ts';
import { buildPackHeader, packHeaderSize, parsePackHeader } from '../../src/format/pack-header.ts';
import { parseSnapshot, serializeSnapshot } from '../../src/format/snapshot.ts';
import { fromEpochNs, toEpochNs } from '../../src/format/time.ts';
import { parseTree, serializeTree } from '../../src/format/tree.ts';
import type {
  Id,
  IndexPack,
  Node,
  NodeType,
  PackedBlob,
  Snapshot,
  Timestamp,
  Uint64,
} from '../../src/format/types.ts';
import { type ByteString, fromBytes, fromText, isValidUtf8, toText } from '../../src/util/byte-string.ts';
import { goldenFiles, roundTrip } from '../unit/format/golden-files.ts';

const text = fc.string({ unit: 'binary', maxLength: 12 });
const byteString: fc.Arbitrary<ByteString> = fc.oneof(
  fc.uint8Array({ maxLength: 12 }).map(fromBytes),
  text.map(fromText),
);
const name = byteString.filter((n) => n !== '');
const id: fc.Arbitrary<Id> = fc
  .uint8Array({ minLength: 32, maxLength: 32 })
  .map((bytes) => Buffer.from(bytes).toString('hex') as Id);
const uint32 = fc.nat(0xffff_ffff);
const uint64: fc.Arbitrary<Uint64> = fc
  .oneof(fc.bigInt(0n, 2n ** 64n - 1n), fc.bigInt(0n, 1000n))
  .map((n) => (n <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(n) : n));
/** 1973 to 9987: before that, some zones had seconds that the text drops. */
const moment = fc.bigInt(100_000_000_000_000_000n, 253_000_000_000_000_000_000n);
const timestamp: fc.Arbitrary<Timestamp> = moment.map(fromEpochNs);

const NODE_TYPES = ['file', 'dir', 'symlink', 'dev', 'chardev', 'fifo', 'socket', 'irregular', ''] as const;

const node: fc.Arbitrary<Node> = fc.record({
  name,
  type: fc.constantFrom<NodeType>(...NODE_TYPES),
  mode: uint32,
  mtime: timestamp,
  atime: timestamp,
  ctime: timestamp,
  uid: uint32,
  gid: uint32,
  user: text,
  group: text,
  inode: uint64,
  deviceId: uint64,
  size: uint64,
  links: uint64,
  linkTarget: byteString,
  extendedAttributes: fc.array(
    fc.record({ name: text.map(fromText), value: fc.option(fc.uint8Array({ maxLength: 5 })) }),
    { maxLength: 3 },
  ),
  genericAttributes: fc.option(fc.constant({ 'windows.a': 'AA==', 'windows.b': [1, { x: null }] }), {
    nil: undefined,
  }),
  device: uint64,
  content: fc.option(fc.array(id, { maxLength: 3 })),
  subtree: fc.option(id, { nil: undefined }),
  error: text,
});

const nodes = fc
  .uniqueArray(node, { selector: (n) => n.name, maxLength: 5 })
  .map((list) => list.sort((a, b) => (a.name < b.name ? -1 : 1)));

describe('round trips', () => {
  it('of names: any bytes', () => {
    fc.assert(
      fc.property(byteString, (bytes) => {
        expect(goUnquote(goQuote(bytes))).toBe(bytes);
        expect(JSON.parse(jsonString(goQuote(bytes)))).toBe(goQuote(bytes));
      }),
      { numRuns: 2000 },
    );
  });

  it('of strings: any text, and bytes as their text', () => {
    fc.assert(
      fc.property(byteString, (bytes) => {
        const json = jsonStringOfBytes(bytes);
        if (isValidUtf8(bytes)) expect(json).toBe(jsonString(toText(bytes)));
        expect(typeof parseJson(Buffer.from(json), 'a test')).toBe('string');
      }),
    );
  });

  it('of times', () => {
    fc.assert(
      fc.property(moment, (ns) => {
        expect(toEpochNs(fromEpochNs(ns))).toBe(ns);
      }),
      { numRuns: 2000 },
    );
  });

  it('of trees, to the value and to the byte', () => {
    fc.assert(
      fc.property(nodes, (list) => {
        const bytes = serializeTree(list);
        const back = parseTree(bytes).nodes;
        expect(back).toEqual(list);
        expect(back.every((n, i) => nodesEqual(n, list[i]!))).toBe(true);
        expect(serializeTree(back)).toEqual(bytes);
      }),
    );
  });

  it('of snapshots', () => {
    const filled = text.filter((t) => t !== '');
    const snapshot = fc.record(
      {
        time: timestamp,
        tree: id,
        paths: fc.array(text, { maxLength: 3 }),
        parent: id,
        hostname: filled,
        uid: uint32.filter((n) => n > 0),
        tags: fc.array(text, { minLength: 1, maxLength: 3 }),
        excludes: fc.array(text, { minLength: 1, maxLength: 3 }),
        original: id,
        program_version: filled,
      },
      { requiredKeys: ['time', 'tree', 'paths'] },
    );
    fc.assert(
      fc.property(snapshot, (s) => {
        expect(parseSnapshot(serializeSnapshot(s as Snapshot))).toEqual(s);
      }),
    );
  });
});

const blob: fc.Arbitrary<PackedBlob> = fc.record({
  id,
  type: fc.constantFrom('data', 'tree'),
  offset: uint32,
  length: uint32,
  uncompressedLength: fc.oneof(fc.constant(0), uint32),
});

describe('round trips of the lists of blobs', () => {
  it('in indexes', () => {
    const pack: fc.Arbitrary<IndexPack> = fc.record({ id, blobs: fc.array(blob, { maxLength: 4 }) });
    fc.assert(
      fc.property(fc.array(pack, { maxLength: 4 }), fc.array(id, { maxLength: 2 }), (packs, supersedes) => {
        const bytes = serializeIndex(packs, supersedes);
        expect(parseIndex(bytes)).toEqual({ packs, supersedes });
        expect(JSON.parse(bytes.toString())).toMatchObject({ packs: packs.map((p) => ({ id: p.id })) });
      }),
    );
  });

  it('in pack headers', () => {
    fc.assert(
      fc.property(fc.array(blob, { maxLength: 6 }), (list) => {
        let end = 0;
        const blobs = list.map((b) => {
          end += b.length;
          return { ...b, offset: end - b.length };
        });
        expect(parsePackHeader(buildPackHeader(blobs), end + packHeaderSize(blobs))).toEqual(blobs);
      }),
    );
  });
});

const files = goldenFiles();
const anyFile = fc.constantFrom(...files);

/** Config and key may also name what they can't serve; a tree may not be written back in a wrong order. */
function expectAnswer(read: () => unknown): void {
  try {
    read();
  } catch (e) {
    if (!isEngineError(e, 'damaged', 'unsupported')) throw e;
  }
}

interface Edit {
  readonly at: number;
  readonly cut: number;
  readonly put: Uint8Array;
}

/** Bytes that matter to JSON come up often. */
const piece = fc.oneof(
  fc.uint8Array({ maxLength: 3 }),
  fc
    .constantFrom(
      '"',
      '{',
      '[',
      ']',
      '}',
      ',',
      ':',
      '\\',
      'null',
      '1e999',
      '-',
      '9'.repeat(30),
      '\\ud800',
      ' ',
    )
    .map((s) => new TextEncoder().encode(s)),
);
const edit: fc.Arbitrary<Edit> = fc.record({ at: fc.nat(10_000), cut: fc.nat(8), put: piece });

function mutate(bytes: Buffer, { at, cut, put }: Edit): Buffer {
  const place = at % (bytes.length + 1);
  return Buffer.concat([bytes.subarray(0, place), put, bytes.subarray(place + cut)]);
}

describe('rubbish', () => {
  it('of random bytes', () => {
    fc.assert(
      fc.property(anyFile, fc.uint8Array({ maxLength: 200 }), (file, bytes) => {
        expectAnswer(() => roundTrip(file, bytes));
      }),
      { numRuns: 2000 },
    );
  });

  it('of random JSON', () => {
    fc.assert(
      fc.property(anyFile, fc.json({ maxDepth: 4 }), (file, json) => {
        expectAnswer(() => roundTrip(file, Buffer.from(json)));
      }),
      { numRuns: 1000 },
    );
  });

  it('of golden files with small faults', () => {
    fc.assert(
      fc.property(anyFile, fc.array(edit, { minLength: 1, maxLength: 3 }), (file, edits) => {
        expectAnswer(() => roundTrip(file, edits.reduce(mutate, file.bytes)));
      }),
      { numRuns: 3000 },
    );
  });

  it('of golden files cut short', () => {
    for (const file of files.filter((f) => f.kind !== 'index' && f.bytes.length < 1000)) {
      for (let length = 0; length < file.bytes.length - 1; length++) {
        expect(() => roundTrip(file, file.bytes.subarray(0, length))).toThrow(
          expect.objectContaining({ code: 'damaged' }),
        );
      }
    }
  });
});
