/** Settings, channels and the recovery page, by clicks. */
import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright';
import { describe, expect, it } from 'vitest';
import { startHttpSink } from '../helpers/http-sink.ts';
import { readMail, startSmtp } from '../helpers/smtp.ts';
import { lookAway } from './past.ts';
import { expectAccessible, useStage } from './stage.ts';

const open = useStage();
const pictures = process.env.HOLDFAST_SCREENSHOTS;

async function picture(page: Page, name: string): Promise<void> {
  if (pictures) await page.screenshot({ path: path.join(pictures, `${name}.png`), fullPage: true });
}

async function show(page: Page, address: string): Promise<void> {
  await page.goto(new URL(address, page.url()).href);
}

describe('channels', () => {
  it('are made, tested, changed and removed: a webhook', async () => {
    await using sink = await startHttpSink();
    const { page, host, complaints } = await open();
    await show(page, '/settings');
    await page.getByText('Nobody is told yet.').waitFor();
    await page.getByRole('button', { name: 'Add channel' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add channel' });
    await dialog.getByRole('radio', { name: 'Webhook' }).check();
    await dialog.getByRole('textbox', { name: 'Name' }).fill('Office');
    await dialog.getByRole('textbox', { name: 'Address' }).fill('office');
    await dialog.getByRole('button', { name: 'Add channel' }).click();
    await dialog.getByText('Give a whole address').waitFor();
    await expectAccessible(page);
    await picture(page, 'light-channel-form');
    await dialog.getByRole('textbox', { name: 'Address' }).fill(`${sink.url}/hook`);
    await dialog.getByRole('textbox', { name: 'Access token' }).fill('s3cret-token');
    await dialog.getByRole('checkbox', { name: 'A run succeeded' }).check();
    await dialog.getByRole('button', { name: 'Add channel' }).click();

    const row = page.getByRole('listitem', { name: 'Office' });
    await row.getByText('Not used yet').waitFor();
    await row.getByRole('button', { name: 'Test Office' }).click();
    await row.getByText('Worked', { exact: true }).waitFor();
    expect(sink.requests).toMatchObject([{ method: 'POST', path: '/hook' }]);
    expect(sink.requests[0]?.headers.authorization).toBe('Bearer s3cret-token');
    // The secret never comes back: neither in the page nor from the host.
    expect(await page.content()).not.toContain('s3cret-token');

    sink.answer = () => ({ status: 500 });
    await row.getByRole('button', { name: 'Test Office' }).click();
    await row.getByText('Failed', { exact: true }).waitFor();
    await row.getByRole('button', { name: 'Edit Office' }).click();
    const edit = page.getByRole('dialog', { name: 'Edit Office' });
    await edit.getByRole('textbox', { name: 'Name' }).fill('Workshop');
    await edit.getByRole('button', { name: 'Save changes' }).click();
    const renamed = page.getByRole('listitem', { name: 'Workshop' });
    await renamed.waitFor();
    // The token was not typed again, and is kept.
    expect(await host.alerts.channels()).toMatchObject([
      { name: 'Workshop', hasSecret: true, enabled: true },
    ]);
    await renamed.getByRole('switch', { name: 'Use Workshop' }).press('Space');
    await expect.poll(async () => (await host.alerts.channels())[0]?.enabled).toBe(false);
    await renamed.getByRole('button', { name: 'Remove Workshop' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByText('Nobody is told yet.').waitFor();
    expect(await host.alerts.channels()).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it('send real mail with a password that is only written', async () => {
    await using smtp = await startSmtp({ login: { user: 'ann', password: 'mail-pass' } });
    const { page, complaints } = await open();
    await show(page, '/settings');
    await page.getByRole('button', { name: 'Add channel' }).click();
    const dialog = page.getByRole('dialog', { name: 'Add channel' });
    await dialog.getByRole('textbox', { name: 'To' }).fill('ann@example.org, bob@example.org');
    await dialog.getByRole('textbox', { name: 'From' }).fill('holdfast@example.org');
    await dialog.getByRole('textbox', { name: 'Server' }).fill('127.0.0.1');
    await dialog.getByRole('combobox', { name: 'Encryption' }).selectOption('STARTTLS');
    expect(await dialog.getByRole('textbox', { name: 'Port' }).inputValue()).toBe('587');
    await dialog.getByRole('combobox', { name: 'Encryption' }).selectOption('None');
    await dialog.getByRole('textbox', { name: 'Port' }).fill(String(smtp.port));
    await dialog.getByRole('textbox', { name: 'User name' }).fill('ann');
    await dialog.getByRole('textbox', { name: 'Password' }).fill('mail-pass');
    await dialog.getByRole('button', { name: 'Add channel' }).click();
    const row = page.getByRole('listitem', { name: 'E-mail' });
    await row.getByRole('button', { name: 'Test E-mail' }).click();
    await row.getByText('Worked', { exact: true }).waitFor();
    expect(smtp.mails).toMatchObject([{ to: ['ann@example.org', 'bob@example.org'], user: 'ann' }]);
    expect(readMail(smtp.mails[0]?.raw ?? '').headers.get('subject')).toContain('Holdfast');
    expect(complaints).toEqual([]);
  });

  it('tell of a run that failed, and the alert is listed', async () => {
    await using sink = await startHttpSink();
    const { page, host, source, destination, complaints } = await open();
    const { destination: disk } = await host.destinations.add({ name: 'USB disk', location: destination });
    const plan = await host.plans.create({
      name: 'Photos',
      sources: [{ kind: 'path', path: path.join(source, 'not-there') }],
      destinations: [disk.id],
      schedule: { when: { kind: 'manual' } },
    });
    await host.alerts.addChannel({ name: 'Office', target: { kind: 'webhook', url: sink.url } });
    await show(page, '/settings');
    await page.getByText('Nothing needs you.').waitFor();
    await host.plans.run({ id: plan.id });
    await page.getByRole('list', { name: 'What holds now' }).getByText('Photos').first().waitFor();
    await sink.received(1);
    expect(sink.requests[0]?.body).toContain('Photos');
    await page.getByRole('listitem', { name: 'Office' }).getByText('Worked', { exact: true }).waitFor();
    await expectAccessible(page);
    await picture(page, 'light-settings');
    expect(complaints).toEqual([]);
  });
});

describe('an alert that no plan is behind', () => {
  it('is on Home, beside the verdict', async () => {
    const { page, host, source, destination, complaints } = await open();
    const { destination: disk } = await host.destinations.add({ name: 'USB disk', location: destination });
    const { destination: other } = await host.destinations.add({
      name: 'Second disk',
      location: `${destination}-2`,
    });
    const plan = await host.plans.create({
      name: 'Documents',
      sources: [{ kind: 'path', path: source }],
      destinations: [disk.id],
      schedule: { when: { kind: 'manual' } },
    });
    await host.plans.run({ id: plan.id });
    await page.getByRole('heading', { name: "You're protected" }).waitFor({ timeout: 60_000 });
    rmSync(`${destination}-2`, { recursive: true });
    await host.destinations.copy({ id: disk.id, toDestinationId: other.id });
    const more = page.getByRole('region', { name: 'More that needs you' });
    await more.getByText('The copy of versions from “USB disk” failed', { exact: true }).waitFor();
    await expectAccessible(page);
    await more.getByRole('link', { name: 'Show run' }).click();
    await page.getByRole('heading', { name: 'Copy' }).waitFor();
    expect(complaints).toEqual([]);
  });
});

describe('settings', () => {
  it('are saved at once, seen in a second page at once, and kept over a restart', async () => {
    const stage = await open();
    const { page, host } = stage;
    await show(page, '/settings');
    const other = await page.context().newPage();
    await other.goto(page.url());
    const upload = page.getByRole('textbox', { name: 'Upload' });
    await upload.fill('2,5');
    await upload.press('Enter');
    await page.getByText('Saved').first().waitFor();
    await expect.poll(async () => (await host.settings.get()).uploadLimit).toBe(2.5 * 1024 ** 2);
    await expect.poll(() => other.getByRole('textbox', { name: 'Upload' }).inputValue()).toBe('2.5');
    await upload.fill('zero');
    await upload.press('Tab');
    await page.getByText('Give a number above 0').waitFor();
    await upload.fill('2.5');
    await page.getByRole('combobox', { name: 'Remember finished runs for' }).selectOption('2 years');
    await page.getByRole('combobox', { name: /Warn when/ }).selectOption('7 days');
    await expect.poll(() => other.getByRole('combobox', { name: /Warn when/ }).inputValue()).toBe('7');
    await other.close();
    const address = page.url();
    await lookAway(page);
    await stage.kill();
    await stage.restart();
    await page.goto(address);
    await expect.poll(() => page.getByRole('textbox', { name: 'Upload' }).inputValue()).toBe('2.5');
    expect(await page.getByRole('combobox', { name: 'Remember finished runs for' }).inputValue()).toBe('730');
    await page.getByRole('combobox', { name: 'Language' }).selectOption('Deutsch');
    await page.getByRole('heading', { name: 'Einstellungen' }).waitFor();
    expect(stage.complaints).toEqual([]);
  });

  it('say what each plan does on battery', async () => {
    const { page, host, source, destination, complaints } = await open();
    const { destination: disk } = await host.destinations.add({ name: 'USB disk', location: destination });
    const { id } = await host.plans.create({
      name: 'Documents',
      sources: [{ kind: 'path', path: source }],
      destinations: [disk.id],
      schedule: { when: { kind: 'manual' } },
      options: { uploadLimit: 4321 },
    });
    await show(page, '/settings');
    await page.getByRole('combobox', { name: 'On battery: Documents' }).selectOption('Waits');
    await expect.poll(async () => (await host.plans.get({ id })).plan.options.onBattery).toBe('wait');
    expect((await host.plans.get({ id })).plan.options).toMatchObject({
      uploadLimit: 4321,
      onMetered: 'wait',
    });
    expect(complaints).toEqual([]);
  });

  it('go out as a file and come back, and what is wrong in it is said with its line', async () => {
    const { page, host, source, destination, complaints } = await open();
    await show(page, '/settings');
    const download = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Save file…' }).click();
    expect((await download).suggestedFilename()).toBe('holdfast.yaml');

    const file = path.join(path.dirname(source), 'other.yaml');
    writeFileSync(
      file,
      [
        'version: 1',
        'destinations:',
        `  - {name: USB disk, location: ${destination}}`,
        'plans:',
        '  - name: Documents',
        `    sources: [{kind: path, path: ${source}}]`,
        '    destinations: [USB disk]',
        '    schedule: {when: {kind: sometimes}}',
        'channels: [{name: Office, target: {kind: ntfy, url: "https://ntfy.sh/office"}}]',
        'settings: {uploadLimit: 1048576}',
      ].join('\n'),
    );
    await page.locator('input[type=file]').setInputFiles(file);
    const dialog = page.getByRole('dialog', { name: 'Bring in a configuration' });
    await dialog.getByText('It names 1 destination, 1 plan and 1 channel.').waitFor();
    await dialog.getByLabel('Password of USB disk').waitFor();
    await expectAccessible(page);
    await picture(page, 'light-import');
    await dialog.getByRole('button', { name: 'Bring in' }).click();
    await dialog
      .getByRole('alert')
      .getByText(/line 8/i)
      .waitFor();
    expect(await host.plans.list()).toEqual([]);
    const content = dialog.getByRole('textbox', { name: 'Content of the file' });
    await content.fill((await content.inputValue()).replace('sometimes', 'manual'));
    await dialog.getByRole('button', { name: 'Bring in' }).click();
    await dialog.getByText('3 added, 0 changed.').waitFor();
    expect(await host.plans.list()).toMatchObject([{ plan: { name: 'Documents' } }]);
    // What was brought in is shown at once.
    await dialog.getByRole('button', { name: 'Close' }).last().click();
    await page.getByRole('listitem', { name: 'Office' }).waitFor();
    await expect.poll(() => page.getByRole('textbox', { name: 'Upload' }).inputValue()).toBe('1');
    expect(complaints).toEqual([]);
  });
});

describe.each([
  { name: 'light', options: { colorScheme: 'light' } },
  { name: 'dark', options: { colorScheme: 'dark', locale: 'de-DE' } },
  { name: 'narrow', options: { colorScheme: 'light', viewport: { width: 420, height: 900 } } },
] as const)('what could be lost, $name', ({ name, options }) => {
  it('is said for each plan and destination, with the way back', async () => {
    const { page, host, source, destination, complaints } = await open({}, options);
    const { destination: disk } = await host.destinations.add({ name: 'USB disk', location: destination });
    const plan = await host.plans.create({
      name: 'Documents',
      sources: [{ kind: 'path', path: source }],
      destinations: [disk.id],
      schedule: { when: { kind: 'manual' } },
    });
    await show(page, '/recovery');
    await page.locator('[data-tone=bad]').first().waitFor();
    await host.plans.run({ id: plan.id });
    await page.locator('td [data-tone=good]').first().waitFor({ timeout: 60_000 });
    expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
    await picture(page, `${name}-recovery`);
    await expectAccessible(page);
    await show(page, '/settings');
    await page.locator('#about dl').waitFor();
    expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
    await picture(page, `${name}-settings-all`);
    await expectAccessible(page);
    expect(complaints).toEqual([]);
  });
});
