/** The local backend on a real small disk: an ext4 image on a loop device. Needs root, mkfs.ext4 and mount. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isEngineError } from '../../src/api/errors.ts';
import type { Backend } from '../../src/backend/backend.ts';
import { createLocal } from '../../src/backend/local/local.ts';
import { RESERVE_BYTES, RESERVE_NAME } from '../../src/backend/local/reserve.ts';
import type { FileType } from '../../src/format/types.ts';

const isRoot = process.getuid?.() === 0;
if (!isRoot)
  process.stderr.write('SKIPPED: test/real/local-disk.test.ts mounts a disk image: run it as root.\n');

const MIB = 1 << 20;
const handle = (type: FileType) => ({ type, name: randomBytes(32).toString('hex') });

describe.skipIf(!isRoot)('the local backend on a small disk', () => {
  let dir: string;
  let disk: string;
  let mounted = false;

  const mount = () => {
    execFileSync('mount', ['-o', 'loop', join(dir, 'image'), disk]);
    mounted = true;
  };
  const unmount = () => {
    execFileSync('umount', [disk]);
    mounted = false;
  };

  beforeEach(async () => {
    dir = await fs.mkdtemp(join(tmpdir(), 'holdfast-disk-'));
    disk = join(dir, 'disk');
    await fs.mkdir(disk);
    await fs.writeFile(join(dir, 'image'), '');
    await fs.truncate(join(dir, 'image'), 48 * MIB);
    // No blocks kept back for root: the disk shall be as full as for anyone.
    execFileSync('mkfs.ext4', ['-q', '-m', '0', join(dir, 'image')]);
    mount();
  });

  afterEach(async () => {
    if (mounted) unmount();
    await fs.rm(dir, { recursive: true });
  });

  async function filesIn(path: string): Promise<readonly string[]> {
    const all = await fs.readdir(path, { recursive: true, withFileTypes: true });
    return all.filter((e) => e.isFile()).map((e) => e.name);
  }

  /** Saves packs of `size` random bytes until the disk takes no more; their names. */
  async function fill(b: Backend, size: number): Promise<readonly string[]> {
    const names: string[] = [];
    for (;;) {
      const h = handle('pack');
      try {
        await b.save(h, [randomBytes(size)]);
        names.push(h.name);
      } catch (e) {
        if (!isEngineError(e, 'no-space')) throw e;
        expect(e.transient).toBe(false);
        return names;
      }
    }
  }

  it('tells a full disk, keeps what was saved and leaves no partial file', async () => {
    const b = await createLocal(join(disk, 'repo'));
    const names = await fill(b, MIB);
    expect(names.length).toBeGreaterThan(10);
    const found: string[] = [];
    for await (const f of b.list('pack')) found.push(f.name);
    expect(found.sort()).toEqual([...names].sort());
    expect([...(await filesIn(join(disk, 'repo')))].sort()).toEqual([RESERVE_NAME, ...names].sort());
    for (const name of names) expect(await b.load({ type: 'pack', name })).toHaveLength(MIB);
  });

  it('writes a lock and an index on a full disk from the reserve, and makes the reserve anew when there is room', async () => {
    const b = await createLocal(join(disk, 'repo'));
    const names = [...(await fill(b, MIB)), ...(await fill(b, 64 << 10)), ...(await fill(b, 4096))];
    const [lock, index] = [handle('lock'), handle('index')];
    await expect(b.save(index, [randomBytes(2 * MIB)])).rejects.toMatchObject({ code: 'no-space' });
    await expect(b.save(lock, [randomBytes(8192)])).rejects.toMatchObject({ code: 'no-space' });
    expect(await filesIn(join(disk, 'repo'))).toContain(RESERVE_NAME);
    await b.save(lock, [randomBytes(8192)], { fromReserve: true });
    await b.save(index, [randomBytes(2 * MIB)], { fromReserve: true });
    expect(await b.load(index)).toHaveLength(2 * MIB);
    const reserve = async () => (await fs.stat(join(disk, 'repo', RESERVE_NAME))).size;
    expect(await reserve()).toBeLessThan(RESERVE_BYTES);
    await b.close();
    expect(await reserve()).toBeLessThan(RESERVE_BYTES);
    for (const name of names) await b.remove({ type: 'pack', name });
    await b.save(lock, [randomBytes(8192)]);
    await b.close();
    expect(await reserve()).toBe(RESERVE_BYTES);
  });

  it.each(['', 'repo'])(
    'refuses to write into the mount point of an unmounted disk (folder %j)',
    async (folder) => {
      const b = await createLocal(join(disk, folder));
      const kept = handle('pack');
      await b.save(kept, [randomBytes(1000)]);
      unmount();
      const gone = { code: 'unreachable', hint: expect.stringContaining('plugged in') };
      await expect(b.save(handle('pack'), [randomBytes(1000)])).rejects.toMatchObject(gone);
      await expect(b.load(kept)).rejects.toMatchObject(gone);
      await expect(b.list('pack')[Symbol.asyncIterator]().next()).rejects.toMatchObject(gone);
      await b.close();
      expect(await fs.readdir(disk)).toEqual([]);
      mount();
      expect(await b.load(kept)).toHaveLength(1000);
    },
  );

  it('tells a disk that became read-only', async () => {
    const b = await createLocal(join(disk, 'repo'));
    const kept = handle('index');
    await b.save(kept, [randomBytes(10)]);
    execFileSync('mount', ['-o', 'remount,ro', disk]);
    await expect(b.save(handle('lock'), [randomBytes(10)])).rejects.toMatchObject({ code: 'read-only' });
    await expect(b.remove(kept)).rejects.toMatchObject({ code: 'read-only' });
    expect(await b.load(kept)).toHaveLength(10);
    await b.close();
  });
});
