/** What goes on while somebody looks. */
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { expectAccessible, type Stage, useStage } from './stage.ts';

const open = useStage();
const pictures = process.env.HOLDFAST_SCREENSHOTS;

const MANUAL = { when: { kind: 'manual' as const } };

/** A plan that takes its time: what it reads can't be compressed, and little may be sent at once. */
async function slowPlan({ host, source, destination }: Stage, uploadLimit = 400_000): Promise<string> {
  const { destination: disk } = await host.destinations.add({ name: 'USB disk', location: destination });
  const plan = await host.plans.create({
    name: 'Documents',
    sources: [{ kind: 'path', path: source }],
    destinations: [disk.id],
    schedule: MANUAL,
    options: { uploadLimit },
  });
  return plan.id;
}

const RULES =
  "document.querySelector('iframe.hf-print').contentDocument.adoptedStyleSheets[0].cssRules.length";

const bigFiles = () =>
  Object.fromEntries(Array.from({ length: 60 }, (_, i) => [`film-${i}.bin`, randomBytes(1_000_000)]));

describe('a backup under way', () => {
  it('shows how far it is in two windows at once, and ends when one of them cancels it', async () => {
    const stage = await open(bigFiles());
    const { page, host, complaints } = stage;
    await slowPlan(stage);
    const other = await page.context().newPage();
    await other.goto(new URL('/activity', page.url()).href);
    await page.getByRole('button', { name: 'Back up now' }).first().click();
    await page.getByRole('progressbar', { name: 'Progress: Backup · Documents to USB disk' }).waitFor();
    await page.getByText(/of 60 files/).waitFor();
    await expectAccessible(page);
    if (pictures) await page.screenshot({ path: path.join(pictures, 'live-home.png'), fullPage: true });

    await other
      .getByRole('row', { name: /Running/ })
      .getByRole('link')
      .click();
    await other.getByText('Time left').waitFor();
    await expectAccessible(other);
    if (pictures) await other.screenshot({ path: path.join(pictures, 'live-run.png'), fullPage: true });
    await other.getByRole('button', { name: 'Cancel' }).click();
    await other.getByText('Cancelled', { exact: true }).waitFor();
    await page.getByRole('progressbar', { name: /Progress/ }).waitFor({ state: 'detached' });
    expect(await host.runs.list()).toMatchObject([{ state: 'cancelled' }]);
    await other.getByRole('button', { name: 'Run again' }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('goes on when the window is closed', async () => {
    const stage = await open(bigFiles());
    const { page, host } = stage;
    await slowPlan(stage, 8_000_000);
    await page.getByRole('button', { name: 'Back up now' }).first().click();
    await page.getByRole('progressbar', { name: /Progress/ }).waitFor();
    await page.close();
    const state = async () => (await host.runs.list())[0]?.state;
    expect(await state()).toMatch(/queued|running/);
    await expect.poll(state, { timeout: 60_000 }).toBe('succeeded');
  });
});

describe('plans', () => {
  it('get a destination without leaving the wizard, by the keyboard alone', async () => {
    const { page, host, source, destination, complaints } = await open();
    await page.goto(new URL('/plans/new', page.url()).href);
    const { keyboard } = page;
    await page.getByRole('textbox', { name: 'Folder or file' }).focus();
    await keyboard.type(source);
    await keyboard.press('Enter');
    await page.getByRole('listitem').filter({ hasText: source }).waitFor();
    await keyboard.press('Enter');
    await page.getByRole('button', { name: 'Add destination' }).focus();
    await keyboard.press('Enter');
    const dialog = page.getByRole('dialog', { name: 'Add destination' });
    await dialog.waitFor();
    await expectAccessible(page);
    await dialog.getByRole('button', { name: 'Next' }).press('Enter');
    await dialog.getByRole('textbox', { name: 'Folder' }).focus();
    await keyboard.type(destination);
    await keyboard.press('Enter');
    await dialog.getByText('Works.').waitFor();
    await keyboard.press('Enter');
    await dialog.getByRole('textbox', { name: 'Name' }).waitFor();
    await dialog.getByRole('button', { name: 'Add destination' }).press('Enter');
    await dialog.getByRole('checkbox', { name: /written down/ }).press('Space');
    await dialog.getByRole('button', { name: 'Done' }).press('Enter');
    const chosen = page.getByRole('checkbox', { name: 'Backup disk' });
    await expect.poll(() => chosen.isChecked()).toBe(true);
    for (let step = 0; step < 3; step++) await page.getByRole('button', { name: 'Next' }).press('Enter');
    await page.getByRole('button', { name: 'Create plan' }).press('Enter');
    // It starts at once, as the last step offers.
    await page.getByRole('heading', { name: "You're protected" }).waitFor();
    expect(await host.plans.list()).toMatchObject([{ plan: { name: 'My files' } }]);
    expect(complaints).toEqual([]);
  });

  it('are changed, switched off and removed', async () => {
    const stage = await open();
    const { page, host, complaints } = stage;
    const id = await slowPlan(stage);
    await page.getByRole('link', { name: 'Plans' }).first().click();
    await page.getByRole('link', { name: 'Documents' }).click();
    await page.getByRole('button', { name: 'What to keep' }).click();
    await page.getByRole('radio', { name: 'Recent only' }).check();
    await page.getByRole('textbox', { name: 'Days' }).fill('45');
    await page.getByRole('button', { name: 'Review' }).click();
    await page.getByRole('textbox', { name: 'Name of the plan' }).fill('Papers');
    await page.getByRole('button', { name: 'Save changes' }).click();
    await page.getByRole('article', { name: 'Papers' }).waitFor();
    const { plan } = await host.plans.get({ id });
    expect(plan).toMatchObject({ name: 'Papers', retention: { kind: 'recent', days: 45 }, schedule: MANUAL });
    // What no step shows stays as it was.
    expect(plan.options.uploadLimit).toBe(400_000);

    await page.getByRole('switch', { name: 'Run Papers by its schedule' }).press('Space');
    await expect.poll(async () => (await host.plans.get({ id })).plan.enabled).toBe(false);
    await page.getByRole('button', { name: 'More about Papers' }).click();
    await page.getByRole('menuitem', { name: 'Remove' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByText('No plans yet').waitFor();
    expect(await host.plans.list()).toEqual([]);
    expect(complaints).toEqual([]);
  });
});

describe('settings', () => {
  it('change the language and the look at once, and are kept', async () => {
    const { page, host, complaints } = await open();
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByRole('combobox', { name: 'Language' }).selectOption('Deutsch');
    await page.getByRole('heading', { name: 'Einstellungen' }).waitFor();
    expect(await page.locator('html').getAttribute('lang')).toBe('de');
    await page.getByText('Dunkel').click();
    await expect.poll(() => page.locator('html').getAttribute('data-mantine-color-scheme')).toBe('dark');
    expect(await host.settings.get()).toMatchObject({ language: 'de', appearance: 'dark' });
    await page.reload();
    await page.getByRole('heading', { name: 'Einstellungen' }).waitFor();
    expect(complaints).toEqual([]);
  });
});

describe('the recovery kit', () => {
  it('is printed in its own style, which the policy of the page would refuse', async () => {
    const { page, complaints } = await open();
    await page.addInitScript('window.print = () => {}');
    await page.getByRole('link', { name: 'Recovery' }).click();
    await page
      .getByRole('button', { name: /Print recovery kit/ })
      .first()
      .click();
    const kit = page.frameLocator('iframe.hf-print');
    await kit.locator('h1').waitFor();
    expect(await page.evaluate(RULES)).toBeGreaterThan(3);
    expect(complaints).toEqual([]);
  });
});
