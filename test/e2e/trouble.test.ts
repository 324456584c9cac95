/**
 * What goes wrong, as people meet it: each time a sentence says what happened, a button leads to where it is put right, and nothing
 * is lost.
 */
import { createHash, randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../src/api/errors.ts';
import { Plan, type PlanInput } from '../../src/api/model/plan.ts';
import { ENDED, type Run } from '../../src/api/model/run.ts';
import { openStore } from '../../src/store/sqlite.ts';
import type { Client } from '../../src/transport/client.ts';
import { systemClock } from '../../src/util/clock.ts';
import { Holdfast } from '../helpers/holdfast.ts';
import { backupRunOf, destinationOf } from '../helpers/host-values.ts';
import { useTemp } from '../helpers/scope.ts';
import { expectNoEnglish } from './german.ts';
import { lookAway } from './past.ts';
import { expectAccessible, type Stage, useStage } from './stage.ts';

const open = useStage();
const temp = useTemp();
const pictures = process.env.HOLDFAST_SCREENSHOTS;

const MANUAL = { when: { kind: 'manual' as const } };
const MB = 1_000_000;
/** Of a plan whose run is to be caught in its middle, in bytes a second. */
const SLOW = 6 * MB;

const GERMAN = { locale: 'de-DE' };

/** Files that can't be compressed. The first packs are stored long before the last file is read. */
const bigFiles = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`film-${i}.bin`, randomBytes(MB)]));

async function picture(page: Page, name: string): Promise<void> {
  if (pictures) await page.screenshot({ path: path.join(pictures, `${name}.png`), fullPage: true });
}

/** "Papers" to "USB disk". */
async function furnish(
  { host, source, destination }: Stage,
  o: { readonly password?: string; readonly options?: PlanInput['options'] } = {},
) {
  const { password, options } = o;
  const { destination: disk } = await host.destinations.add({
    name: 'USB disk',
    location: destination,
    ...(password === undefined ? {} : { password }),
  });
  const input = {
    name: 'Papers',
    sources: [{ kind: 'path' as const, path: source }],
    destinations: [disk.id],
    schedule: MANUAL,
    ...(options ? { options } : {}),
  };
  const plan = await host.plans.create(input);
  return { planId: plan.id, destinationId: disk.id, input };
}

const LONG = { timeout: 60_000 };

/** Past the page; the run as it ended. */
async function ended(host: Client, id: string): Promise<Run> {
  const states = async () => ENDED.includes((await host.runs.get({ id })).state);
  await expect.poll(states, LONG).toBe(true);
  return host.runs.get({ id });
}

async function backedUp({ host }: Stage, planId: string): Promise<void> {
  const [run] = await host.plans.run({ id: planId });
  expect(await ended(host, run?.id ?? '')).toMatchObject({ state: 'succeeded' });
}

/** Bytes of all packs that lie in a repository's folder. */
function packBytes(repository: string): number {
  const found = fs.readdirSync(path.join(repository, 'data'), { recursive: true, withFileTypes: true });
  const packs = found.filter((one) => one.isFile() && /^[0-9a-f]{64}$/.test(one.name));
  return packs.reduce((sum, { parentPath, name }) => sum + fs.statSync(path.join(parentPath, name)).size, 0);
}

/** The newest version, restored next to everything else, is the source byte by byte. */
async function expectWhole({ host, source }: Stage, destinationId: string): Promise<void> {
  const target = temp.dir('restored');
  const run = await host.runs.restore({
    destinationId,
    versionId: 'latest',
    target: { kind: 'folder', path: target },
  });
  expect(await ended(host, run.id)).toMatchObject({ state: 'succeeded' });
  const names = fs.readdirSync(source).sort();
  const restored = path.join(target, source);
  expect(fs.readdirSync(restored).sort()).toEqual(names);
  for (const name of names) {
    const same = fs.readFileSync(path.join(restored, name)).equals(fs.readFileSync(path.join(source, name)));
    expect(same, name).toBe(true);
  }
}

