import { PassThrough, Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/api/errors.ts';
import type { Id } from '../../../src/format/types.ts';
import { type DumpOptions, dump } from '../../../src/operations/dump.ts';
import type { IndexedRepository } from '../../../src/repository/repository.ts';
import { aclText } from '../../../src/restorer/archive/acl.ts';
import { TarWriter } from '../../../src/restorer/archive/tar.ts';
import { ZipWriter } from '../../../src/restorer/archive/zip.ts';
import { fromText } from '../../../src/util/byte-string.ts';
import { idOf, memoryRepository, node, saveBlobs, saveNodes, saveTree } from '../../helpers/repo.ts';

class Collector extends Writable {
  readonly parts: Buffer[] = [];
  override _write(part: Buffer, _: string, done: () => void): void {
    this.parts.push(part);
    done();
  }
  get bytes(): Buffer {
    return Buffer.concat(this.parts);
  }
}

const blob = (letter: string, size: number) => Buffer.alloc(size, letter);

async function dumped(
  repo: IndexedRepository,
  tree: Id,
  path: string,
  o: Partial<DumpOptions> = {},
): Promise<Buffer> {
  const out = new Collector();
  const result = await dump(repo, { tree }, { path: fromText(path), format: 'tar', out, ...o });
  expect(result.bytes).toBe(out.bytes.length);
  return out.bytes;
}

describe('dump of a file', () => {
  it('writes its bytes in order', async () => {
    const repo = await memoryRepository();
    const blobs = Array.from({ length: 40 }, (_, i) => blob(String.fromCharCode(65 + i), 100_000));
    const tree = await saveTree(repo, { dir: { f: blobs }, empty: '' });
    expect((await dumped(repo, tree, '/dir/f')).equals(Buffer.concat(blobs))).toBe(true);
    expect(await dumped(repo, tree, 'f', { subfolder: fromText('/dir') })).toHaveLength(4_000_000);
    expect(await dumped(repo, tree, 'empty')).toHaveLength(0);
  });

  it('waits for a slow reader and holds little meanwhile', async () => {
    const repo = await memoryRepository();
    const tree = await saveTree(repo, { f: Array.from({ length: 64 }, (_, i) => blob(`${i}`, 1 << 20)) });
    const out = new PassThrough();
    const running = dump(repo, { tree }, { path: fromText('f'), format: 'tar', out });
    let most = 0;
    let total = 0;
    for await (const part of out) {
      most = Math.max(most, out.writableLength + out.readableLength);
      total += part.length;
      if (total === 64 << 20) break;
    }
    await running.catch(() => {});
    expect(total).toBe(64 << 20);
    expect(most).toBeLessThan(4 << 20);
  });

  it('fails for what is not there, has no content, or lacks a blob', async () => {
    const repo = await memoryRepository();
    const content = [...(await saveBlobs(repo, [blob('x', 10)])), idOf('lost')];
    const tree = await saveNodes(repo, [node('f', 'file', { content }), node('p', 'fifo')]);
    await expect(dumped(repo, tree, 'none')).rejects.toMatchObject({ code: 'path-missing' });
    await expect(dumped(repo, tree, 'f/g')).rejects.toMatchObject({ code: 'path-missing' });
    await expect(dumped(repo, tree, 'p')).rejects.toMatchObject({ code: 'unsupported' });
    await expect(dumped(repo, tree, 'f')).rejects.toMatchObject({ code: 'damaged' });
    await expect(dumped(repo, tree, '/')).rejects.toMatchObject({ code: 'damaged' });
  });

  it('ends with a sentence when the output breaks, and with the reason when told to stop', async () => {
    const repo = await memoryRepository();
    const tree = await saveTree(repo, { f: Array.from({ length: 20 }, (_, i) => blob(`${i}`, 1 << 20)) });
    const broken = new Writable({
      write: (_, __, done) => done(Object.assign(new Error('EPIPE'), { code: 'EPIPE' })),
    });
    await expect(dumped(repo, tree, 'f', { out: broken })).rejects.toBeInstanceOf(EngineError);
    const stuck = new Writable({ write: () => {} });
    const controller = new AbortController();
    const stopped = dump(
      repo,
      { tree },
      { path: fromText('f'), format: 'tar', out: stuck, signal: controller.signal },
    );
    const reason = new Error('enough');
    setImmediate(() => controller.abort(reason));
    await expect(stopped).rejects.toBe(reason);
  });

  it('asks before an archive is begun', async () => {
    const repo = await memoryRepository();
    const tree = await saveTree(repo, { f: 'file', d: {} });
    const onArchive = () => {
      throw new EngineError('usage', 'a terminal');
    };
    await expect(dumped(repo, tree, 'd', { onArchive })).rejects.toMatchObject({ code: 'usage' });
    expect((await dumped(repo, tree, 'f', { onArchive })).toString()).toBe('file');
  });

  it.each(['tar', 'zip'] as const)('leaves names out of a %s that lead elsewhere', async (format) => {
    const repo = await memoryRepository();
    const content = await saveBlobs(repo, [blob('x', 10)]);
    const names = ['..', '../up', '/etc/passwd', ''];
    const tree = await saveNodes(
      repo,
      names.map((name) => node(name, 'file', { content })),
    );
    const refused: string[] = [];
    const bytes = await dumped(repo, tree, '/', { format, onRefused: (path) => refused.push(path) });
    expect(refused).toHaveLength(4);
    expect(bytes.includes('passwd') || bytes.includes('..')).toBe(false);
  });
});

describe('numbers beyond the old limits', () => {
  const entry = { path: fromText('f'), node: node('f', 'file', { uid: 0x7fff_ffff }), linkTo: undefined };

  // biome-ignore lint/correctness/useYield: a content that is never given
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    throw new Error('enough');
  };

  it('stand in pax records', async () => {
    const content = endless;
    const size = 9_000_000_000_000;
    const parts: Buffer[] = [];
    const writer = new TarWriter((b) => void parts.push(Buffer.from(b)));
    await expect(writer.add({ ...entry, size, content })).rejects.toThrow('enough');
    const text = Buffer.concat(parts).toString('latin1');
    expect(text).toContain('22 size=9000000000000\n');
    expect(text).toContain('18 uid=2147483647\n');
    expect(text).toContain('30 mtime=1600000000.123456789\n');
  });

  it('stand in zip64 fields', async () => {
    const parts: Buffer[] = [];
    const writer = new ZipWriter((b) => void parts.push(Buffer.from(b)));
    const add = writer.add({ ...entry, size: 5_000_000_000, content: endless });
    await expect(add).rejects.toThrow('enough');
    const header = parts[0]!;
    expect(header.readUInt32LE(22)).toBe(0xffff_ffff);
    expect(header.readUInt16LE(31)).toBe(1);
    expect(header.readUInt16LE(33)).toBe(16);
  });

  it('ends with an error when the content is shorter than announced', async () => {
    const short = async function* () {
      yield Buffer.from('abc');
    };
    for (const writer of [new TarWriter(() => {}), new ZipWriter(() => {})])
      await expect(writer.add({ ...entry, size: 10, content: short })).rejects.toMatchObject({
        code: 'damaged',
      });
  });
});

describe('ACLs', () => {
  it('become text', () => {
    const bytes = Buffer.alloc(4 + 5 * 8);
    bytes.writeUInt32LE(2, 0);
    const entries = [
      [1, 7, 0xffff_ffff],
      [2, 6, 1000],
      [4, 5, 0xffff_ffff],
      [16, 7, 0xffff_ffff],
      [32, 4, 0xffff_ffff],
    ] as const;
    entries.forEach(([tag, bits, who], i) => {
      bytes.writeUInt16LE(tag, 4 + i * 8);
      bytes.writeUInt16LE(bits, 6 + i * 8);
      bytes.writeUInt32LE(who, 8 + i * 8);
    });
    expect(aclText(bytes)).toBe('user::rwx\nuser:1000:rw-\ngroup::r-x\nmask::rwx\nother::r--\n');
    for (const bad of [Buffer.alloc(0), Buffer.alloc(4), bytes.subarray(0, 13)])
      expect(aclText(bad)).toBeUndefined();
  });
});
