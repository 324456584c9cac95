/** The first minute: from the first start to the first running backup, in at most four steps. */
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Locator, Page } from 'playwright';
import { describe, expect, it } from 'vitest';
import { RestServer } from '../servers/rest.ts';
import { expectAccessible, type Stage, useStage } from './stage.ts';

const open = useStage();
const pictures = process.env.HOLDFAST_SCREENSHOTS;

async function picture(page: Page, name: string): Promise<void> {
  if (pictures) await page.screenshot({ path: path.join(pictures, `welcome-${name}.png`), fullPage: true });
}

/** Own folders, as a computer of somebody has them. */
function furnishHome({ source }: Pick<Stage, 'source'>): string {
  const home = path.dirname(source);
  for (const [folder, file] of [
    ['Documents', 'letter.txt'],
    ['Pictures', 'cat.jpg'],
  ] as const) {
    mkdirSync(path.join(home, folder), { recursive: true });
    writeFileSync(path.join(home, folder, file), `what is in ${file}`);
  }
  return home;
}

/** The page is opened before the home has its folders. */
async function openFirst(options: Parameters<typeof open>[1] = {}) {
  const stage = await open({}, options, { welcome: true });
  const home = furnishHome(stage);
  await stage.page.reload();
  return { ...stage, home };
}

