/** Storages with logins as people meet them: the forms, signing in, what a server asks, and signing in again. */
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import type { Locator, Page } from 'playwright';
import { afterEach, describe, expect, it } from 'vitest';
import type { Destination } from '../../src/api/model/destination.ts';
import { ENDED } from '../../src/api/model/run.ts';
import { openStore } from '../../src/store/sqlite.ts';
import { systemClock } from '../../src/util/clock.ts';
import { Holdfast } from '../helpers/holdfast.ts';
import { DriveServer } from '../servers/drive.ts';
import { DropboxServer } from '../servers/dropbox.ts';
import { RestServer } from '../servers/rest.ts';
import { newHostKey, startSftp } from '../servers/sftp.ts';
import { lookAway } from './past.ts';
import { expectAccessible, type Stage, useStage } from './stage.ts';

const open = useStage();
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});
const pictures = process.env.HOLDFAST_SCREENSHOTS;
const LONG = { timeout: 60_000 };

async function picture(page: Page, name: string): Promise<void> {
  if (!pictures) return;
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({
      path: path.join(pictures, `${name}-${colorScheme}.png`),
      fullPage: true,
      animations: 'disabled',
    });
  }
}

/** At the form of a kind of storage. */
async function chooseKind(page: Page, kind: string): Promise<void> {
  await page.goto(new URL('/destinations/new', page.url()).href);
  await page.getByRole('radio', { name: kind }).check();
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByRole('heading', { name: 'Where is it?' }).waitFor();
}

const test = (page: Page) => page.getByRole('button', { name: 'Test connection' }).click();

/** From the tested place to the card. */
async function finish(page: Page, name: string): Promise<Locator> {
  await page.getByRole('button', { name: 'Next' }).click();
  await page.getByRole('textbox', { name: 'Name', exact: true }).fill(name);
  await page.getByRole('button', { name: 'Add destination' }).click();
  await page.getByRole('checkbox', { name: /have written down/ }).check(LONG);
  await page.getByRole('button', { name: 'Done' }).click();
  const card = page.getByRole('article', { name });
  await card.waitFor();
  return card;
}

describe('a REST server', () => {
  it('is added with its login, and what waited for a new one goes on after it', async () => {
    const { page, host, source, complaints } = await open({ 'a.txt': 'hello' });
    const login = { username: 'ann', password: 'first' };
    const server = await RestServer.start({ login, appendOnly: true });
    closers.push(() => server[Symbol.asyncDispose]());

    await page.goto(new URL('/destinations/new', page.url()).href);
    await page.getByRole('radio', { name: 'REST server' }).waitFor();
    await picture(page, 'add-kinds');
    await expectAccessible(page);
    await chooseKind(page, 'REST server');
    await test(page);
    await page.getByText('Give an address such as').waitFor();
    await page.getByRole('textbox', { name: 'Address' }).fill(server.target());
    await page.getByRole('textbox', { name: 'User name' }).fill('ann');
    await page.getByLabel('Password of the login', { exact: true }).fill('wrong');
    await test(page);
    await page.getByRole('alert').waitFor();
    await picture(page, 'add-rest-refused');
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Next' }).click();
    await page.getByText('Test the connection, then go on.').waitFor();
    await page.getByLabel('Password of the login', { exact: true }).fill('first');
    // The first Enter tests.
    await page.keyboard.press('Enter');
    await page.getByText('Works. A new repository will be made here.').waitFor();
    await page.getByText('Append-only: nothing can be changed').waitFor();
    await picture(page, 'add-rest-works');
    const card = await finish(page, 'Server');
    await card.getByText('Append-only').waitFor();
    const [destination] = (await host.destinations.list()).filter(({ kind }) => kind === 'rest');
    if (!destination) return expect.unreachable();
    expect(JSON.stringify(destination)).not.toContain('first');

    const plan = await host.plans.create({
      name: 'Documents',
      sources: [{ kind: 'path', path: source }],
      destinations: [destination.id],
      schedule: { when: { kind: 'manual' } },
    });
    login.password = 'second';
    const [refused] = await host.plans.run({ id: plan.id });
    const ended = async (id = '') => (await host.runs.get({ id })).state;
    await expect
      .poll(() => ended(refused?.id), LONG)
      .toSatisfy((state) => ENDED.some((one) => one === state));
    await card.getByRole('button', { name: 'Sign in again' }).waitFor();
    await picture(page, 'card-signed-out');
    await expectAccessible(page);

    await page.getByRole('link', { name: 'Home' }).click();
    await page.getByRole('button', { name: 'Sign in again' }).click();
    const dialog = page.getByRole('dialog', { name: 'Sign in to “Server”' });
    await dialog.getByLabel('Password of the login', { exact: true }).fill('wrong');
    await dialog.getByRole('button', { name: 'Use this login' }).click();
    await dialog.getByRole('alert').waitFor();
    await picture(page, 'login-refused');
    await expectAccessible(page);
    await dialog.getByLabel('Password of the login', { exact: true }).fill('second');
    await dialog.getByRole('button', { name: 'Use this login' }).click();
    await dialog.waitFor({ state: 'detached' });
    await card.getByText('Reachable').waitFor();
    expect(await card.getByRole('button', { name: 'Sign in again' }).count()).toBe(0);
    const good = async () =>
      (await host.runs.list({ planId: plan.id })).filter(({ state }) => state === 'succeeded').length;
    await expect.poll(good, LONG).toBe(1);
    // What the browser itself says of the sign-in that a screen asked for is no complaint.
    expect(complaints).toEqual([]);
  });
});

