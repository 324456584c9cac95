/** Adding destinations, what can be wrong with a place, and choosing folders in a browser. */
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright';
import { describe, expect, it } from 'vitest';
import { openStore } from '../../src/store/sqlite.ts';
import { systemClock } from '../../src/util/clock.ts';
import { lookAway } from './past.ts';
import { expectAccessible, type Stage, useStage } from './stage.ts';

const open = useStage();
const pictures = process.env.HOLDFAST_SCREENSHOTS;

async function picture(page: Page, name: string): Promise<void> {
  if (pictures) await page.screenshot({ path: path.join(pictures, `${name}.png`), fullPage: true });
}

/** At the step that asks for the place. */
async function askForPlace(page: Page): Promise<void> {
  await page.goto(new URL('/destinations/new', page.url()).href);
  await page.getByRole('radio', { name: 'Folder or disk' }).waitFor();
  await page.getByRole('button', { name: 'Next' }).click();
}

async function test(page: Page, folder: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Folder' }).fill(folder);
  await page.getByRole('button', { name: 'Test connection' }).click();
}

/** A repository that nobody here knows any more. */
async function oldRepository({ host, destination }: Stage): Promise<void> {
  const { destination: old } = await host.destinations.add({
    name: 'Old',
    location: destination,
    password: 'correct horse',
  });
  await host.destinations.remove({ id: old.id });
}

