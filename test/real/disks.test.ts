/** Real file systems as the computer sees them: mounted, taken away, hidden behind a link. */
import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createComputer } from '../../src/host/computer.ts';
import { destinationOf, planOf } from '../helpers/host-values.ts';
import { useTemp } from '../helpers/scope.ts';

const temp = useTemp();

describe('a disk that is mounted', () => {
  it('is listed with its room and what lies on it, and suggested', async () => {
    const disk = temp.disk('ext4', 32);
    const home = fs.realpathSync(temp.dir('home'));
    fs.mkdirSync(join(home, 'Documents'));
    fs.mkdirSync(join(disk, 'repository'));
    fs.symlinkSync(disk, join(home, 'link'));
    const usb = destinationOf({ location: join(home, 'link', 'repository') });
    const plan = planOf({ sources: [{ kind: 'path', path: disk }] });
    const computer = createComputer({
      home,
      env: {},
      plans: () => [plan],
      destinations: () => [usb],
    });
    const found = (await computer.disks()).find(({ path }) => path === disk);
    const room = fs.statfsSync(disk);
    expect(found).toMatchObject({
      total: room.blocks * room.bsize,
      system: false,
      destinationIds: [usb.id],
      planIds: [plan.id],
    });
    expect(found?.device).toMatch(/^\/dev\/loop/);
    const { sources, destinations } = await computer.suggestions();
    expect(sources).toEqual([{ kind: 'documents', path: join(home, 'Documents') }]);
    const folders = destinations.map(({ folder }) => folder);
    expect(folders).toContain(join(disk, 'Holdfast'));
    temp.clear();
    expect((await computer.disks()).map(({ path }) => path)).not.toContain(disk);
  });

  it('that can’t be written to is listed, but not suggested, and its folders say so', async () => {
    const disk = temp.disk('ext4', 32);
    const computer = createComputer({ home: disk, env: {}, plans: () => [], destinations: () => [] });
    expect((await computer.folder(disk)).writable).toBe(true);
    execFileSync('mount', ['-o', 'remount,ro', disk]);
    expect((await computer.folder(disk)).writable).toBe(false);
    await expect(computer.makeFolder(join(disk, 'new'))).rejects.toMatchObject({ code: 'read-only' });
    const elsewhere = createComputer({
      home: temp.dir('home'),
      env: {},
      plans: () => [],
      destinations: () => [],
    });
    expect((await elsewhere.disks()).map(({ path }) => path)).toContain(disk);
    const { destinations } = await elsewhere.suggestions();
    expect(destinations.map((one) => one.disk.path)).not.toContain(disk);
  });
});