describe('a repository on a server that no plan knows', () => {
  it('gives files back, and is only read', async () => {
    const { page, host, source, complaints } = await open({ 'letter.txt': 'Dear Ann' });
    const server = await RestServer.start({ login: { username: 'ann', password: 'first' } });
    closers.push(() => server[Symbol.asyncDispose]());
    const address = server.target();
    const other = new Holdfast({
      repository: `rest:${server.target('ann:first')}`,
      home: path.join(path.dirname(source), 'elsewhere'),
    });

    await page.getByRole('link', { name: 'Restore' }).click();
    await page.getByRole('button', { name: 'Another repository…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Open another repository' });
    const press = (name: string) => dialog.getByRole('button', { name, exact: true }).click();
    await dialog.getByRole('radio', { name: 'REST server' }).check();
    await picture(page, 'other-kinds');
    await expectAccessible(page);
    await press('Next');
    await dialog.getByRole('textbox', { name: 'Address' }).fill(address);
    await dialog.getByRole('textbox', { name: 'User name' }).fill('ann');
    await dialog.getByLabel('Password of the login', { exact: true }).fill('first');
    await press('Open repository');
    await dialog.getByText('Test the connection, then go on.').waitFor();
    await press('Test connection');
    await dialog.getByText('There is no repository of Holdfast or restic here.').waitFor();
    await picture(page, 'other-none');
    await expectAccessible(page);

    await other.init();
    await other.backup([source]);
    await press('Test connection');
    await dialog.getByText('There is a repository here already').waitFor();
    const password = dialog.getByRole('textbox', { name: 'Password', exact: true });
    await password.fill('guess');
    await press('Open repository');
    await dialog.getByText('This password does not open the repository.').waitFor();
    await picture(page, 'other-wrong');
    await expectAccessible(page);
    await password.fill(other.password);
    await press('Open repository');
    await dialog.waitFor({ state: 'detached' });
    const rest = () => host.destinations.list().then((all) => all.find(({ kind }) => kind === 'rest'));
    expect(await rest()).toMatchObject({ location: `rest:${address}`, readOnly: true });

    rmSync(path.join(source, 'letter.txt'));
    await page.getByText(/^Versions of/).waitFor();
    const next = () => page.getByRole('button', { name: 'Next' }).click();
    await next();
    await page
      .getByRole('treeitem', { name: /^letter\.txt/ })
      .locator('[data-part=check]')
      .click();
    await next();
    await next();
    await page.getByRole('button', { name: 'Restore', exact: true }).click();
    await page.getByRole('heading', { name: '1 file is back' }).waitFor(LONG);
    expect(readFileSync(path.join(source, 'letter.txt'), 'utf8')).toBe('Dear Ann');
    expect(complaints).toEqual([]);
  });
});