describe('adding a destination', () => {
  it('goes on only where something can be kept, and says what is wrong with the rest', async () => {
    const { page, host, source, complaints } = await open();
    await askForPlace(page);
    await test(page, 'backups');
    await page.getByText('Give the whole path, from the root on.').waitFor();
    // Below a file no folder can be.
    await test(page, path.join(source, 'a.txt', 'backups'));
    await page.getByRole('alert').waitFor();
    await picture(page, 'destination-wrong');
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('Test the connection, then go on.').waitFor();
    // Nobody can make a folder there, not even root.
    if (process.platform === 'linux') {
      await test(page, '/proc/holdfast');
      await page.getByText('No folders can be made in').waitFor();
      await page.getByRole('button', { name: 'Next' }).click();
      await page.getByText('Test the connection, then go on.').waitFor();
    }
    expect((await host.destinations.list()).filter(({ embedded }) => !embedded)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it('opens a repository that is there with the right password only', async () => {
    const stage = await open();
    const { page, host, destination, complaints } = stage;
    await oldRepository(stage);
    await askForPlace(page);
    await test(page, destination);
    await page.getByText('There is a repository here already').waitFor();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('button', { name: 'Add destination' }).click();
    await page.getByText('needs its password').waitFor();
    await page.getByLabel('Password', { exact: true }).fill('wrong');
    await page.getByRole('button', { name: 'Add destination' }).click();
    await page.getByText('The password fits no key of this repository.').waitFor();
    await expectAccessible(page);
    expect((await host.destinations.list()).filter(({ embedded }) => !embedded)).toEqual([]);
    await page.getByLabel('Password', { exact: true }).fill('correct horse');
    await page.getByRole('button', { name: 'Add destination' }).click();
    await page.getByText('can be used as before').waitFor();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('article', { name: 'Backup disk' }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('can be for getting files back only, and then no plan can use it', async () => {
    const stage = await open();
    const { page, host, destination, complaints } = stage;
    await oldRepository(stage);
    await askForPlace(page);
    await test(page, destination);
    await page.getByText('There is a repository here already').waitFor();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByLabel('Password', { exact: true }).fill('correct horse');
    await page.getByRole('checkbox', { name: 'Only for getting files back' }).check();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Add destination' }).click();
    await page.getByRole('button', { name: 'Done' }).click();
    const card = page.getByRole('article', { name: 'Backup disk' });
    await card.getByText('Only for getting files back').waitFor();
    await expectAccessible(page);
    expect(await host.destinations.list()).toContainEqual(
      expect.objectContaining({ name: 'Backup disk', readOnly: true }),
    );
    await page.goto(new URL('/plans/new', page.url()).href);
    await page.getByRole('textbox', { name: 'Folder or file' }).fill(stage.source);
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('checkbox', { name: 'This computer' }).waitFor();
    expect(await page.getByRole('checkbox', { name: 'Backup disk' }).count()).toBe(0);
    expect(complaints).toEqual([]);
  });
});

describe('a destination that has been in use', () => {
  it('shows how its free space changes, as a line and in words', async () => {
    const { page, host, source, destination, complaints, kill, restart } = await open();
    const { destination: disk } = await host.destinations.add({ name: 'USB disk', location: destination });
    const address = new URL('/destinations', page.url()).href;
    await lookAway(page);
    await kill();
    const day = 24 * 3600 * 1000;
    // Up to today's, which the host has measured itself.
    const { free, total } = disk.space ?? { free: 0, total: 0 };
    const aDay = Math.round(total / 500);
    const store = openStore(path.join(path.dirname(source), 'data', 'holdfast.db'), {
      clock: systemClock,
      onProblem: (sentence) => expect.unreachable(sentence),
    });
    for (let ago = 30; ago > 0; ago--) {
      store.space.add(disk.id, { at: Date.now() - ago * day, free: free + (ago + (ago % 3)) * aDay, total });
    }
    store.close();
    await restart();
    await page.goto(address);
    const card = page.getByRole('article', { name: 'USB disk' });
    await card
      .getByRole('img', { name: /Free space over time: The free space falls by .* a week/ })
      .waitFor();
    await picture(page, 'trend');
    await expectAccessible(page);
    expect(complaints).toEqual([]);
  });
});

describe('the folder picker', () => {
  it('finds, makes and chooses a folder by the keyboard', async () => {
    const { page, source, complaints } = await open();
    const home = path.dirname(source);
    for (const name of ['Archive', 'Music', '.secret']) mkdirSync(path.join(home, name));
    await askForPlace(page);
    await page.getByRole('textbox', { name: 'Folder' }).fill(home);
    await page.getByRole('button', { name: 'Choose folder…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Folder' });
    const { keyboard } = page;
    await dialog.getByRole('option', { name: 'Music' }).waitFor();
    expect(await dialog.getByRole('option', { name: '.secret' }).count()).toBe(0);
    await picture(page, 'picker');
    await expectAccessible(page);
    await dialog.getByRole('switch', { name: 'Show hidden ones' }).check();
    await dialog.getByRole('option', { name: '.secret' }).waitFor();

    const list = dialog.getByRole('listbox');
    await list.focus();
    await keyboard.press('m');
    await keyboard.press('Enter');
    await dialog.getByRole('listbox', { name: 'In Music' }).waitFor();
    await dialog.getByText('There are no folders in here.').waitFor();
    await dialog.getByRole('button', { name: 'New folder' }).press('Enter');
    await keyboard.type('Backups');
    await keyboard.press('Enter');
    await dialog.getByRole('listbox', { name: 'In Backups' }).waitFor();
    await keyboard.press('Backspace');
    await dialog.getByRole('option', { name: 'Backups' }).waitFor();
    await keyboard.press('ArrowRight');
    await dialog.getByRole('button', { name: 'Choose “Backups”' }).press('Enter');
    await dialog.waitFor({ state: 'detached' });
    expect(await page.getByRole('textbox', { name: 'Folder' }).inputValue()).toBe(
      path.join(home, 'Music', 'Backups'),
    );
    expect(complaints).toEqual([]);
  });

  it('closes with Escape, but not the dialog that it covers', async () => {
    const { page, source, complaints } = await open();
    await page.goto(new URL('/plans/new', page.url()).href);
    await page.getByRole('textbox', { name: 'Folder or file' }).fill(source);
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('button', { name: 'Add destination' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add destination' });
    await dialog.getByRole('button', { name: 'Next' }).click();
    await dialog.getByRole('button', { name: 'Choose folder…' }).click();
    const picker = page.getByRole('dialog', { name: 'Folder', exact: true });
    await picker.getByRole('listbox').waitFor();
    await page.keyboard.press('Escape');
    await picker.waitFor({ state: 'detached' });
    await dialog.getByRole('textbox', { name: 'Folder' }).waitFor();
    // The first one counts that comes after the picker has gone for good, a moment after it is out of sight.
    await expect
      .poll(
        async () => {
          await page.keyboard.press('Escape');
          return await dialog.count();
        },
        { timeout: 30_000 },
      )
      .toBe(0);
    expect(complaints).toEqual([]);
  });

  it('begins at home where the typed folder is not there', async () => {
    const { page, source, complaints } = await open();
    await askForPlace(page);
    await page.getByRole('textbox', { name: 'Folder' }).fill('/not/there');
    await page.getByRole('button', { name: 'Choose folder…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Folder' });
    await dialog.getByRole('option', { name: path.basename(source) }).click();
    await dialog.getByRole('button', { name: 'Choose “documents”' }).click();
    await expect.poll(() => page.getByRole('textbox', { name: 'Folder' }).inputValue()).toBe(source);
    expect(complaints).toEqual([]);
  });
});

describe('a destination', () => {
  it('is renamed, limited, and looks after itself as it is told', async () => {
    const { page, host, destination, complaints } = await open();
    const { destination: made } = await host.destinations.add({ name: 'USB disk', location: destination });
    await page.goto(new URL('/destinations', page.url()).href);
    await page.getByRole('button', { name: 'More about USB disk' }).click();
    await page.getByRole('menuitem', { name: 'Edit' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Upload limit (MiB/s)').fill('fast');
    await form.getByText('a number').waitFor();
    expect(await form.getByRole('button', { name: 'Save' }).isDisabled()).toBe(true);
    await form.getByLabel('Upload limit (MiB/s)').fill('2,5');
    await form.getByLabel('Name').fill('Disk in the drawer');
    await form.getByLabel('Data read by each check (%)').fill('25');
    await form.getByRole('radiogroup', { name: 'Clean up' }).getByText('By hand').click();
    await picture(page, 'destination-edit');
    await expectAccessible(page);
    await form.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('heading', { name: 'Disk in the drawer' }).waitFor();
    expect(await host.destinations.get({ id: made.id })).toMatchObject({
      name: 'Disk in the drawer',
      uploadLimit: 2.5 * 1024 ** 2,
      downloadLimit: null,
      warnBelowBytes: made.warnBelowBytes,
      maintenance: { cleanUp: { kind: 'manual' }, check: made.maintenance.check, checkPercent: 25 },
    });
    expect(complaints).toEqual([]);
  });

  it('has the name that Holdfast gave it in every language', async () => {
    const { page, host, complaints } = await open({}, { locale: 'de-DE' });
    await page.goto(new URL('/destinations', page.url()).href);
    await page.getByRole('button', { name: 'Mehr zu Dieser Computer' }).click();
    await page.getByRole('menuitem', { name: 'Bearbeiten' }).click();
    const form = page.getByRole('dialog');
    await form.getByLabel('Daten, die jede Prüfung liest (%)').fill('20');
    await form.getByRole('button', { name: 'Speichern' }).click();
    await form.waitFor({ state: 'detached' });
    const [embedded] = await host.destinations.list();
    expect(embedded).toMatchObject({ name: 'This computer', maintenance: { checkPercent: 20 } });
    expect(complaints).toEqual([]);
  });
});
