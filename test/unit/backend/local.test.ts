import { spawnSync } from 'node:child_process';
import fs from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CONFIG_HANDLE } from '../../../src/backend/backend.ts';
import { createLocal, openLocal } from '../../../src/backend/local/local.ts';
import { RESERVE_NAME } from '../../../src/backend/local/reserve.ts';
import type { FileType } from '../../../src/format/types.ts';
import { bytes, named, text } from './support.ts';

let dir: string;
let path: string;
beforeEach(async () => {
  dir = await fs.mkdtemp(join(tmpdir(), 'holdfast-local-'));
  path = join(dir, 'repo');
});
afterEach(() => fs.rm(dir, { recursive: true }));

const pack = named('pack', 'a pack');
const packFile = () => join(path, 'data', pack.h.name.slice(0, 2), pack.h.name);
const create = (reserveBytes = 0) => createLocal(path, { reserveBytes });

async function list(b: { list(type: FileType): AsyncIterable<{ name: string }> }, type: FileType) {
  const names: string[] = [];
  for await (const { name } of b.list(type)) names.push(name);
  return names;
}

const errno = (code: string) => Object.assign(new Error(code), { code });
const modeOf = async (p: string) => (await fs.stat(p)).mode & 0o777;

describe('a new local repository', () => {
  it('has the folders that restic makes, for the owner alone', async () => {
    await create();
    expect((await fs.readdir(path)).sort()).toEqual(['data', 'index', 'keys', 'locks', 'snapshots']);
    const subs = await fs.readdir(join(path, 'data'));
    expect(subs).toHaveLength(256);
    for (const sub of ['', 'data', 'data/00', 'data/ff', 'keys'])
      expect(await modeOf(join(path, sub))).toBe(0o700);
  });

  it('gets a folder for settings with the first of them, and keeps it clean', async () => {
    const b = await create();
    expect(await list(b, 'settings')).toEqual([]);
    const { h, data } = named('settings', 'plans');
    await b.save(h, data);
    const folder = join(path, 'holdfast');
    expect([await modeOf(folder), await modeOf(join(folder, h.name))]).toEqual([0o700, 0o400]);
    await fs.writeFile(join(folder, `${h.name}-tmp-1`), 'left over');
    expect(await list(b, 'settings')).toEqual([h.name]);
    expect(await b.cleanTemporary({ now: Date.now() + 8 * 86_400_000 })).toBe(1);
    expect(await fs.readdir(folder)).toEqual([h.name]);
  });

  it('is not made where one is', async () => {
    await (await create()).save(CONFIG_HANDLE, [bytes('c')]);
    await expect(create()).rejects.toMatchObject({ code: 'repository-exists' });
  });

  it('is not opened where nothing is', async () => {
    await expect(openLocal(path)).rejects.toMatchObject({ code: 'repository-missing' });
  });
});