describe('the welcome', () => {
  it('goes on with a server that was added on the way', async () => {
    const { page, host, complaints } = await openFirst();
    const server = await RestServer.start();
    try {
      await page.getByRole('checkbox', { name: /Documents/ }).waitFor();
      await page.getByRole('button', { name: 'Next' }).click();
      await page.getByRole('button', { name: 'Somewhere else: a server or a cloud…' }).waitFor();
      await picture(page, 'away');
      await page.getByRole('button', { name: 'Somewhere else: a server or a cloud…' }).click();
      const dialog = page.getByRole('dialog', { name: 'Add destination' });
      const press = (name: string) => dialog.getByRole('button', { name, exact: true }).click();
      await dialog.getByRole('radio', { name: 'REST server' }).check();
      expect(await dialog.getByRole('radio').count()).toBe(5);
      await picture(page, 'away-kinds');
      await expectAccessible(page);
      await press('Next');
      await dialog.getByRole('textbox', { name: 'Address' }).fill(server.target());
      await press('Test connection');
      await dialog.getByText('Works. A new repository will be made here.').waitFor();
      await press('Next');
      await dialog.getByRole('textbox', { name: 'Name', exact: true }).fill('Server');
      await press('Add destination');
      await dialog.getByRole('checkbox', { name: /have written down/ }).check({ timeout: 60_000 });
      await press('Done');
      await dialog.waitFor({ state: 'detached' });
      await page.getByRole('radio', { name: 'Server' }).and(page.locator(':checked')).waitFor();
      await picture(page, 'away-added');
      await expectAccessible(page);
      for (let step = 0; step < 2; step++) await page.getByRole('button', { name: 'Next' }).click();
      await page.getByRole('button', { name: 'Start first backup' }).click();
      await page.getByRole('heading', { name: 'Your first backup is made' }).waitFor({ timeout: 60_000 });
      const [made] = await host.plans.list();
      const added = (await host.destinations.list()).find(({ kind }) => kind === 'rest');
      expect(made?.plan.destinations).toEqual([added?.id]);
      expect(complaints).toEqual([]);
    } finally {
      await server[Symbol.asyncDispose]();
    }
  });

  it('leads by the mouse from an empty window to a running backup in four steps', async () => {
    const { page, host, home, destination, complaints } = await openFirst();
    await page.getByRole('heading', { name: 'Welcome to Holdfast' }).waitFor();
    await page.getByRole('checkbox', { name: /Documents/ }).waitFor();
    await page.getByText('2 files').waitFor();
    await picture(page, 'what');
    await expectAccessible(page);
    await page.getByRole('checkbox', { name: /Pictures/ }).uncheck();
    await page.getByText('1 file,').waitFor();
    await page.getByRole('button', { name: 'Next' }).click();

    await page.getByRole('radio', { name: 'Another folder' }).check();
    await page.getByRole('textbox', { name: 'Folder' }).fill(destination);
    await page.getByText('Works. A new repository will be made here.').waitFor();
    await picture(page, 'where');
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Next' }).click();

    await page.getByRole('radio', { name: /Every day at 12:30/ }).waitFor();
    await picture(page, 'when');
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Next' }).click();

    await page.getByText('Next you get a recovery key.').waitFor();
    await picture(page, 'review');
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Start first backup' }).click();

    const key = await page.getByRole('status', { name: 'Your recovery key' }).innerText();
    expect(key.split(' ').length).toBeGreaterThan(5);
    await picture(page, 'started');
    await expectAccessible(page);
    await page.getByRole('heading', { name: 'Your first backup is made' }).waitFor();
    expect(await host.plans.list()).toMatchObject([
      {
        plan: {
          name: 'My files',
          sources: [{ kind: 'path', path: path.join(home, 'Documents') }],
          schedule: { when: { kind: 'daily', at: ['12:30'] }, catchUp: true },
          retention: { kind: 'balanced' },
        },
      },
    ]);
    expect(await host.runs.list()).toMatchObject([{ state: 'succeeded', report: { filesNew: 1 } }]);
    await page.getByRole('button', { name: 'Go to Home' }).click();
    await page.getByRole('heading', { name: "You're protected" }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('needs nothing but the keyboard, and the answers that are filled in', async () => {
    const { page, host, complaints } = await openFirst();
    const { keyboard } = page;
    await page.getByRole('checkbox', { name: /Documents/ }).waitFor();
    // Enter in a field goes on, as in any form; from the heading of each step on, Tab leads to its fields.
    await page.getByRole('checkbox', { name: /Documents/ }).focus();
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Where to?' }).waitFor();
    // Where another disk is plugged in, that one is chosen already; this test writes to none.
    const own = page.getByRole('radio', { name: 'This computer' });
    await tabTo(page, page.locator('input[name="place"]:checked'));
    for (let i = 0; i < 9 && !(await own.isChecked()); i++) await keyboard.press('ArrowDown');
    expect(await own.isChecked()).toBe(true);
    await page.getByText('does not protect from a broken or stolen computer').waitFor();
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'How often?' }).waitFor();
    await tabTo(page, page.getByRole('radio', { name: /Every day/ }));
    await keyboard.press('ArrowUp');
    await expect.poll(() => page.getByRole('radio', { name: 'Every hour' }).isChecked()).toBe(true);
    await keyboard.press('Enter');
    await tabTo(page, page.getByRole('button', { name: 'Start first backup' }));
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Your first backup is made' }).waitFor();
    await tabTo(page, page.getByRole('button', { name: 'Go to Home' }));
    await keyboard.press('Enter');
    // It says what this does not protect from, although a backup is there.
    await page.getByRole('heading', { name: 'Needs attention' }).waitFor();
    expect(await host.plans.list()).toMatchObject([{ plan: { schedule: { when: { kind: 'hourly' } } } }]);
    expect(complaints).toEqual([]);
  });

  it('can be put off for good, and found again', async () => {
    const { page, complaints } = await openFirst();
    await page.getByRole('button', { name: 'Not now' }).click();
    await page.getByRole('heading', { name: 'Not protected yet' }).waitFor();
    await page.goto(new URL('/', page.url()).href);
    await page.getByRole('heading', { name: 'Not protected yet' }).waitFor();
    await page.getByRole('link', { name: 'Plans' }).first().click();
    await page.getByRole('link', { name: 'Set up in a minute' }).click();
    await page.getByRole('heading', { name: 'Welcome to Holdfast' }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('takes a repository that is there already, once its password is right', async () => {
    const { page, host, destination, complaints } = await openFirst();
    const { destination: old } = await host.destinations.add({
      name: 'Old',
      location: destination,
      password: 'correct horse',
    });
    await host.destinations.remove({ id: old.id });
    await page.getByRole('checkbox', { name: /Documents/ }).waitFor();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('radio', { name: 'Another folder' }).check();
    // Asked to go on before anybody knows: it waits, and says what is missing.
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('Choose the folder that backups go to.').waitFor();
    await page.getByRole('textbox', { name: 'Folder' }).fill(destination);
    await page.getByText('There is a repository here already').waitFor();
    await page.getByLabel('Password', { exact: true }).fill('wrong');
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('The repository that is there was not opened.').waitFor();
    await expectAccessible(page);
    await page.getByLabel('Password', { exact: true }).fill('correct horse');
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('heading', { name: 'How often?' }).waitFor();
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByRole('button', { name: 'Start first backup' }).click();
    await page.getByRole('heading', { name: 'Your first backup is made' }).waitFor();
    expect(await host.runs.list()).toMatchObject([{ state: 'succeeded' }]);
    expect(complaints).toEqual([]);
  });

  it('is shown where what the browser says of its language is no locale', async () => {
    const { page, complaints } = await openFirst();
    await page.addInitScript(
      "Object.defineProperty(navigator, 'languages', { get: () => ['en-US@posix', 'C'] })",
    );
    await page.reload();
    await page.getByRole('heading', { name: 'Welcome to Holdfast' }).waitFor();
    await page.getByText('2 files').waitFor();
    expect(complaints).toEqual([]);
  });

  it('speaks German', async () => {
    const { page, complaints } = await openFirst({ locale: 'de-DE', colorScheme: 'dark' });
    await page.getByRole('checkbox', { name: /Dokumente/ }).waitFor();
    await page.getByText('2 Dateien').waitFor();
    await picture(page, 'de-what');
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Weiter' }).click();
    await page.getByRole('radio', { name: 'Dieser Computer' }).check();
    await picture(page, 'de-where');
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Weiter' }).click();
    await picture(page, 'de-when');
    await page.getByRole('button', { name: 'Weiter' }).click();
    await picture(page, 'de-review');
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Erste Sicherung starten' }).click();
    await page.getByRole('heading', { name: 'Ihre erste Sicherung ist gemacht' }).waitFor();
    await picture(page, 'de-started');
    await expectAccessible(page);
    expect(complaints).toEqual([]);
  });
});

/** By Tab alone, as somebody without a mouse gets there. */
async function tabTo(page: Page, target: Locator): Promise<void> {
  for (let i = 0; i < 60; i++) {
    if ((await target.and(page.locator(':focus')).count()) > 0) return;
    await page.keyboard.press('Tab');
  }
  throw new Error(`Tab does not lead to ${target}`);
}
