import { describe, expect, it } from 'vitest';
import { newCounters } from '../../../src/archiver/progress.ts';
import { itemJson, itemLine, statusJson, summaryJson, summaryLines } from '../../../src/cli/backup-report.ts';
import { statsJson, statsLines } from '../../../src/cli/commands/stats.ts';
import { jsonText } from '../../../src/cli/json-lines.ts';
import { ncduNode } from '../../../src/cli/ncdu.ts';
import { nodeJson, nodeLine } from '../../../src/cli/node-text.ts';
import { addSample, startRate } from '../../../src/cli/progress-model.ts';
import { groupHeading, snapshotTable } from '../../../src/cli/snapshot-table.ts';
import { formatLocalTime, parseMoment } from '../../../src/cli/time-format.ts';
import type { Snapshot, StoredSnapshot, Timestamp } from '../../../src/format/types.ts';
import { fromText, rawByteString } from '../../../src/util/byte-string.ts';
import { idOf, node, time } from '../../helpers/repo.ts';

const summary = {
  backup_start: '2026-01-01T00:00:00Z' as Timestamp,
  backup_end: '2026-01-01T00:01:05.5Z' as Timestamp,
  files_new: 1,
  files_changed: 2,
  files_unmodified: 3,
  dirs_new: 4,
  dirs_changed: 5,
  dirs_unmodified: 6,
  data_blobs: 7,
  tree_blobs: 8,
  data_added: 2048,
  data_added_packed: 1024,
  total_files_processed: 6,
  total_bytes_processed: 4096,
};
const snapshotId = idOf('s');
const result = { snapshotId, snapshot: {} as Snapshot, summary, errors: 0 };

describe('the report of a backup', () => {
  it('ends in words', () => {
    expect(summaryLines(result, false, 1)).toEqual([
      '',
      'Files:           1 new,     2 changed,     3 unmodified',
      'Dirs:            4 new,     5 changed,     6 unmodified',
      'Added to the repository: 2.000 KiB (1.000 KiB stored)',
      '',
      'processed 6 files, 4.000 KiB in 1:05',
      `snapshot ${snapshotId.slice(0, 8)} saved`,
    ]);
    expect(summaryLines(result, false, 2)).toContain('Data Blobs:      7 new');
    expect(summaryLines({ ...result, errors: 2 }, false, 1).join('\n')).toMatch(/2 problems/);
    expect(summaryLines({ ...result, snapshotId: undefined }, true, 1).at(-1)).toMatch(/dry run/);
    expect(summaryLines({ ...result, snapshotId: undefined }, false, 1).at(-1)).toMatch(/no new one/);
  });

  it('ends in the object of restic', () => {
    const json = JSON.parse(JSON.stringify(summaryJson(result, false)));
    expect(json).toEqual({
      message_type: 'summary',
      ...summary,
      total_duration: 65.5,
      snapshot_id: snapshotId,
    });
    expect(summaryJson(result, true)).toMatchObject({ dry_run: true });
  });

  it('leaves zeros out of the status, as restic does', () => {
    const counters = newCounters();
    const start = JSON.parse(JSON.stringify(statusJson(counters, 500, startRate(0))));
    expect(start).toEqual({ message_type: 'status', percent_done: 0 });
    Object.assign(counters, { bytesTotal: 1000, filesTotal: 4, scanned: true, bytesDone: 500, filesDone: 2 });
    counters.current.add(fromText('/b')).add(fromText('/a'));
    const rate = addSample(startRate(0), 5000, 500);
    expect(JSON.parse(JSON.stringify(statusJson(counters, 5000, rate)))).toEqual({
      message_type: 'status',
      seconds_elapsed: 5,
      seconds_remaining: 5,
      percent_done: 0.5,
      total_files: 4,
      files_done: 2,
      total_bytes: 1000,
      bytes_done: 500,
      current_files: ['/a', '/b'],
    });
  });

  it('tells of each item', () => {
    const event = {
      path: fromText('/d/'),
      kind: 'dir',
      action: 'changed',
      node: node('d', 'dir'),
      dataBytes: 10,
      dataStoredBytes: 42,
      ms: 1500,
    } as const;
    expect(itemLine(event)).toBe('modified  /d/, 10 B metadata added, 42 B stored');
    expect(itemLine({ ...event, action: 'unmodified' })).toBe('unchanged /d/');
    expect(itemJson(event)).toMatchObject({
      action: 'modified',
      item: '/d/',
      duration: 1.5,
      metadata_size: 10,
      data_size: 0,
    });
    expect(itemJson({ ...event, action: 'unmodified' })).toMatchObject({ duration: 0 });
    expect(itemJson({ ...event, kind: 'file' })).toMatchObject({ data_size_in_repo: 42, metadata_size: 0 });
  });
});