describe('a server over SSH', () => {
  it('is met with a question, and with a warning when its key changes', async () => {
    const { page, host, source, complaints } = await open();
    const root = path.join(path.dirname(source), 'server');
    mkdirSync(root);
    const servers = [await startSftp({ root, password: 'secret' })];
    closers.push(() => Promise.all(servers.map((one) => one.close())));
    const fill = async (port: number) => {
      await page.getByRole('textbox', { name: 'Server', exact: true }).fill('127.0.0.1');
      await page.getByRole('textbox', { name: 'Port' }).fill(String(port));
    };
    await chooseKind(page, 'Server over SSH');
    await fill(servers[0]?.port ?? 0);
    await page.getByRole('textbox', { name: 'User name' }).fill('ann');
    await page.getByRole('textbox', { name: 'Folder on the server' }).fill('/backups');
    await page.getByLabel('Password of the login', { exact: true }).fill('secret');
    await test(page);
    await page.getByText('Is this the right server?').waitFor();
    await page.getByText(/^SHA256:/).waitFor();
    await picture(page, 'add-sftp-question');
    await expectAccessible(page);
    await page.getByRole('button', { name: 'This is the right server' }).click();
    await page.getByText('Works. A new repository will be made here.').waitFor();
    await finish(page, 'NAS');
    const [nas] = (await host.destinations.list()).filter(({ kind }) => kind === 'sftp');
    expect(nas?.location).toBe(`sftp://ann@127.0.0.1:${servers[0]?.port}//backups`);

    // Another one answers at the same address.
    await servers[0]?.close();
    servers[0] = await startSftp({
      root,
      password: 'secret',
      hostKeys: [newHostKey()],
      port: servers[0]?.port ?? 0,
    });
    const card = page.getByRole('article', { name: 'NAS' });
    await card.getByRole('button', { name: 'Test connection to NAS' }).click();
    await card.getByRole('button', { name: 'Sign in again' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('The server shows another key than before').waitFor();
    expect(await dialog.getByRole('button', { name: 'Trust the new key' }).count()).toBe(0);
    await picture(page, 'host-key-changed');
    await expectAccessible(page);
    await dialog.getByRole('checkbox', { name: /I know why/ }).check();
    await dialog.getByRole('button', { name: 'Trust the new key' }).click();
    await dialog.waitFor({ state: 'detached' });
    await card.getByText('Reachable').waitFor();
    expect(complaints).toEqual([]);
  });
});

/** The client id, and where the service of tests is. */
async function fillIn(page: Page, clientId: string, options: ReadonlyMap<string, string>): Promise<void> {
  await page.getByRole('textbox', { name: 'Client id' }).fill(clientId);
  await page.getByRole('button', { name: 'Advanced' }).click();
  const lines = [...options].map(([name, value]) => `${name}=${value}`);
  await page.getByRole('textbox', { name: 'Further options' }).fill(lines.join('\n'));
}

describe('Dropbox', () => {
  it('shows a code, which is copied', async () => {
    const { page, complaints } = await open();
    const server = await DropboxServer.start();
    closers.push(() => server.close());
    await chooseKind(page, 'Dropbox');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').waitFor();
    await fillIn(page, 'app-key', server.options);
    const opened = page.context().waitForEvent('page');
    await page.getByRole('button', { name: 'Sign in' }).click();
    const service = await opened;
    const code = /Your code: (\S+)/.exec((await service.locator('body').textContent()) ?? '')?.[1] ?? '';
    await service.close();
    await picture(page, 'add-dropbox-waiting');
    await expectAccessible(page);
    const pasted = page.getByRole('textbox', { name: 'Address or code at the end' });
    await pasted.fill('nothing');
    await page.keyboard.press('Enter');
    await page.getByRole('alert').waitFor();
    await pasted.fill(code);
    await page.keyboard.press('Enter');
    await page.getByText('Signed in as').waitFor();
    await picture(page, 'add-dropbox-signed-in');
    await expectAccessible(page);
    await test(page);
    await page.getByText('Works. A new repository will be made here.').waitFor(LONG);
    const card = await finish(page, 'Dropbox');
    await card.getByText('Account', { exact: true }).waitFor();
    expect(complaints).toEqual([]);
  });
});

describe('Google Drive', () => {
  it('sends the browser back to the host, and is signed in to again after it was revoked', async () => {
    const { page, complaints } = await open();
    const server = await DriveServer.start();
    closers.push(() => server[Symbol.asyncDispose]());
    const { clientId, clientSecret } = server.login;
    await chooseKind(page, 'Google Drive');
    await fillIn(page, clientId, server.options);
    await page.getByLabel('Client secret', { exact: true }).fill(clientSecret);
    const signIn = (within: Page | Locator) =>
      within.getByRole('button', { name: 'Sign in', exact: true }).click();
    server.login.consents = false;
    await signIn(page);
    await page.getByRole('alert').waitFor();
    server.login.consents = true;
    await signIn(page);
    await page.getByText('Signed in as').waitFor();
    await test(page);
    await page.getByText('Works. A new repository will be made here.').waitFor(LONG);
    const card = await finish(page, 'Drive');
    server.login.revokeAll();
    await card.getByRole('button', { name: 'Test connection to Drive' }).click();
    await card.getByRole('button', { name: 'Sign in again' }).click(LONG);
    const dialog = page.getByRole('dialog');
    expect(await dialog.getByRole('textbox', { name: 'Client id' }).inputValue()).toBe(clientId);
    await dialog.getByLabel('Client secret', { exact: true }).fill(clientSecret);
    await picture(page, 'login-cloud');
    await expectAccessible(page);
    await signIn(dialog);
    await dialog.waitFor({ state: 'detached' });
    await card.getByText('Reachable').waitFor();
    expect(complaints).toEqual([]);
  });
});

/** Written where the host keeps what it knows, while it rests. */
async function rewrite(stage: Stage, id: string, change: Partial<Destination>): Promise<void> {
  await lookAway(stage.page);
  await stage.kill();
  const store = openStore(path.join(path.dirname(stage.source), 'data', 'holdfast.db'), {
    clock: systemClock,
    onProblem: (sentence) => expect.unreachable(sentence),
  });
  const before = store.destinations.get(id);
  if (before) store.destinations.put({ ...before, ...change });
  store.close();
  await stage.restart();
}

describe('a card', () => {
  it('shows the disks of a set, which can be taken out of it, and what the storage tells of itself', async () => {
    const stage = await open();
    const { page, destination: folder, complaints } = stage;
    const address = new URL('/destinations', page.url()).href;
    const { destination } = await stage.host.destinations.add({
      name: 'Disks that take turns',
      location: folder,
    });
    const disk = (label: string, lastSeenAt: number) => ({
      uuid: `0000-${label}`,
      label,
      capacity: 2e12,
      folder: 'Holdfast',
      repositoryId: destination.repositoryId,
      lastSeenAt,
      mountPoint: null,
    });
    const day = 24 * 3600 * 1000;
    await rewrite(stage, destination.id, {
      disks: [disk('RED', Date.now() - 2 * day), disk('BLUE', Date.now() - 9 * day)],
      facts: {
        account: 'ann@example.org',
        appendOnly: true,
        versioning: 'on',
        objectLock: { mode: 'compliance', days: 30 },
      },
    });
    await page.goto(address);
    const card = page.getByRole('article', { name: 'Disks that take turns' });
    await card.getByText('last seen 2 days ago').waitFor();
    for (const text of ['ann@example.org', 'Append-only', 'Bucket keeps old states', 'Locked for 30 days']) {
      await card.getByText(text, { exact: true }).waitFor();
    }
    await picture(page, 'card-set');
    await expectAccessible(page);
    await card.getByRole('button', { name: 'Add a disk to this set' }).click();
    await page.getByRole('textbox', { name: 'Folder on the new disk' }).fill('usb');
    await page.getByRole('dialog').getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByText('Give the whole path, from the root on.').waitFor();
    await picture(page, 'add-disk');
    await expectAccessible(page);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });

    await page.getByRole('button', { name: 'More about Disks that take turns' }).click();
    await page.getByRole('menuitem', { name: 'Edit' }).click();
    await page.getByRole('checkbox', { name: 'Eject the disk when a backup is done' }).check();
    await picture(page, 'edit-set');
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await card.getByRole('button', { name: 'Remove BLUE' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await card.getByText('BLUE').waitFor({ state: 'detached' });
    const now = await stage.host.destinations.get({ id: destination.id });
    expect(now).toMatchObject({ ejectWhenDone: true, disks: [{ label: 'RED' }] });
    expect(complaints).toEqual([]);
  });
});

describe('S3', () => {
  it('has a form that makes the address of a provider', async () => {
    const { page, complaints } = await open();
    await chooseKind(page, 'S3');
    await page.getByRole('combobox', { name: 'Provider' }).selectOption('Backblaze B2');
    await page.getByRole('textbox', { name: 'Region' }).fill('eu-central-003');
    await page.getByText('Address: https://s3.eu-central-003.backblazeb2.com').waitFor();
    await test(page);
    await page.getByText('Give the name of the bucket.').waitFor();
    await page.getByRole('button', { name: 'Advanced' }).click();
    await page.getByRole('textbox', { name: 'Storage class' }).waitFor();
    await picture(page, 'add-s3');
    await expectAccessible(page);
    expect(complaints).toEqual([]);
  });
});
