/** One sitting, by clicks alone: from the first start to an older state of a changed file, byte for byte. */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { useStage } from './stage.ts';

const open = useStage();
const LONG = { timeout: 60_000 };

describe('from the first start', () => {
  it('to the older state of a file, in another folder', async () => {
    const { page, source, destination, complaints } = await open({}, {}, { welcome: true });
    const home = path.dirname(source);
    const documents = path.join(home, 'Documents');
    const file = path.join(documents, 'film.bin');
    const old = randomBytes(3_000_000);
    fs.mkdirSync(documents);
    fs.writeFileSync(file, old);
    fs.writeFileSync(path.join(documents, 'letter.txt'), 'Dear Ann');
    await page.reload();

    await page.getByRole('checkbox', { name: /Documents/ }).waitFor();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('radio', { name: 'Another folder' }).check();
    await page.getByRole('textbox', { name: 'Folder' }).fill(destination);
    await page.getByText('Works. A new repository will be made here.').waitFor();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('button', { name: 'Start first backup' }).click();
    await page.getByRole('heading', { name: 'Your first backup is made' }).waitFor(LONG);
    await page.getByRole('button', { name: 'Go to Home' }).click();

    const changed = Buffer.from(old);
    changed.fill('changed', 1_000_000, 1_000_700);
    fs.writeFileSync(file, changed);
    await page.getByRole('button', { name: 'Back up now' }).first().click();
    await page.getByRole('link', { name: 'Activity' }).click();
    const runs = page.getByRole('row', { name: /Backup.*Succeeded/ });
    await expect.poll(() => runs.count(), LONG).toBe(2);

    await page.getByRole('link', { name: 'Restore' }).click();
    await page.getByText('2 of 2').waitFor(LONG);
    await page.getByRole('button', { name: 'Older version' }).click();
    await page.getByText('1 of 2').waitFor();
    await page.getByRole('button', { name: 'Next' }).click();
    const row = page.getByRole('treeitem', { name: /^film\.bin/ });
    await row.click();
    await page.getByRole('tab', { name: 'Today’s file' }).click();
    await page.getByText('Differs from today’s file.').waitFor();
    await row.locator('[data-part=check]').click();
    await page.getByRole('button', { name: 'Next' }).click();
    const target = path.join(home, 'got back');
    await page.getByRole('radio', { name: 'To another folder' }).check();
    await page.getByRole('textbox', { name: 'Folder' }).fill(target);
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('button', { name: 'Restore', exact: true }).click();
    await page.getByRole('heading', { name: '1 file is back' }).waitFor(LONG);

    expect(fs.readFileSync(path.join(target, file)).equals(old)).toBe(true);
    expect(fs.readFileSync(file).equals(changed)).toBe(true);
    expect(complaints).toEqual([]);
  });
});
