/** The first start with a second disk plugged in: an ext4 image on a loop device. Needs root, mkfs.ext4 and mount. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright';
import { afterEach, describe, expect, it } from 'vitest';
import { expectAccessible, useStage } from '../e2e/stage.ts';
import { useTemp } from '../helpers/scope.ts';

const isRoot = process.getuid?.() === 0;
if (!isRoot)
  process.stderr.write('SKIPPED: test/real/welcome-disk.test.ts mounts a disk image: run it as root.\n');

const pictures = process.env.HOLDFAST_SCREENSHOTS;

async function picture(page: Page, name: string): Promise<void> {
  if (pictures) await page.screenshot({ path: path.join(pictures, `disk-${name}.png`), fullPage: true });
}

describe.skipIf(!isRoot)('with a second disk', () => {
  const open = useStage();
  const temp = useTemp();
  const mounted: string[] = [];
  afterEach(() => {
    for (const disk of mounted.splice(0)) execFileSync('umount', ['--lazy', disk]);
  });

  function plugIn(): string {
    const folder = temp.dir('disk');
    const image = path.join(folder, 'image');
    const disk = path.join(folder, 'Blue disk');
    mkdirSync(disk);
    // Sparse; with less room it would be "nearly full" from the start.
    writeFileSync(image, '');
    truncateSync(image, 8 * 1024 ** 3);
    execFileSync('mkfs.ext4', ['-q', image]);
    execFileSync('mount', ['-o', 'loop', image, disk]);
    mounted.push(disk);
    return disk;
  }

  it('the welcome chooses it, and nothing but going on is needed', async () => {
    const disk = plugIn();
    const { page, host, source, complaints } = await open({}, {}, { welcome: true });
    const documents = path.join(path.dirname(source), 'Documents');
    mkdirSync(documents);
    writeFileSync(path.join(documents, 'letter.txt'), 'Dear Ann');
    await page.reload();
    await page.getByRole('checkbox', { name: /Documents/ }).waitFor();
    await page.getByRole('button', { name: 'Next' }).click();
    const choice = page.getByRole('radio', { name: /Blue disk/ });
    await choice.waitFor();
    // Another disk of this machine may be even better.
    await choice.check();
    await picture(page, 'where');
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('heading', { name: 'How often?' }).waitFor();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('Next you get a recovery key.').waitFor();
    await picture(page, 'review');
    await page.getByRole('button', { name: 'Start first backup' }).click();
    await page.getByRole('heading', { name: 'Your first backup is made' }).waitFor();
    expect(existsSync(path.join(disk, 'Holdfast', 'config'))).toBe(true);
    expect(await host.destinations.list()).toContainEqual(
      expect.objectContaining({ name: 'Blue disk', location: path.join(disk, 'Holdfast') }),
    );
    await page.getByRole('button', { name: 'Go to Home' }).click();
    await page.getByRole('heading', { name: "You're protected" }).waitFor();
    await picture(page, 'home');

    await page.getByRole('link', { name: 'Disks' }).first().click();
    const card = page.getByRole('article', { name: 'Blue disk' });
    await card.getByRole('link', { name: 'Blue disk' }).waitFor();
    await picture(page, 'disks');
    await expectAccessible(page);
    expect(complaints).toEqual([]);
  });

  it('it becomes a destination from the page of disks', async () => {
    const disk = plugIn();
    const { page, host, complaints } = await open();
    await page.getByRole('link', { name: 'Disks' }).first().click();
    await page.getByRole('link', { name: 'Use as a destination: Blue disk' }).click();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('button', { name: /Blue disk/ }).click();
    await page.getByText('Works. A new repository will be made here.').waitFor();
    await picture(page, 'add');
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Next' }).click();
    expect(await page.getByRole('textbox', { name: 'Name' }).inputValue()).toBe('Blue disk');
    await page.getByRole('button', { name: 'Add destination' }).click();
    await page.getByRole('checkbox', { name: /written down/ }).check();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('article', { name: 'Blue disk' }).waitFor();
    expect(await host.destinations.list()).toContainEqual(
      expect.objectContaining({ location: path.join(disk, 'Holdfast'), embedded: false }),
    );
    expect(complaints).toEqual([]);
  });
});
