import { Buffer } from 'node:buffer';
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { copyRepository } from '../../helpers/cli.ts';
import {
  addGarbageFile,
  addOrphanPacks,
  flipByte,
  garbage,
  idsOf,
  pathOf,
  REPOSITORY_TYPES,
  removeIndex,
  removePack,
  truncate,
} from '../../helpers/damage.ts';
import { useTemp } from '../../helpers/scope.ts';

const temp = useTemp();

/** Files in the places of a repository's. Damage looks at names only, so the bytes need not be restic's. */
function repository(): string {
  const folder = temp.dir('repository');
  for (const type of REPOSITORY_TYPES) {
    fs.mkdirSync(join(folder, type));
    for (let i = 0; i < 5; i++) {
      const content = Buffer.alloc(101, `${type} ${i}`);
      const path = pathOf(folder, type, createHash('sha256').update(content).digest('hex'));
      fs.mkdirSync(dirname(path), { recursive: true });
      fs.writeFileSync(path, content, { mode: 0o400 });
    }
  }
  return folder;
}

const bytes = (folder: string, id: string) => fs.readFileSync(pathOf(folder, 'data', id));

describe('damage', () => {
  it('is the same for the same seed, and elsewhere for another', () => {
    const [a, b] = [repository(), repository()];
    expect(removePack(a, 7)).toBe(removePack(b, 7));
    expect(removePack(a, 1)).not.toBe(removePack(a, 2));
    expect(idsOf(a, 'data')).toHaveLength(2);
    expect(() => garbage(a, { type: 'data', id: 'f'.repeat(64) })).toThrow('ENOENT');
  });

  it('flips exactly one bit where it is asked to', () => {
    const folder = repository();
    for (const [where, at] of [
      [{ fraction: 0 }, 0],
      [{ fraction: 1 }, 100],
      [{ fromEnd: 4 }, 97],
      [{ fraction: 0.5 }, 50],
    ] as const) {
      const [id] = idsOf(folder, 'data');
      const before = bytes(folder, id!);
      flipByte(folder, { type: 'data', id: id! }, where);
      const changed = [...bytes(folder, id!)].flatMap((byte, i) =>
        byte === before[i] ? [] : [[i, byte ^ before[i]!]],
      );
      expect(changed).toEqual([[at, 1]]);
    }
    expect(fs.statSync(pathOf(folder, 'data', idsOf(folder, 'data')[0]!)).mode & 0o777).toBe(0o400);
    expect(() => flipByte(folder, { type: 'keys' }, { fromEnd: 0 })).toThrow('has no byte');
  });

  it('truncates, fills with garbage, and removes indexes', () => {
    const folder = repository();
    expect(bytes(folder, truncate(folder, { type: 'data', seed: 1 }))).toHaveLength(50);
    expect(bytes(folder, truncate(folder, { type: 'data', seed: 1 }, 0))).toHaveLength(0);
    const [id] = idsOf(folder, 'data');
    const before = bytes(folder, id!);
    garbage(folder, { type: 'data', id: id! });
    expect(bytes(folder, id!)).toHaveLength(before.length);
    expect(bytes(folder, id!)).not.toEqual(before);
    expect(removeIndex(folder, 2)).toHaveLength(1);
    expect(removeIndex(folder, 'all')).toHaveLength(4);
    expect(() => removeIndex(folder)).toThrow('no index');
  });

  it('adds garbage under a true name, and packs from a later copy', () => {
    const folder = repository();
    const later = temp.dir('later');
    copyRepository(folder, later);
    const id = addGarbageFile(later, 'data', 3);
    expect(createHash('sha256').update(bytes(later, id)).digest('hex')).toBe(id);
    expect(addOrphanPacks(folder, later)).toEqual([id]);
    expect(addOrphanPacks(folder, later)).toEqual([]);
    expect(bytes(folder, id)).toEqual(bytes(later, id));
  });
});