describe('nodes as text', () => {
  const item = {
    path: rawByteString('/d/\xffx\n'),
    node: node('x', 'file', { size: 1536, uid: 1, gid: 22, mode: 0o640, mtime: time(0n) }),
    tree: idOf('t'),
  };

  it('are lines that can not steer a terminal', () => {
    expect(nodeLine(item, { long: false, humanReadable: false })).toBe('"/d/\uFFFDx\\n"');
    const when = formatLocalTime(0);
    expect(nodeLine(item, { long: true, humanReadable: false })).toBe(
      `-rw-r-----     1    22   1536 ${when} "/d/\uFFFDx\\n"`,
    );
    expect(nodeLine(item, { long: true, humanReadable: true })).toContain(' 1.500 KiB ');
    const to = { ...item, node: node('l', 'symlink', { linkTarget: fromText('a\x1b[2J') }) };
    expect(nodeLine(to, { long: true, humanReadable: false })).toMatch(/ -> "a\\x1b\[2J"$/);
  });

  it('are the objects of restic', () => {
    expect(JSON.parse(jsonText(nodeJson(item)))).toEqual({
      name: 'x',
      type: 'file',
      path: '/d/\uFFFDx\n',
      uid: 1,
      gid: 22,
      size: 1536,
      mode: 0o640,
      permissions: '-rw-r-----',
      mtime: item.node.mtime,
      atime: item.node.atime,
      ctime: item.node.ctime,
      message_type: 'node',
      struct_type: 'node',
    });
    expect(nodeJson({ ...item, node: node('d', 'dir') }).size).toBeUndefined();
  });

  it('keep numbers that a double can not hold', () => {
    const inode = 18_446_744_073_709_551_615n;
    const text = jsonText(nodeJson({ ...item, node: node('x', 'file', { inode }) }));
    expect(text).toContain('"inode":18446744073709551615');
  });

  it('are what ncdu reads', () => {
    const file = node('f', 'file', { size: 513, mode: 0o4755, mtime: time(-5_000_000_000n) });
    expect(JSON.parse(ncduNode(file))).toMatchObject({
      asize: 513,
      dsize: 1024,
      mode: 0o4755,
      mtime: 0,
      notreg: false,
    });
    expect(JSON.parse(ncduNode(node('l', 'symlink')))).toMatchObject({ notreg: true, asize: 0 });
  });
});

describe('snapshots as a table', () => {
  const snapshot = (o: Partial<StoredSnapshot>): StoredSnapshot => ({
    id: idOf('id'),
    time: '2026-01-02T03:04:05Z' as Timestamp,
    tree: idOf('tree'),
    paths: ['/a'],
    hostname: 'host',
    ...o,
  });

  it('has a line for each path, and blank lines between', () => {
    const lines = snapshotTable([snapshot({ paths: ['/a', '/b'], tags: ['x', 'y'] }), snapshot({})]);
    expect(lines[0]).toMatch(/^ID +Time +Host +Tags +Paths$/);
    expect(lines.filter((line) => line === '')).toHaveLength(1);
    expect(lines.join('\n')).toMatch(/x,y +\/a\n +\/b\n\n.*host +\/a\n/);
    expect(lines.at(-1)).toBe('2 snapshots');
  });

  it('is narrow when asked, and has sizes where they are known', () => {
    const lines = snapshotTable([snapshot({ summary, tags: ['x', 'y'] })], { compact: true });
    expect(lines[0]).toMatch(/^ID +Time +Host +Tags +Size$/);
    expect(lines[2]).toMatch(/host +x +4\.000 KiB$/);
    expect(lines[3]?.trim()).toBe('y');
  });

  it('prints names that could steer a terminal in quotes', () => {
    expect(snapshotTable([snapshot({ hostname: 'a\x1b[2J' })]).join('\n')).toContain('"a\\x1b[2J"');
  });

  it('names groups', () => {
    expect(groupHeading({ hostname: '', paths: null, tags: null })).toBe('');
    expect(groupHeading({ hostname: 'h', paths: ['/a', '/b'], tags: null })).toBe(
      'snapshots for (host [h], paths [/a, /b]):',
    );
  });
});

describe('stats', () => {
  const report = { mode: 'raw-data', snapshots: 2, totalSize: 2048, files: 0, blobs: 3 } as const;
  const compression = { uncompressedSize: 4096, ratio: 2, progress: 100, spaceSaving: 50 };

  it('leave out what is not counted', () => {
    expect(JSON.parse(JSON.stringify(statsJson(report)))).toEqual({
      total_size: 2048,
      total_blob_count: 3,
      snapshots_count: 2,
    });
    expect(statsLines(report)).toEqual([
      'Stats in raw-data mode:',
      '     Snapshots processed:  2',
      '        Total Blob Count:  3',
      '              Total Size:  2.000 KiB',
    ]);
    expect(statsLines({ ...report, compression })).toContain('       Compression Ratio:  2.00x');
    expect(statsJson({ ...report, compression })).toMatchObject({ compression_space_saving: 50 });
  });
});

describe('moments', () => {
  it.each([
    ['2026-01-31', new Date(2026, 0, 31)],
    ['2026-01-31 18:30', new Date(2026, 0, 31, 18, 30)],
    ['31.01.2026 18:30:05', new Date(2026, 0, 31, 18, 30, 5)],
    ['2026-01-31 18:30:05 +0130', new Date('2026-01-31T18:30:05+01:30')],
    ['2026-01-31 18:30:05 UTC', new Date('2026-01-31T18:30:05Z')],
  ])('%s', (text, expected) => {
    expect(parseMoment(text)).toBe(expected.getTime());
  });

  it.each(['2026-02-31', 'yesterday', '2026-1-1', ''])('"%s" is none', (text) => {
    expect(() => parseMoment(text)).toThrow(/is not a time/);
  });
});
