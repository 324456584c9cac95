/** Snapshots between their value and the JSON that restic writes for them. */
import {
  asObject,
  countField,
  needId,
  needTimestamp,
  optionalId,
  textField,
  textsField,
  uint32Field,
} from './fields.ts';
import { type JsonObject, jsonString, parseJson } from './go-json.ts';
import type { Snapshot, SnapshotSummary } from './types.ts';

const WHAT = 'a snapshot';

const COUNTS = [
  'files_new',
  'files_changed',
  'files_unmodified',
  'dirs_new',
  'dirs_changed',
  'dirs_unmodified',
  'data_blobs',
  'tree_blobs',
  'data_added',
  'data_added_packed',
  'total_files_processed',
  'total_bytes_processed',
] as const satisfies readonly (keyof SnapshotSummary)[];

/** The snapshot in a snapshot file (opened and unpacked). Empty optional fields are left out. Error: 'damaged'. */
export function parseSnapshot(bytes: Uint8Array): Snapshot {
  const o = asObject(parseJson(bytes, WHAT), WHAT);
  const summary = o.summary ?? undefined;
  return withoutEmpty({
    time: needTimestamp(o, 'time', WHAT),
    parent: optionalId(o, 'parent', WHAT),
    tree: needId(o, 'tree', WHAT),
    paths: textsField(o, 'paths', WHAT),
    hostname: textField(o, 'hostname', WHAT),
    username: textField(o, 'username', WHAT),
    uid: uint32Field(o, 'uid', WHAT),
    gid: uint32Field(o, 'gid', WHAT),
    excludes: textsField(o, 'excludes', WHAT),
    tags: textsField(o, 'tags', WHAT),
    original: optionalId(o, 'original', WHAT),
    program_version: textField(o, 'program_version', WHAT),
    summary: summary === undefined ? undefined : parseSummary(asObject(summary, WHAT)),
  });
}

type Loose<T> = { readonly [K in keyof T]: T[K] | undefined };

/** Go's `omitempty`, except that the required fields stay. */
function withoutEmpty(s: Loose<Required<Snapshot>>): Snapshot {
  const kept = Object.entries(s).filter(([key, value]) => key === 'paths' || !isEmpty(value));
  return Object.fromEntries(kept) as unknown as Snapshot;
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === '' || value === 0 || (Array.isArray(value) && value.length === 0);
}

function parseSummary(o: JsonObject): SnapshotSummary {
  const counts = Object.fromEntries(COUNTS.map((key) => [key, countField(o, key, WHAT)]));
  return {
    backup_start: needTimestamp(o, 'backup_start', WHAT),
    backup_end: needTimestamp(o, 'backup_end', WHAT),
    ...(counts as Record<(typeof COUNTS)[number], number>),
  };
}

/** The snapshot as restic's JSON, without a newline. */
export function serializeSnapshot(s: Snapshot): Buffer {
  const members = [
    `"time":"${s.time}"`,
    ...textMember('parent', s.parent),
    `"tree":"${s.tree}"`,
    `"paths":${texts(s.paths)}`,
    ...textMember('hostname', s.hostname),
    ...textMember('username', s.username),
    ...(s.uid ? [`"uid":${s.uid}`] : []),
    ...(s.gid ? [`"gid":${s.gid}`] : []),
    ...textsMember('excludes', s.excludes),
    ...textsMember('tags', s.tags),
    ...textMember('original', s.original),
    ...textMember('program_version', s.program_version),
    ...(s.summary === undefined ? [] : [`"summary":${serializeSummary(s.summary)}`]),
  ];
  return Buffer.from(`{${members.join(',')}}`, 'utf8');
}

function textMember(key: string, value: string | undefined): readonly string[] {
  return value === undefined || value === '' ? [] : [`"${key}":${jsonString(value)}`];
}

function textsMember(key: string, values: readonly string[] | undefined): readonly string[] {
  return values === undefined || values.length === 0 ? [] : [`"${key}":${texts(values)}`];
}

function texts(values: readonly string[]): string {
  return `[${values.map(jsonString).join(',')}]`;
}

function serializeSummary(s: SnapshotSummary): string {
  const counts = COUNTS.map((key) => `"${key}":${s[key]}`);
  return `{"backup_start":"${s.backup_start}","backup_end":"${s.backup_end}",${counts.join(',')}}`;
}