/** Without what the browser itself says of a host that is not there. */
function ownComplaints(complaints: readonly string[]): readonly string[] {
  return complaints.filter(
    (one) =>
      !/WebSocket connection to|ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET/.test(one),
  );
}

describe('a host that is killed in the middle of a backup', () => {
  it.each([
    {
      language: 'en',
      options: {},
      say: {
        now: 'Back up now',
        lost: 'The connection to Holdfast was lost.',
        good: "You're protected",
        activity: 'Activity',
        interrupted: /Interrupted/,
        succeeded: /Succeeded/,
      },
    },
    {
      language: 'de',
      options: GERMAN,
      say: {
        now: 'Jetzt sichern',
        lost: 'Die Verbindung zu Holdfast ist abgerissen.',
        good: 'Sie sind geschützt',
        activity: 'Aktivität',
        interrupted: /Unterbrochen/,
        succeeded: /Gelungen/,
      },
    },
  ])(
    'is said to be lost, comes back, and the backup is continued ($language)',
    async ({ language, options, say }) => {
      const stage = await open(bigFiles(40), options);
      const { page, complaints, destination } = stage;
      const { destinationId } = await furnish(stage, { options: { uploadLimit: SLOW } });
      await page.getByRole('button', { name: say.now }).first().click();
      await page.getByRole('progressbar', { name: /Papers/ }).waitFor();
      await expect.poll(() => packBytes(destination), LONG).toBeGreaterThan(8 * MB);
      if (language === 'de') await expectNoEnglish(page);
      await picture(page, `trouble-running-${language}`);
      await stage.kill();
      await page.getByText(say.lost).waitFor();
      await picture(page, `trouble-lost-${language}`);
      await expectAccessible(page);
      if (language === 'de') await expectNoEnglish(page);

      await stage.restart();
      await page.getByText(say.lost).waitFor({ state: 'detached' });
      await page.getByRole('heading', { name: say.good }).waitFor(LONG);
      await page.getByRole('link', { name: say.activity }).first().click();
      await page.getByRole('row', { name: say.interrupted }).waitFor();
      await picture(page, `trouble-continued-${language}`);
      if (language === 'de') await expectNoEnglish(page);
      const runs = await stage.host.runs.list({ kinds: ['backup'] });
      expect(runs).toMatchObject([
        { state: 'succeeded', trigger: 'continue', previousId: runs[1]?.id },
        { state: 'interrupted' },
      ]);
      await page.getByRole('row', { name: say.interrupted }).getByRole('link').first().click();
      await page.getByRole('heading', { level: 1 }).waitFor();
      await picture(page, `trouble-interrupted-${language}`);
      if (language === 'de') await expectNoEnglish(page);
      await expectWhole(stage, destinationId);
      expect(ownComplaints(complaints)).toEqual([]);
    },
  );
});

/** The run page of the newest run, and from there the button. */
async function showRun(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Show run' }).first().click();
  await page.getByRole('button', { name: 'Run again' }).waitFor();
}

async function runAgain(page: Page, state: string): Promise<void> {
  const before = page.url();
  await page.getByRole('button', { name: 'Run again' }).click();
  await page.waitForURL((url) => url.href !== before);
  await page.getByText(state, { exact: true }).first().waitFor(LONG);
}

async function goTo(page: Page, name: string): Promise<void> {
  await page.getByRole('link', { name, exact: true }).first().click();
}

describe('a backup that is cancelled', () => {
  it('keeps what it has stored, and goes on from there when it is run again', async () => {
    const stage = await open(bigFiles(40));
    const { page, host, destination, complaints } = stage;
    const { planId, destinationId, input } = await furnish(stage, { options: { uploadLimit: SLOW } });
    await page.getByRole('button', { name: 'Back up now' }).first().click();
    await page.getByRole('link', { name: 'Show run' }).click();
    await expect.poll(() => packBytes(destination), LONG).toBeGreaterThan(8 * MB);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByText('Cancelled', { exact: true }).waitFor(LONG);
    await page.getByText('What had been stored by then stays there').waitFor();
    await picture(page, 'trouble-cancelled');
    const stored = packBytes(destination);
    expect(stored).toBeLessThan(40 * MB);

    await host.plans.update({ ...input, id: planId });
    await runAgain(page, 'Succeeded');
    await page.getByText('40 new files').waitFor();
    await picture(page, 'trouble-resumed');
    const [second] = await host.runs.list();
    const added = second?.report?.kind === 'backup' ? second.report.bytesAdded : Number.NaN;
    expect(added).toBeLessThan(40 * MB - 8 * MB);
    // Nothing lies there twice.
    expect(packBytes(destination)).toBeLessThan(41 * MB);
    await expectWhole(stage, destinationId);
    expect(complaints).toEqual([]);
  });
});

