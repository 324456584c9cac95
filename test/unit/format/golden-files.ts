/** The golden files of the format, and a parser with its serialiser for each kind. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseConfig, serializeConfig } from '../../../src/format/config.ts';
import { parseIndex, serializeIndex } from '../../../src/format/index-file.ts';
import {
  parseKeyFile,
  parseMasterKey,
  serializeKeyFile,
  serializeMasterKey,
} from '../../../src/format/key.ts';
import { parseLock, serializeLock } from '../../../src/format/lock.ts';
import { buildPackHeader, parsePackHeader } from '../../../src/format/pack-header.ts';
import { parseSnapshot, serializeSnapshot } from '../../../src/format/snapshot.ts';
import { parseTree, serializeTree } from '../../../src/format/tree.ts';

export const GOLDEN = join(import.meta.dirname, '../../golden/format');

export interface GoldenFile {
  readonly version: string;
  readonly name: string;
  /** v1 or v2 */
  readonly repository: string;
  readonly kind: keyof typeof CODECS;
  /** Of a header's pack; else NaN. */
  readonly packSize: number;
  readonly bytes: Buffer;
}

type Codec = (bytes: Uint8Array, packSize: number) => Buffer;

const tree: Codec = (b) => serializeTree(parseTree(b).nodes);

const CODECS = {
  config: (b) => serializeConfig(parseConfig(b)),
  key: (b) => serializeKeyFile(parseKeyFile(b)),
  masterkey: (b) => serializeMasterKey(parseMasterKey(b)),
  lock: (b) => serializeLock(parseLock(b)),
  snapshot: (b) => serializeSnapshot(parseSnapshot(b)),
  index: (b) => {
    const index = parseIndex(b);
    return serializeIndex(index.packs, index.supersedes);
  },
  header: (b, packSize) => buildPackHeader(parsePackHeader(b, packSize)),
  tree,
  newer: tree,
} satisfies Record<string, Codec>;

export function goldenFiles(): readonly GoldenFile[] {
  return ['restic-0.14', 'restic-0.19'].flatMap((version) =>
    readdirSync(join(GOLDEN, version)).map((name) => {
      const [repository, kind, rest] = name.split(/[-.]/);
      return {
        version,
        name,
        repository: repository!,
        kind: kind as keyof typeof CODECS,
        packSize: Number(rest),
        bytes: readFileSync(join(GOLDEN, version, name)),
      };
    }),
  );
}

/** The file parsed and written again; `bytes` may stand in for the file's own. */
export function roundTrip(file: GoldenFile, bytes: Uint8Array = file.bytes): Buffer {
  const codec: Codec = CODECS[file.kind];
  return codec(bytes, file.packSize);
}