describe('local files', () => {
  it('are read-only for the owner', async () => {
    const b = await create();
    await b.save(pack.h, pack.data);
    expect(await modeOf(packFile())).toBe(0o400);
  });

  it('are readable for the group where the config is', async () => {
    await (await create()).save(CONFIG_HANDLE, [bytes('c')]);
    await fs.chmod(join(path, 'config'), 0o440);
    await fs.rmdir(join(path, 'data', pack.h.name.slice(0, 2)));
    await (await openLocal(path)).save(pack.h, pack.data);
    expect(await modeOf(packFile())).toBe(0o440);
    expect(await modeOf(join(packFile(), '..'))).toBe(0o770 & ~process.umask());
  });

  it('find their folder again when it was removed', async () => {
    const b = await create();
    await fs.rm(join(path, 'data'), { recursive: true });
    expect(await list(b, 'pack')).toEqual([]);
    await b.save(pack.h, pack.data);
    expect(text(await b.load(pack.h))).toBe('a pack');
  });

  it('are listed without strangers, misplaced and temporary files', async () => {
    const b = await create();
    await b.save(pack.h, pack.data);
    const other = 'ab'.repeat(32);
    for (const p of [`data/${other}`, `data/00/${other}`, 'data/ab/README', `data/ab/${other}-tmp-123`]) {
      await fs.writeFile(join(path, p), 'x');
    }
    await fs.mkdir(join(path, 'data', 'ab', other));
    expect(await list(b, 'pack')).toEqual([pack.h.name]);
  });

  it('are not seen at all when the writer is killed before the rename', async () => {
    const b = await create();
    const local = new URL('../../../src/backend/local/local.ts', import.meta.url).href;
    const script = `
      import fs from 'node:fs/promises';
      fs.rename = () => process.kill(process.pid, 'SIGKILL');
      const { openLocal } = await import(${JSON.stringify(local)});
      const b = await openLocal(process.argv[1]);
      await b.save(${JSON.stringify(pack.h)}, [new Uint8Array(100000)]);`;
    const child = spawnSync(process.execPath, ['--input-type=module', '-e', script, path], {
      encoding: 'utf8',
    });
    expect(child.signal, child.stderr).toBe('SIGKILL');
    expect(await list(b, 'pack')).toEqual([]);
    await expect(b.load(pack.h)).rejects.toMatchObject({ code: 'not-found' });
    const left = await fs.readdir(join(packFile(), '..'));
    expect(left).toEqual([expect.stringMatching(/^[0-9a-f]{64}-tmp-[0-9]+$/)]);
    expect(await b.cleanTemporary()).toBe(0);
    expect(await b.cleanTemporary({ now: Date.now() + 8 * 86_400_000 })).toBe(1);
    expect(await fs.readdir(join(packFile(), '..'))).toEqual([]);
  });

  it.each([
    ['ENOSPC', 'no-space'],
    ['EDQUOT', 'no-space'],
    ['EACCES', 'permission'],
    ['EPERM', 'permission'],
    ['EROFS', 'read-only'],
    ['EIO', 'io'],
    ['ESTALE', 'unreachable'],
  ])('leave nothing behind when the system answers %s', async (code, want) => {
    const b = await create();
    vi.spyOn(fs, 'rename').mockRejectedValueOnce(errno(code));
    await expect(b.save(pack.h, pack.data)).rejects.toMatchObject({
      code: want,
      transient: code === 'ESTALE',
      context: { errno: code },
    });
    expect(await fs.readdir(join(packFile(), '..'))).toEqual([]);
    await b.save(pack.h, pack.data);
    expect(await list(b, 'pack')).toEqual([pack.h.name]);
  });
});

describe('a local repository whose disk goes away', () => {
  const gone = { code: 'unreachable', transient: false, hint: expect.stringContaining('plugged in') };

  async function refusesAll(b: Awaited<ReturnType<typeof create>>) {
    const fresh = named('pack', 'fresh');
    await expect(b.save(fresh.h, fresh.data)).rejects.toMatchObject(gone);
    await expect(b.load(pack.h)).rejects.toMatchObject(gone);
    await expect(b.stat(pack.h)).rejects.toMatchObject(gone);
    await expect(b.remove(pack.h)).rejects.toMatchObject(gone);
    await expect(list(b, 'pack')).rejects.toMatchObject(gone);
    await expect(b.cleanTemporary()).rejects.toMatchObject(gone);
    await b.close();
  }

  it('is unreachable, not empty', async () => {
    const b = await create(4096);
    await b.save(pack.h, pack.data);
    await fs.rename(path, `${path}.away`);
    await refusesAll(b);
    expect(await fs.readdir(dir)).toEqual(['repo.away']);
  });

  it('writes nothing into the folder that lies in its place', async () => {
    const b = await create(4096);
    await b.save(pack.h, pack.data);
    await fs.rename(path, `${path}.away`);
    await fs.mkdir(path);
    await refusesAll(b);
    expect(await fs.readdir(path)).toEqual([]);
  });

  it('notices a swap that happens while a file is opened', async () => {
    const b = await create();
    await b.save(pack.h, pack.data);
    const open = fs.open.bind(fs);
    vi.spyOn(fs, 'open').mockImplementationOnce(async (p, ...rest) => {
      await fs.rename(path, `${path}.away`);
      await fs.mkdir(join(p.toString(), '..'), { recursive: true });
      return open(p, ...rest);
    });
    const fresh = named('snapshot', 'fresh');
    await expect(b.save(fresh.h, fresh.data)).rejects.toMatchObject(gone);
    expect(await fs.readdir(path, { recursive: true })).toEqual(['snapshots']);
  });

  it('is known again by its config where inodes change on one device', async () => {
    const b = await create();
    await b.save(CONFIG_HANDLE, [bytes('sealed with a random IV')]);
    await fs.rename(path, `${path}.old`);
    await fs.cp(`${path}.old`, path, { recursive: true });
    await b.save(pack.h, pack.data);
    expect(text(await b.load(pack.h))).toBe('a pack');
  });

  it('comes back', async () => {
    const b = await create();
    await fs.rename(path, `${path}.away`);
    await expect(b.save(pack.h, pack.data)).rejects.toMatchObject(gone);
    await fs.rename(`${path}.away`, path);
    await b.save(pack.h, pack.data);
  });
});