describe('a password that was changed elsewhere', () => {
  it.each([
    {
      language: 'en',
      options: {},
      say: {
        now: 'Back up now',
        attention: 'Needs attention',
        show: 'Show destination',
        enter: 'Enter the password…',
        label: 'Password or recovery key',
        save: 'Use this password',
        wrong: 'This password does not open the repository.',
        done: '“USB disk” can be used again.',
        home: 'Home',
        good: "You're protected",
      },
    },
    {
      language: 'de',
      options: GERMAN,
      say: {
        now: 'Jetzt sichern',
        attention: 'Bitte ansehen',
        show: 'Ziel zeigen',
        enter: 'Passwort eingeben…',
        label: 'Passwort oder Notfallschlüssel',
        save: 'Dieses Passwort benutzen',
        wrong: 'Dieses Passwort öffnet das Repository nicht.',
        done: '„USB disk“ ist wieder benutzbar.',
        home: 'Start',
        good: 'Sie sind geschützt',
      },
    },
  ])('is asked for where the failure is shown ($language)', async ({ language, options, say }) => {
    const stage = await open({ 'letter.txt': 'Dear Ann' }, options);
    const { page, host, destination, complaints } = stage;
    const elsewhere = new Holdfast({ repository: destination, home: temp.dir('elsewhere') });
    await elsewhere.init();
    const { planId, destinationId } = await furnish(stage, { password: elsewhere.password });
    await backedUp(stage, planId);
    const file = path.join(elsewhere.place.home, 'password');
    fs.writeFileSync(file, 'a new one');
    await elsewhere.call(['key', 'passwd', '--new-password-file', file]);

    await page.getByRole('button', { name: say.now }).first().click();
    await page.getByRole('heading', { name: say.attention }).waitFor(LONG);
    await picture(page, `trouble-password-home-${language}`);
    if (language === 'de') await expectNoEnglish(page);
    await page.getByRole('button', { name: say.show }).first().click();
    const card = page.getByRole('article', { name: 'USB disk' });
    await card.getByRole('button', { name: say.enter }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('textbox', { name: say.label }).fill('not this one');
    await dialog.getByRole('button', { name: say.save }).click();
    await dialog.getByText(say.wrong).waitFor(LONG);
    await picture(page, `trouble-password-wrong-${language}`);
    await expectAccessible(page);
    if (language === 'de') await expectNoEnglish(page);
    await dialog.getByRole('textbox', { name: say.label }).fill('a new one');
    await dialog.getByRole('button', { name: say.save }).press('Enter');
    await page.getByText(say.done).waitFor(LONG);
    await card.getByRole('button', { name: say.enter }).waitFor({ state: 'detached' });
    await picture(page, `trouble-password-done-${language}`);

    await goTo(page, say.home);
    await page.getByRole('button', { name: say.now }).first().click();
    await page.getByRole('heading', { name: say.good }).waitFor(LONG);
    expect(await host.versions.list({ destinationId })).toHaveLength(2);
    expect(complaints).toEqual([]);
  });
});

describe('a source', () => {
  it('that is gone or emptied is no deletion: the backup is refused until it is back', async () => {
    const stage = await open({ 'letter.txt': 'Dear Ann', 'cat.jpg': 'not really' });
    const { page, host, source, complaints } = stage;
    const { planId, destinationId } = await furnish(stage);
    await backedUp(stage, planId);
    fs.renameSync(source, `${source}-away`);
    await page.getByRole('button', { name: 'Back up now' }).first().click();
    await page.getByRole('heading', { name: 'Needs attention' }).waitFor(LONG);
    await page.getByRole('listitem').filter({ hasText: source }).first().waitFor();
    await picture(page, 'trouble-source-home');
    await showRun(page);
    await page.getByText('take it out of the plan').waitFor();
    await picture(page, 'trouble-source-run');
    await expectAccessible(page);

    fs.mkdirSync(source);
    await runAgain(page, 'Failed');
    await page.getByText('is empty').first().waitFor();
    // Where the person says that it is meant to be so.
    await page.getByRole('link', { name: 'Edit plan' }).click();
    await page.getByRole('button', { name: `Remove ${source}` }).waitFor();
    expect(await host.versions.list({ destinationId })).toMatchObject([{ files: 2 }]);

    fs.rmdirSync(source);
    fs.renameSync(`${source}-away`, source);
    await goTo(page, 'Home');
    await page.getByRole('button', { name: 'Back up now' }).first().click();
    await page.getByRole('heading', { name: "You're protected" }).waitFor(LONG);
    await expectWhole(stage, destinationId);
    expect(complaints).toEqual([]);
  });
});

describe('a destination', () => {
  it('that is unplugged between two backups is missed, tested, and used again when it is back', async () => {
    const stage = await open({ 'letter.txt': 'Dear Ann' });
    const { page, host, destination, complaints } = stage;
    const { planId, destinationId } = await furnish(stage);
    await backedUp(stage, planId);
    const away = `${destination}-away`;
    fs.renameSync(destination, away);
    await page.getByRole('button', { name: 'Back up now' }).first().click();
    await page.getByRole('heading', { name: 'Needs attention' }).waitFor(LONG);
    await picture(page, 'trouble-unplugged-home');
    await page.getByRole('button', { name: 'Show destination' }).first().click();
    const card = page.getByRole('article', { name: 'USB disk' });
    await card.getByText('Not usable').waitFor();
    const test = card.getByRole('button', { name: 'Test connection to USB disk' });
    await test.click();
    await card.getByText('Tried again just now').waitFor();
    await picture(page, 'trouble-unplugged-card');
    await expectAccessible(page);

    // An empty folder in its place, as a mount point is, must stay empty.
    fs.mkdirSync(destination);
    await goTo(page, 'Activity');
    await page
      .getByRole('row', { name: /Failed/ })
      .first()
      .getByRole('link')
      .first()
      .click();
    await runAgain(page, 'Failed');
    await page.getByText('There is no repository at').first().waitFor();
    expect(fs.readdirSync(destination)).toEqual([]);
    fs.rmdirSync(destination);

    fs.renameSync(away, destination);
    await page.getByRole('link', { name: 'Show destination' }).click();
    await test.click();
    await card.getByText('Works. The repository is there').waitFor();
    await card.getByText('Reachable').waitFor();
    await goTo(page, 'Home');
    await page.getByRole('button', { name: 'Back up now' }).first().click();
    await page.getByRole('heading', { name: "You're protected" }).waitFor(LONG);
    expect(await host.versions.list({ destinationId })).toHaveLength(2);
    expect(complaints).toEqual([]);
  });

  it('that is unplugged in the middle of a backup ends it, and what it had stored is used by the next', async () => {
    const stage = await open(bigFiles(40));
    const { page, host, destination, complaints } = stage;
    const { planId, destinationId, input } = await furnish(stage, { options: { uploadLimit: SLOW } });
    await page.getByRole('button', { name: 'Back up now' }).first().click();
    await page.getByRole('link', { name: 'Show run' }).click();
    await expect.poll(() => packBytes(destination), LONG).toBeGreaterThan(8 * MB);
    const away = `${destination}-away`;
    fs.renameSync(destination, away);
    await page.getByText('Failed', { exact: true }).waitFor(LONG);
    await page.getByRole('link', { name: 'Show destination' }).waitFor();
    await picture(page, 'trouble-pulled-run');
    expect(fs.existsSync(destination)).toBe(false);

    fs.renameSync(away, destination);
    await host.plans.update({ ...input, id: planId });
    await runAgain(page, 'Succeeded');
    expect(packBytes(destination)).toBeLessThan(41 * MB);
    await expectWhole(stage, destinationId);
    expect(complaints).toEqual([]);
  });

  it('with another repository in its place, be it one with the same password, is not written to', async () => {
    const stage = await open({ 'letter.txt': 'Dear Ann' });
    const { page, destination, complaints } = stage;
    const elsewhere = new Holdfast({ repository: destination, home: temp.dir('elsewhere') });
    await elsewhere.init();
    const { planId } = await furnish(stage, { password: elsewhere.password });
    await backedUp(stage, planId);
    fs.renameSync(destination, `${destination}-right`);
    await elsewhere.init();
    const before = fs.readdirSync(destination, { recursive: true }).sort();
    await page.getByRole('button', { name: 'Back up now' }).first().click();
    await page.getByRole('heading', { name: 'Needs attention' }).waitFor(LONG);
    await page.getByRole('button', { name: 'Show destination' }).first().click();
    const card = page.getByRole('article', { name: 'USB disk' });
    await card.getByText('lies another repository').waitFor();
    await picture(page, 'trouble-stranger');
    expect(fs.readdirSync(destination, { recursive: true }).sort()).toEqual(before);
    expect(complaints).toEqual([]);
  });
});

describe('two browsers', () => {
  it('show the same pause, and a plan that one removes while the other edits it', async () => {
    const stage = await open();
    const { page, host, complaints } = stage;
    const { planId } = await furnish(stage);
    const other = await stage.anotherBrowser();
    await other.getByRole('button', { name: 'Pause' }).waitFor();
    await page.getByRole('button', { name: 'Pause' }).click();
    await page.getByRole('menuitem', { name: 'Until resumed' }).click();
    await other.getByRole('listitem').filter({ hasText: 'Backups are paused' }).waitFor();
    await other.getByRole('button', { name: 'Resume' }).first().click();
    await page.getByRole('button', { name: 'Pause' }).waitFor();

    await goTo(other, 'Plans');
    await other.getByRole('link', { name: 'Papers' }).click();
    await other.getByRole('button', { name: 'Review' }).click();
    await other.getByRole('textbox', { name: 'Name of the plan' }).fill('Letters');
    await goTo(page, 'Plans');
    await page.getByRole('button', { name: 'More about Papers' }).click();
    await page.getByRole('menuitem', { name: 'Remove' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
    await page.getByText('No plans yet').waitFor();
    await other.getByText('This plan is not there any more.').waitFor();
    await picture(other, 'trouble-plan-gone');
    await expectAccessible(other);
    await other.getByRole('button', { name: 'Create plan' }).click();
    await page.getByRole('article', { name: 'Letters' }).waitFor();
    expect(await host.plans.list()).toMatchObject([{ plan: { name: 'Letters' } }]);
    await other.goto(new URL(`/plans/${planId}`, other.url()).href);
    await other.getByRole('link', { name: 'Show all plans' }).click();
    await other.getByRole('article', { name: 'Letters' }).waitFor();
    expect(complaints).toEqual([]);
  });
});

describe('an office with 300 plans, 60 destinations and 5,000 runs', () => {
  it('opens every screen, a part of each list at a time', async () => {
    const stage = await open();
    const { page, complaints } = stage;
    const address = page.url();
    await lookAway(page);
    await stage.kill();
    writeOffice(path.join(path.dirname(stage.source), 'data'), stage.source);
    await stage.restart();
    await page.goto(address);
    await page.getByRole('heading', { name: 'Needs attention' }).waitFor(LONG);
    await page.getByRole('list', { name: 'Reasons' }).getByRole('listitem').nth(7).waitFor();
    expect(await page.getByRole('list', { name: 'Reasons' }).getByRole('listitem').count()).toBe(8);
    await page.getByRole('link', { name: '294 more' }).waitFor();
    await picture(page, 'trouble-office-home');
    await expectAccessible(page);

    await page.getByRole('link', { name: '294 more' }).click();
    await page.getByRole('article', { name: 'Plan 29', exact: true }).waitFor();
    expect(await page.getByRole('article').count()).toBe(30);
    await expectAccessible(page);
    await page.getByRole('button', { name: /Show more/ }).click();
    await page.getByRole('article', { name: 'Plan 59', exact: true }).waitFor();
    await page.getByRole('searchbox', { name: 'Find by name' }).fill('plan 271');
    await page.getByRole('article', { name: 'Plan 271' }).waitFor();
    await expect.poll(() => page.getByRole('article').count()).toBe(1);
    await page.getByRole('link', { name: 'Plan 271' }).click();
    await page.getByRole('button', { name: 'Where' }).click();
    await page.getByRole('checkbox', { name: 'Disk 59' }).waitFor();

    // The way to one of the last leads to it at once.
    await page.goto(new URL(`/destinations#${idOf('destination', 57)}`, address).href);
    await page.getByRole('article', { name: 'Disk 57' }).waitFor();
    await expectAccessible(page);
    await picture(page, 'trouble-office-destinations');

    await goTo(page, 'Activity');
    await page
      .getByRole('row', { name: /Plan 0 to Disk 0/ })
      .first()
      .waitFor();
    expect(await page.getByRole('row').count()).toBeLessThan(120);
    await expectAccessible(page);
    for (const name of ['Recovery', 'Settings', 'Restore', 'Disks']) {
      await goTo(page, name);
      await page.getByRole('heading', { level: 1, name }).waitFor();
      await page.waitForLoadState('networkidle');
      await picture(page, `trouble-office-${name.toLowerCase()}`);
      expect(await page.locator('main *').count(), name).toBeLessThan(4000);
      await expectAccessible(page);
    }
    expect(complaints).toEqual([]);
  });
});

const DAY = 86_400_000;
const BY_HAND = { schedule: MANUAL, createdAt: 0, updatedAt: 0 };

/** The same each time. */
function idOf(what: string, n: number): string {
  const hash = createHash('sha256').update(`${what} ${n}`).digest('hex');
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-4${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
}

/** Each plan backs up to one destination every day; each tenth failed today. */
function writeOffice(dataDir: string, source: string): void {
  const store = openStore(path.join(dataDir, 'holdfast.db'), { clock: systemClock, onProblem: () => {} });
  const now = Date.now();
  store.transaction(() => {
    for (let n = 0; n < 60; n++) {
      const [id, name, location] = [idOf('destination', n), `Disk ${n}`, `/media/disk-${n}/backups`];
      const space = { free: 4e11, total: 2e12, at: now };
      const repositoryId = createHash('sha256').update(location).digest('hex');
      store.destinations.put(
        destinationOf({ id, name, location, repositoryId, space, createdAt: now - 9 * DAY }),
      );
    }
    for (let n = 0; n < 300; n++) {
      const destinations = [idOf('destination', n % 60)];
      const sources = [{ kind: 'path' as const, path: source }];
      store.plans.put(
        Plan.parse({ ...BY_HAND, id: idOf('plan', n), name: `Plan ${n}`, sources, destinations }),
      );
    }
    for (let n = 4999; n >= 0; n--) {
      const at = now - 3_600_000 - Math.floor(n / 300) * DAY - (n % 300) * 1000;
      const failed = n < 300 && n % 10 === 3;
      const error = new EngineError('unreachable', 'The disk was not plugged in.').toWire();
      store.runs.put(
        backupRunOf(idOf('plan', n % 300), idOf('destination', (n % 300) % 60), {
          id: idOf('run', n),
          planName: `Plan ${n % 300}`,
          destinationName: `Disk ${(n % 300) % 60}`,
          queuedAt: at,
          startedAt: at,
          endedAt: at + 60_000,
          ...(failed ? { state: 'failed' as const, error } : {}),
        }),
      );
    }
  });
  store.close();
}
