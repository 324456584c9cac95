import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { createLocal } from '../../../src/backend/local/local.ts';
import { roomAt } from '../../../src/host/asking.ts';
import { tryOut } from '../../../src/host/binding.ts';
import { createRepository } from '../../../src/repository/repository.ts';
import { restoreTree } from '../../../src/restorer/restorer.ts';
import { fromText } from '../../../src/util/byte-string.ts';
import { CHEAP_KDF, memoryRepository, saveTree } from '../../helpers/repo.ts';
import { useTemp } from '../../helpers/scope.ts';

const temp = useTemp();
const linux = process.platform === 'linux';

describe('a place that is tried out', () => {
  it('can take a repository where folders can be made, and keeps no trace', async () => {
    const home = temp.dir();
    expect(await tryOut(join(home, 'new', 'deep'), undefined, 5)).toEqual({
      repository: false,
      facts: null,
      writable: true,
      space: { free: expect.any(Number), total: expect.any(Number), at: 5 },
      problem: null,
    });
    expect(fs.readdirSync(home)).toEqual([]);
  });

  it('can’t be below a file', async () => {
    const file = join(temp.dir(), 'file');
    fs.writeFileSync(file, '');
    await expect(tryOut(file, undefined, 0)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('is a file'),
    });
    for (const location of [join(file, 'x'), join(file, 'x', 'y')]) {
      expect(await tryOut(location, undefined, 0)).toMatchObject({
        repository: false,
        writable: false,
        problem: { code: 'conflict', message: expect.stringContaining('is a file') },
      });
    }
    await expect(createLocal(join(file, 'x'))).rejects.toMatchObject({ code: 'conflict' });
  });

  it.runIf(linux)('can’t be where no folders can be made, which is told soon', async () => {
    for (const location of ['/proc/nowhere', '/proc/nowhere/deep']) {
      expect(await tryOut(location, undefined, 0)).toMatchObject({
        repository: false,
        writable: false,
        problem: { code: 'unsupported', message: expect.stringContaining('/proc') },
      });
      await expect(createLocal(location)).rejects.toMatchObject({ name: 'EngineError' });
      const repo = await memoryRepository();
      const tree = await saveTree(repo, { a: 'a' });
      const restoring = restoreTree(repo, tree, { target: fromText(location), threads: 1 });
      await expect(restoring).rejects.toMatchObject({ name: 'EngineError' });
    }
  });

  it('has no repository where its config is a folder', async () => {
    const home = temp.dir();
    fs.mkdirSync(join(home, 'config'));
    await expect(tryOut(home, undefined, 0)).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('config is a folder'),
    });
    await expect(createLocal(home)).rejects.toMatchObject({ code: 'repository-exists' });
  });

  it('tells what a medium that takes no writes is good for', async () => {
    const home = join(temp.dir(), 'repository');
    const who = { hostname: 'h', username: 'u', password: 'p', kdf: CHEAP_KDF };
    await (await createRepository(await createLocal(home), who)).close();
    const { default: promises } = await import('node:fs/promises');
    const { open } = promises;
    const refuse = vi.spyOn(promises, 'open').mockImplementation(async (...args: Parameters<typeof open>) => {
      if (args[1] !== 'r')
        throw Object.assign(new Error('EROFS'), { code: 'EROFS', errno: -30, syscall: 'open' });
      return open(...args);
    });
    const found = await tryOut(home, 'p', 0);
    refuse.mockRestore();
    expect(found).toMatchObject({
      repository: true,
      writable: false,
      problem: { code: 'read-only', hint: expect.stringContaining('for reading only') },
    });
    expect(found.problem?.message).toContain('can be read');
    expect(await tryOut(home, 'p', 0)).toMatchObject({ writable: true, problem: null });
  });
});

describe('the room at a path', () => {
  it('is that of the nearest folder above', async () => {
    const home = temp.dir();
    expect(await roomAt(join(home, 'a', 'b'))).toMatchObject({ total: (await roomAt(home))!.total });
  });
});