describe('the reserve', () => {
  const reserve = () => join(path, RESERVE_NAME);
  const size = () =>
    fs.stat(reserve()).then(
      (s) => s.size,
      () => 0,
    );
  const full = (times: number) => {
    const spy = vi.spyOn(fs, 'rename');
    for (let i = 0; i < times; i++) spy.mockRejectedValueOnce(errno('ENOSPC'));
  };

  it('is made of real blocks with the repository', async () => {
    await createLocal(path);
    expect(await size()).toBe(8 << 20);
    expect((await fs.stat(reserve())).blocks * 512).toBeGreaterThanOrEqual(8 << 20);
  });

  it('is not made where it is not wanted', async () => {
    await (await create(0)).close();
    expect(await fs.readdir(path)).not.toContain(RESERVE_NAME);
  });

  it('is not made on a disk with little room', async () => {
    const { bsize } = await fs.statfs(dir);
    const few = { ...(await fs.statfs(dir)), bavail: Math.floor((3 * 65_536) / bsize), bsize };
    vi.spyOn(fs, 'statfs').mockResolvedValue(few);
    const b = await create(65_536);
    await b.save(pack.h, pack.data);
    await b.close();
    expect(await size()).toBe(0);
  });

  it('gives a part of itself to the write that may use it, to no other, and gets it back', async () => {
    const b = await create(1 << 20);
    full(1);
    await expect(b.save(pack.h, pack.data)).rejects.toMatchObject({ code: 'no-space' });
    expect(await size()).toBe(1 << 20);
    full(1);
    const lock = named('lock', 'a lock');
    await b.save(lock.h, lock.data, { fromReserve: true });
    expect(text(await b.load(lock.h))).toBe('a lock');
    expect(await size()).toBe((1 << 20) - 65_536);
    await b.close();
    expect(await size()).toBe(1 << 20);
  });

  it('gives more where a part does not help, and is made anew when it is used up', async () => {
    const b = await create(1 << 20);
    const lock = named('lock', 'a lock');
    full(2);
    await b.save(lock.h, lock.data, { fromReserve: true });
    expect(await size()).toBe((1 << 20) - 65_536 - 8 * 65_536);
    full(2);
    await b.save(lock.h, lock.data, { fromReserve: true });
    expect(await size()).toBe(0);
    await b.close();
    expect(await size()).toBe(1 << 20);
  });

  it('comes to an end: a disk that stays full is an error', async () => {
    const b = await create(65_536);
    full(2);
    const lock = named('lock', 'a lock');
    await expect(b.save(lock.h, lock.data, { fromReserve: true })).rejects.toMatchObject({
      code: 'no-space',
    });
    expect(await list(b, 'lock')).toEqual([]);
  });

  it('is not touched by other errors', async () => {
    const b = await create(65_536);
    vi.spyOn(fs, 'rename').mockRejectedValueOnce(errno('EIO'));
    await expect(b.save(pack.h, pack.data, { fromReserve: true })).rejects.toMatchObject({ code: 'io' });
    expect(await size()).toBe(65_536);
  });

  it('is not made by someone who only reads', async () => {
    await create(0);
    const b = await openLocal(path, { reserveBytes: 65_536 });
    await list(b, 'pack');
    await b.close();
    expect(await size()).toBe(0);
  });
});
