/** Real disks that fill up, are pulled out and changed for others while somebody looks at the window. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright';
import { describe, expect, it } from 'vitest';
import { ENDED } from '../../src/api/model/run.ts';
import { expectAccessible, type Stage, useStage } from '../e2e/stage.ts';
import { useTemp } from '../helpers/scope.ts';

const temp = useTemp();
const open = useStage();
const MB = 1_000_000;
const LONG = { timeout: 120_000 };

/** Of a backup that is to be caught in its middle, in bytes a second. */
const SLOW = 6 * MB;

const bigFiles = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`film-${i}.bin`, randomBytes(MB)]));

function system(program: string, ...args: readonly string[]): void {
  execFileSync(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** `Temp.disk` keeps the image beside the mount point. */
const imageOf = (mount: string) => path.join(path.dirname(mount), 'image');

/** "Papers" to a folder on the disk. */
async function furnish({ host, source }: Stage, mount: string, uploadLimit: number | null = null) {
  const location = path.join(mount, 'backups');
  const { destination } = await host.destinations.add({ name: 'USB disk', location });
  const input = {
    name: 'Papers',
    sources: [{ kind: 'path' as const, path: source }],
    destinations: [destination.id],
    schedule: { when: { kind: 'manual' as const } },
  };
  const plan = await host.plans.create({ ...input, options: { uploadLimit } });
  return { destinationId: destination.id, location, unlimited: { ...input, id: plan.id } };
}

async function backUp(page: Page, verdict: string): Promise<void> {
  await page.getByRole('link', { name: 'Home' }).click();
  await page.getByRole('button', { name: 'Back up now' }).first().click();
  await page.getByRole('heading', { name: verdict }).waitFor(LONG);
}

async function runAgain(page: Page, state: string): Promise<void> {
  const before = page.url();
  await page.getByRole('button', { name: 'Run again' }).click();
  await page.waitForURL((url) => url.href !== before);
  await page.getByText(state, { exact: true }).first().waitFor(LONG);
}

async function expectWhole({ host, source }: Stage, destinationId: string): Promise<void> {
  const target = temp.dir('restored');
  const { id } = await host.runs.restore({
    destinationId,
    versionId: 'latest',
    target: { kind: 'folder', path: target },
  });
  await expect.poll(async () => ENDED.includes((await host.runs.get({ id })).state), LONG).toBe(true);
  expect(await host.runs.get({ id })).toMatchObject({ state: 'succeeded' });
  system('diff', '-r', source, path.join(target, source));
}

describe('a destination on a disk of its own', () => {
  it('that fills up is named; on a larger one the backup goes on', async () => {
    const mount = temp.disk('ext4', 64);
    const stage = await open({ 'letter.txt': 'Dear Ann' });
    const { page, source, complaints } = stage;
    const { destinationId, location } = await furnish(stage, mount);
    await backUp(page, "You're protected");
    for (const [name, bytes] of Object.entries(bigFiles(90)))
      fs.writeFileSync(path.join(source, name), bytes);
    await backUp(page, 'Needs attention');
    await page.getByRole('listitem').filter({ hasText: 'the disk is full' }).first().waitFor();
    await page.getByRole('button', { name: 'Show destination' }).first().click();
    const card = page.getByRole('article', { name: 'USB disk' });
    await card.getByText('Free some space there').waitFor();
    await card.getByText('Not usable').waitFor();
    expect(await stage.host.versions.list({ destinationId })).toHaveLength(1);

    system('umount', mount);
    fs.truncateSync(imageOf(mount), 256 * 1024 * 1024);
    system('e2fsck', '-f', '-y', imageOf(mount));
    system('resize2fs', imageOf(mount));
    system('mount', '-o', 'loop', imageOf(mount), mount);
    await card.getByRole('button', { name: 'Test connection to USB disk' }).click();
    await card.getByText('Works. The repository is there').waitFor(LONG);
    await page.getByRole('link', { name: 'Activity' }).click();
    await page
      .getByRole('row', { name: /Failed/ })
      .first()
      .getByRole('link')
      .first()
      .click();
    await runAgain(page, 'Succeeded');
    await expectWhole(stage, destinationId);
    expect(fs.readdirSync(mount).sort()).toEqual([path.basename(location), 'lost+found'].sort());
    expect(complaints).toEqual([]);
  });

  it('that is pulled out in the middle of a backup ends it; nothing goes to the empty mount point or another disk', async () => {
    const mount = temp.disk('ext4', 256);
    const another = temp.disk('ext4', 64);
    const stage = await open(bigFiles(40));
    const { page, host, complaints } = stage;
    const { destinationId, location, unlimited } = await furnish(stage, mount, SLOW);
    await page.getByRole('button', { name: 'Back up now' }).first().click();
    await page.getByRole('link', { name: 'Show run' }).click();
    await expect.poll(() => used(location), LONG).toBeGreaterThan(8 * MB);
    // As a disk that is pulled out, it goes although it is in use.
    system('umount', '--lazy', mount);
    await page.getByText('Failed', { exact: true }).waitFor(LONG);
    await page.getByRole('link', { name: 'Show destination' }).waitFor();
    expect(fs.readdirSync(mount)).toEqual([]);
    await runAgain(page, 'Failed');
    expect(fs.readdirSync(mount)).toEqual([]);

    system('mount', '--bind', another, mount);
    await runAgain(page, 'Failed');
    expect(fs.readdirSync(another)).toEqual(['lost+found']);
    system('umount', mount);

    system('mount', '-o', 'loop', imageOf(mount), mount);
    await host.plans.update(unlimited);
    await runAgain(page, 'Succeeded');
    await expectWhole(stage, destinationId);
    await page.getByRole('link', { name: 'Home' }).click();
    await page.getByRole('heading', { name: "You're protected" }).waitFor(LONG);
    expect(complaints).toEqual([]);
  });
});

describe('a place that takes no writes', () => {
  it('is refused by the wizard, and the picker says so', async () => {
    const mount = temp.disk('ext4', 16);
    system('mount', '-o', 'remount,ro', mount);
    const { page, complaints } = await open();
    await page.goto(new URL('/destinations/new', page.url()).href);
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('textbox', { name: 'Folder' }).fill(mount);
    await page.getByRole('button', { name: 'Choose folder…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Folder' });
    await dialog.getByText('Holdfast may not write into this folder.').waitFor();
    await expectAccessible(page);
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('textbox', { name: 'Folder' }).fill(path.join(mount, 'backups'));
    await page.getByRole('button', { name: 'Test connection' }).click();
    await page.getByRole('alert').filter({ hasText: mount }).waitFor();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('Test the connection, then go on.').waitFor();
    expect(complaints).toEqual([]);
  });
});

/** Bytes of the files in the packs' folder, finished or not. */
function used(repository: string): number {
  const found = fs.readdirSync(path.join(repository, 'data'), { recursive: true, withFileTypes: true });
  const sizes = found
    .filter((one) => one.isFile())
    .map(({ parentPath, name }) => sizeOf(path.join(parentPath, name)));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** A file that was being written may have its name by now. */
function sizeOf(file: string): number {
  return fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}
