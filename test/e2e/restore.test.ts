/** Getting files back, by what a person sees and does, on real files. */
import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import path from 'node:path';
import type { Locator, Page } from 'playwright';
import { describe, expect, it } from 'vitest';
import { ENDED, type Run } from '../../src/api/model/run.ts';
import { expectSame, snapshotOf } from '../helpers/compare.ts';
import { Holdfast } from '../helpers/holdfast.ts';
import { expectAccessible, type Stage, useStage } from './stage.ts';

const open = useStage();
const pictures = process.env.HOLDFAST_SCREENSHOTS;

async function picture(page: Page, name: string): Promise<void> {
  if (pictures) await page.screenshot({ path: path.join(pictures, `restore-${name}.png`), fullPage: true });
}

const PASSWORD = 'open sesame';
const OLD = 'Dear Ann,\nthe old words.\nYours, Ben\n';
const NEW = 'Dear Ann,\nthe new words.\nYours, Ben\n';
/** For what takes as long as the computer is busy. */
const POLL = { timeout: 60_000 };
const DAY = 86_400_000;

/** "21 November 2026", as the page says it. */
const dayName = (daysAgo: number) =>
  new Intl.DateTimeFormat('en-GB', { dateStyle: 'long' }).format(Date.now() - daysAgo * DAY);

/** Backs the source up into the stage's destination, without its host, so that it may be on any day. */
class History {
  readonly #stage: Stage;
  readonly #cli: Holdfast;

  constructor(stage: Stage) {
    this.#stage = stage;
    const home = path.join(path.dirname(stage.source), 'elsewhere');
    this.#cli = new Holdfast({ repository: stage.destination, home, password: PASSWORD });
  }

  async begin(): Promise<this> {
    await this.#cli.init();
    return this;
  }

  async backUp(daysAgo: number, hour = 9, more: readonly string[] = []): Promise<void> {
    const at = new Date(Date.now() - daysAgo * DAY);
    const two = (n: number) => String(n).padStart(2, '0');
    const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
    await this.#cli.backup([this.#stage.source], {
      args: ['--time', `${day} ${two(hour)}:30:00`, ...more],
    });
  }

  async add(name = 'USB disk'): Promise<string> {
    const { destination } = await this.#stage.host.destinations.add({
      name,
      location: this.#stage.destination,
      password: PASSWORD,
    });
    return destination.id;
  }
}

/** Four versions: the letter's old words 40 and 12 days ago, its new ones twice 3 days ago. */
async function letters(stage: Stage): Promise<string> {
  const history = await new History(stage).begin();
  const letter = path.join(stage.source, 'letter.txt');
  fs.writeFileSync(letter, OLD);
  await history.backUp(40);
  await history.backUp(12);
  fs.writeFileSync(letter, NEW);
  fs.writeFileSync(path.join(stage.source, 'second.txt'), 'later');
  await history.backUp(3, 9);
  await history.backUp(3, 17);
  return history.add();
}

const next = (page: Page) => page.getByRole('button', { name: 'Next' }).click();
const row = (page: Page, name: RegExp) => page.getByRole('treeitem', { name });
const check = (page: Page, name: RegExp) => row(page, name).locator('[data-part=check]').click();

/** The slider says this day. */
async function expectAt(slider: Locator, day: string): Promise<void> {
  await slider.and(slider.page().locator(`[aria-valuetext*="${day}"]`)).waitFor();
}

async function openRestore(page: Page): Promise<void> {
  await page.getByRole('link', { name: 'Restore' }).click();
  await page.getByRole('radio', { name: 'USB disk' }).check();
  await page.getByText(/^Versions of/).waitFor();
}

/** From the step "Choose where" on. */
async function restore(page: Page, { host }: Pick<Stage, 'host'>): Promise<Run> {
  await next(page);
  await page.getByRole('heading', { name: 'All right like this?' }).waitFor();
  await page.getByRole('button', { name: 'Restore', exact: true }).click();
  await page.waitForURL(/run=/);
  const id = new URL(page.url()).searchParams.get('run') ?? '';
  await expect.poll(async () => ENDED.includes((await host.runs.get({ id })).state), POLL).toBe(true);
  return host.runs.get({ id });
}

describe('a restore', () => {
  it('brings an older state back to another folder, byte by byte', async () => {
    const stage = await open({ photos: { 'cat.jpg': 'not really' } });
    const { page, source, complaints } = stage;
    await letters(stage);
    await openRestore(page);
    const slider = page.getByRole('slider', { name: 'Version' });
    await expectAt(slider, dayName(3));
    await picture(page, 'version');
    await expectAccessible(page);

    // The day chosen in the calendar is where the slider goes, and the other way round.
    const before = page.getByRole('button', { name: 'Month before' });
    const day = page.getByRole('button', { name: `${dayName(12)}, 1 version` });
    if ((await day.count()) === 0) await before.click();
    await day.click();
    await expectAt(slider, dayName(12));
    await slider.press('ArrowLeft');
    await page.getByText(`Versions of ${dayName(40)}`).waitFor();
    await page.getByRole('button', { name: 'Newer version' }).click();
    await page.getByText(`Versions of ${dayName(12)}`).waitFor();

    await next(page);
    await row(page, /^letter\.txt/).click();
    await page.getByText('the old words.').waitFor();
    await page.getByRole('tab', { name: 'Today’s file' }).click();
    await page.getByText('Differs from today’s file.').waitFor();
    await picture(page, 'differs');
    await expectAccessible(page);
    await check(page, /^letter\.txt/);
    await check(page, /^photos/);
    await page.getByText('1 file (36 B) and 1 folder').waitFor();
    await picture(page, 'files');
    await expectAccessible(page);

    await next(page);
    const target = path.join(path.dirname(source), 'got back');
    await page.getByRole('radio', { name: 'To another folder' }).check();
    await page.getByRole('textbox', { name: 'Folder' }).fill(target);
    await picture(page, 'where');
    await expectAccessible(page);
    await next(page);
    await page.getByText('Counted', { exact: true }).waitFor();
    await picture(page, 'review');
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Back' }).click();
    const run = await restore(page, stage);
    expect(run).toMatchObject({ state: 'succeeded', report: { filesRestored: 2 } });
    await page.getByRole('heading', { name: '2 files are back' }).waitFor();
    await picture(page, 'report');
    await expectAccessible(page);

    const restored = path.join(target, source);
    expect(fs.readFileSync(path.join(restored, 'letter.txt'), 'utf8')).toBe(OLD);
    expectSame(snapshotOf(path.join(source, 'photos')), snapshotOf(path.join(restored, 'photos')));
    expect(fs.existsSync(path.join(restored, 'second.txt'))).toBe(false);
    expect(complaints).toEqual([]);
  });
});

describe('what a person looks for', () => {
  it('is found in any version while it is typed, and was how its past says', async () => {
    const stage = await open({ photos: { 'cat.jpg': 'not really' } });
    const { page, source, complaints } = stage;
    const history = await new History(stage).begin();
    const report = path.join(source, 'taxes', 'Report 2024.txt');
    fs.mkdirSync(path.dirname(report));
    fs.writeFileSync(report, 'first');
    await history.backUp(30);
    fs.writeFileSync(report, 'second words');
    await history.backUp(20);
    fs.rmSync(report);
    await history.backUp(10);
    await history.add();
    await openRestore(page);
    const field = page.getByRole('textbox', { name: 'Find a file in any version' });
    await field.fill('rep 24');
    const hit = page.getByRole('button', { name: /Report 2024\.txt/ });
    await hit.getByText('deleted since').waitFor();
    await page.getByText('1 found').waitFor();
    await picture(page, 'search');
    await expectAccessible(page);
    await field.press('ArrowDown');
    await page.keyboard.press('Enter');

    await page.getByText('second words').waitFor();
    await expectAccessible(page);
    await page.getByText('1 file (12 B)').waitFor();
    await page.getByRole('tab', { name: 'Today’s file' }).click();
    await page.getByText('Today there is no such file any more.').waitFor();
    await page.getByRole('tab', { name: 'History' }).click();
    await page.getByRole('list', { name: 'History' }).getByText('shown here').waitFor();
    await picture(page, 'history');
    await expectAccessible(page);
    await page.getByRole('button', { name: /^Restore this one/ }).click();
    await page.getByText('1 file (5 B)').waitFor();
    await page.getByRole('tab', { name: 'Preview' }).click();
    await page.getByText('first', { exact: true }).waitFor();

    await next(page);
    const run = await restore(page, stage);
    expect(run).toMatchObject({ state: 'succeeded', report: { filesRestored: 1 } });
    expect(fs.readFileSync(report, 'utf8')).toBe('first');
    expect(complaints).toEqual([]);
  });

  it('leads from one version to the file of another', async () => {
    const stage = await open({ 'old.txt': 'gone since', b: { 'new.txt': 'here still' } });
    const { page, source, complaints } = stage;
    const history = await new History(stage).begin();
    await history.backUp(20);
    fs.rmSync(path.join(source, 'old.txt'));
    await history.backUp(10);
    await history.add();
    await openRestore(page);
    await next(page);
    await row(page, /^b /).click();
    await page.getByRole('textbox', { name: 'Find a file in any version' }).fill('OLD');
    await page.getByRole('button', { name: /old\.txt/ }).click();
    await page.locator('[data-active]').getByText('old.txt').waitFor();
    await page.getByText('gone since').waitFor();
    await page.getByText('1 file (10 B)').waitFor();
    await page.getByRole('region', { name: 'About this file' }).and(page.locator(':focus')).waitFor();
    expect(complaints).toEqual([]);
  });

  it('may be another computer’s, whose files do not go to this one’s places unasked', async () => {
    const stage = await open();
    const { page } = stage;
    const history = await new History(stage).begin();
    await history.backUp(4, 9, ['--host', 'attic']);
    await history.backUp(2);
    await history.add();
    await openRestore(page);
    const lines = page.getByRole('combobox', { name: 'Plan and computer' });
    const [attic] = (await lines.getByRole('option').allInnerTexts()).filter((text) =>
      text.includes('attic'),
    );
    await lines.selectOption({ label: attic ?? '' });
    await page.getByText(`Versions of ${dayName(4)}`).waitFor();
    await next(page);
    await check(page, /^a\.txt/);
    await next(page);
    await page.getByRole('radio', { name: 'To another folder' }).and(page.locator(':checked')).waitFor();
  });

  it('may be a picture', async () => {
    const pixel =
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==';
    const stage = await open({ 'dot.png': Buffer.from(pixel, 'base64'), 'all.bin': Buffer.alloc(900, 0) });
    const { page, complaints } = stage;
    const history = await new History(stage).begin();
    await history.backUp(1);
    await history.add();
    await openRestore(page);
    await next(page);
    await row(page, /^dot\.png/).click();
    const image = page.getByRole('img', { name: 'Preview of dot.png' });
    await image.waitFor();
    await expect.poll(() => page.evaluate("document.querySelector('img').naturalWidth"), POLL).toBe(1);
    await row(page, /^all\.bin/).click();
    await page.getByText('It is neither text nor a picture').waitFor();
    expect(complaints).toEqual([]);
  });
});

describe('a file that is there already', () => {
  it.each([
    ['Keep both', { there: 'mine', beside: OLD, report: { filesRestored: 1 } }],
    ['Overwrite', { there: OLD, beside: undefined, report: { filesRestored: 1 } }],
    ['Skip', { there: 'mine', beside: undefined, report: { filesRestored: 0, filesSkipped: 1 } }],
  ] as const)('and differs: %s', async (choice, wanted) => {
    const stage = await open({ 'letter.txt': OLD });
    const { page, source } = stage;
    const history = await new History(stage).begin();
    await history.backUp(1);
    await history.add();
    fs.writeFileSync(path.join(source, 'letter.txt'), 'mine');
    await openRestore(page);
    await next(page);
    await row(page, /^letter\.txt/).waitFor();
    await page.getByRole('checkbox', { name: 'Everything in this version' }).check();
    await page.getByText('Everything: 1 file').waitFor();
    await next(page);
    await page.getByRole('radio', { name: 'To the original place' }).check();
    await page.getByRole('radio', { name: choice }).check();
    const run = await restore(page, stage);
    expect(run).toMatchObject({ state: 'succeeded', report: wanted.report });
    const files = fs.readdirSync(source).filter((name) => name !== 'letter.txt');
    expect(fs.readFileSync(path.join(source, 'letter.txt'), 'utf8')).toBe(wanted.there);
    expect(files.map((name) => fs.readFileSync(path.join(source, name), 'utf8'))).toEqual(
      wanted.beside === undefined ? [] : [wanted.beside],
    );
  });
});

describe('another repository', () => {
  it('is opened by its password, a wrong one being said kindly', async () => {
    const stage = await open({ 'letter.txt': OLD });
    const { page, host, destination, complaints } = stage;
    const history = await new History(stage).begin();
    await history.backUp(5);
    await page.getByRole('link', { name: 'Restore' }).click();
    await page.getByRole('button', { name: 'Another repository…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Open another repository' });
    await dialog.getByRole('button', { name: 'Next' }).click();
    await dialog.getByRole('textbox', { name: 'Folder of the repository' }).fill(destination);
    await dialog.getByRole('textbox', { name: 'Password' }).fill('guess');
    await dialog.getByRole('button', { name: 'Open repository' }).click();
    await dialog.getByText('This password does not open the repository.').waitFor();
    await picture(page, 'wrong-password');
    await expectAccessible(page);
    await dialog.getByRole('textbox', { name: 'Password' }).fill(PASSWORD);
    await dialog.getByRole('button', { name: 'Open repository' }).click();
    await page.getByRole('radio', { name: 'backups' }).and(page.locator(':checked')).waitFor();
    await page.getByText(`Versions of ${dayName(5)}`).waitFor();
    expect(await host.destinations.list()).toContainEqual(
      expect.objectContaining({ location: destination, readOnly: true }),
    );
    expect(complaints).toEqual([]);
  });

  it('is not made where there is none', async () => {
    const { page, host, destination } = await open();
    await page.getByRole('link', { name: 'Restore' }).click();
    await page.getByRole('button', { name: 'Another repository…' }).click();
    const dialog = page.getByRole('dialog', { name: 'Open another repository' });
    await dialog.getByRole('button', { name: 'Next' }).click();
    await dialog.getByRole('textbox', { name: 'Folder of the repository' }).fill(destination);
    await dialog.getByRole('textbox', { name: 'Password' }).fill('anything');
    await dialog.getByRole('button', { name: 'Open repository' }).click();
    await dialog.getByRole('alert').waitFor();
    expect(fs.existsSync(destination)).toBe(false);
    expect((await host.destinations.list()).map(({ location }) => location)).not.toContain(destination);
  });
});

describe('one file', () => {
  it('takes all that was chosen: .zip', async () => {
    const stage = await open({ 'letter.txt': OLD, photos: { 'cat.jpg': 'not really' } });
    const { page, source, complaints } = stage;
    const history = await new History(stage).begin();
    await history.backUp(1);
    await history.add();
    await openRestore(page);
    await next(page);
    await row(page, /^photos/).waitFor();
    await check(page, /^photos/);
    await next(page);
    await page.getByRole('radio', { name: 'Into one .zip or .tar file' }).check();
    const name = page.getByRole('textbox', { name: 'Name of the file' });
    expect(await name.inputValue()).toMatch(/^holdfast-.+-\d{4}-\d\d-\d\d\.zip$/);
    await name.fill('cats.zip');
    const folder = path.dirname(source);
    await page.getByRole('textbox', { name: 'Folder for it' }).fill(folder);
    await picture(page, 'archive');
    await expectAccessible(page);
    const run = await restore(page, stage);
    expect(run).toMatchObject({ state: 'succeeded' });
    await page.getByText(path.join(folder, 'cats.zip')).first().waitFor();
    const bytes = fs.readFileSync(path.join(folder, 'cats.zip'));
    expect(bytes.subarray(0, 4).toString('latin1')).toBe('PK\u0003\u0004');
    expect(bytes.includes('documents/photos/cat.jpg')).toBe(true);
    expect(complaints).toEqual([]);
  });
});

describe('a folder of 20,000 files', () => {
  it('scrolls without a blank row, and is gone through by the keyboard', async () => {
    const stage = await open(
      Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [`photo ${i}.jpg`, ''])),
    );
    const { page, complaints } = stage;
    const history = await new History(stage).begin();
    await history.backUp(1);
    await history.add();
    await openRestore(page);
    await next(page);
    await row(page, /^photo 0\.jpg/).waitFor();
    const tree = page.getByRole('tree');
    expect(await tree.getByRole('treeitem').count()).toBeLessThan(60);
    await page.evaluate(WATCH);
    for (let i = 0; i < 60; i++) {
      await tree.hover();
      await page.mouse.wheel(0, i % 3 === 0 ? 40_000 : 700);
    }
    const seen = (await page.evaluate('window.seen')) as { frames: number; blank: number };
    expect(seen.frames).toBeGreaterThan(20);
    expect(seen.blank).toBe(0);

    await tree.focus();
    await page.keyboard.press('End');
    await row(page, /^photo 19999\.jpg/).waitFor();
    await page.keyboard.press('Space');
    await page.getByText('1 file (0 B)').waitFor();
    await page.keyboard.press('Home');
    await page.keyboard.press('Control+a');
    await page.keyboard.type('photo 1');
    await page.locator('[data-active]').getByText('photo 1.jpg').waitFor();
    await expectAccessible(page);
    expect(complaints).toEqual([]);
  });
});

/** Counts, frame by frame, the places in the tree's box where a row should be and none is, or one without anything in it. */
const WATCH = `
  window.seen = { frames: 0, blank: 0 };
  const box = document.querySelector('[role=tree]');
  (function watch() {
    const { left, top, width, height } = box.getBoundingClientRect();
    window.seen.frames++;
    for (let y = 8; y < height; y += 30) {
      const row = document.elementFromPoint(left + width / 2, top + y)?.closest('.hf-tree-row');
      const there = row && (row.textContent.trim() !== '' || row.querySelector('.hf-tree-waiting'));
      if (!there) window.seen.blank++;
    }
    requestAnimationFrame(watch);
  })();
`;

describe('the keyboard alone', () => {
  it('gets a file back', async () => {
    const stage = await open({ 'letter.txt': OLD, 'other.txt': 'x' });
    const { page, source, complaints } = stage;
    const history = await new History(stage).begin();
    await history.backUp(2);
    fs.writeFileSync(path.join(source, 'letter.txt'), NEW);
    await history.backUp(1);
    await history.add();
    await page.goto(new URL('/restore', page.url()).href);
    await page.getByText(/^Versions of/).waitFor();
    const { keyboard } = page;
    const tabTo = async (focused: string) => {
      for (let i = 0; i < 60 && (await page.locator(`${focused}:focus`).count()) === 0; i++) {
        await keyboard.press('Tab');
      }
      await page.locator(`${focused}:focus`).waitFor();
    };
    await tabTo('[role=grid] button');
    await keyboard.press('ArrowLeft');
    await keyboard.press('Enter');
    await page.getByText(`Versions of ${dayName(2)}`).waitFor();
    await tabTo('button[type=submit]');
    await keyboard.press('Enter');
    await row(page, /^letter\.txt/).waitFor();
    await tabTo('[role=tree]');
    await keyboard.type('letter');
    await keyboard.press('Enter');
    await page.getByText('the old words.').waitFor();
    await keyboard.press('Escape');
    await page.locator('[role=tree]:focus').waitFor();
    await keyboard.press('Space');
    await page.getByText('1 file (36 B)').waitFor();
    await tabTo('button[type=submit]');
    await keyboard.press('Enter');
    await page.getByRole('radio', { name: 'To the original place' }).waitFor();
    await tabTo('input[value=keep-both]');
    await keyboard.press('ArrowDown');
    await page.getByRole('radio', { name: 'Overwrite' }).and(page.locator(':checked')).waitFor();
    await tabTo('button[type=submit]');
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: 'All right like this?' }).waitFor();
    await tabTo('button[type=submit]');
    await keyboard.press('Enter');
    await page.getByRole('heading', { name: '1 file is back' }).waitFor();
    expect(fs.readFileSync(path.join(source, 'letter.txt'), 'utf8')).toBe(OLD);
    expect(complaints).toEqual([]);
  });
});

describe('what a person has chosen', () => {
  it('is still there after going back, and after leaving the screen', async () => {
    const stage = await open({
      'letter.txt': OLD,
      photos: { 'cat.jpg': 'not really', 'dog.jpg': 'nor this' },
    });
    const { page, source, complaints } = stage;
    const history = await new History(stage).begin();
    await history.backUp(9);
    await history.backUp(1);
    await history.add();
    await openRestore(page);
    await page.getByRole('button', { name: 'Older version' }).click();
    await page.getByText(`Versions of ${dayName(9)}`).waitFor();
    await next(page);
    await check(page, /^photos/);
    await row(page, /^photos/).press('ArrowRight');
    await check(page, /^cat\.jpg/);
    await page.getByText('1 folder with all that is in it, without 1 entry').waitFor();
    await next(page);
    await page.getByRole('radio', { name: 'To another folder' }).check();
    await page.goBack();
    await row(page, /^photos/)
      .and(page.locator('[aria-checked=mixed]'))
      .waitFor();
    await page.getByRole('link', { name: 'Destinations' }).click();
    await page.getByRole('heading', { name: 'Destinations', level: 1 }).waitFor();
    await page.getByRole('link', { name: 'Restore' }).click();
    await page.getByText('1 folder with all that is in it, without 1 entry').waitFor();
    await next(page);
    await page.getByRole('radio', { name: 'To another folder' }).and(page.locator(':checked')).waitFor();
    const run = await restore(page, stage);
    const photos = path.join(source, 'photos');
    const request = { paths: [photos], exclude: [path.join(photos, 'cat.jpg')] };
    expect(run).toMatchObject({ report: { filesRestored: 1 }, task: { kind: 'restore', request } });
    await page.getByRole('link', { name: 'Restore more files' }).click();
    await page.getByText(`Versions of ${dayName(1)}`).waitFor();
    expect(complaints).toEqual([]);
  });
});

describe('a file that can’t be restored', () => {
  it('is named in the report, with the reason', async () => {
    const stage = await open({ 'letter.txt': OLD, 'other.txt': 'fine' });
    const { page, source } = stage;
    const history = await new History(stage).begin();
    await history.backUp(1);
    await history.add();
    // A folder with something in it, where a file should go.
    const target = path.join(path.dirname(source), 'target');
    fs.mkdirSync(path.join(target, source, 'letter.txt', 'mine'), { recursive: true });
    await openRestore(page);
    await next(page);
    await row(page, /^letter\.txt/).waitFor();
    await page.getByRole('checkbox', { name: 'Everything in this version' }).check();
    await next(page);
    await page.getByRole('radio', { name: 'To another folder' }).check();
    await page.getByRole('textbox', { name: 'Folder' }).fill(target);
    await page.getByRole('radio', { name: 'Overwrite' }).check();
    const run = await restore(page, stage);
    expect(run).toMatchObject({ state: 'warnings', problemCount: 1 });
    await page.getByRole('heading', { name: '1 file is back' }).waitFor();
    await page.getByText('1 problem is listed below.').waitFor();
    await page
      .getByRole('table', { name: 'Problems' })
      .getByText(/letter\.txt$/)
      .waitFor();
    await picture(page, 'problems');
    await expectAccessible(page);
    expect(fs.readFileSync(path.join(target, source, 'other.txt'), 'utf8')).toBe('fine');
  });
});

describe('a restore under way', () => {
  it('shows how far it is, goes on without the page, and can be cancelled', async () => {
    const stage = await open({ 'film.bin': randomBytes(6_000_000) });
    const { page, host, source } = stage;
    const history = await new History(stage).begin();
    await history.backUp(1);
    const id = await history.add();
    const { name } = await host.destinations.get({ id });
    await host.destinations.update({ id, name, downloadLimit: 300_000 });
    await openRestore(page);
    await next(page);
    await check(page, /^film\.bin/);
    await next(page);
    await page.getByRole('radio', { name: 'To another folder' }).check();
    await page.getByRole('textbox', { name: 'Folder' }).fill(path.join(path.dirname(source), 'target'));
    await next(page);
    await page.getByRole('button', { name: 'Restore', exact: true }).click();
    await page.getByRole('progressbar', { name: /^Progress/ }).waitFor();
    await page.getByText('Time left').waitFor();
    await picture(page, 'under-way');
    await expectAccessible(page);
    await page.reload();
    await page.getByRole('progressbar', { name: /^Progress/ }).waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('heading', { name: 'The restore ended early or with problems' }).waitFor();
    expect(await host.runs.list()).toMatchObject([{ state: 'cancelled' }]);
    await page.getByRole('link', { name: 'Restore more files' }).waitFor();
  });
});

describe('a destination that is not there', () => {
  it('is said, and tried again when it is back', async () => {
    const stage = await open({ 'letter.txt': OLD });
    const { page, destination } = stage;
    const history = await new History(stage).begin();
    await history.backUp(1);
    await history.add();
    fs.renameSync(destination, `${destination}-away`);
    await page.getByRole('link', { name: 'Restore' }).click();
    await page.getByRole('radio', { name: 'USB disk' }).check();
    const again = page.getByRole('button', { name: 'Try again' });
    await again.waitFor();
    await page.getByRole('alert').first().waitFor();
    await expectAccessible(page);
    fs.renameSync(`${destination}-away`, destination);
    await again.click();
    await page.getByText(`Versions of ${dayName(1)}`).waitFor();
  });
});

describe.each([
  { scheme: 'dark', locale: 'en-GB', viewport: { width: 1280, height: 900 } },
  { scheme: 'light', locale: 'de-DE', viewport: { width: 1280, height: 900 } },
  { scheme: 'dark', locale: 'de-DE', viewport: { width: 420, height: 900 } },
] as const)('in $scheme, $locale, $viewport.width wide', ({ scheme, locale, viewport }) => {
  it('every step is whole', async () => {
    const stage = await open(
      {
        photos: { 'cat.jpg': 'not really', 'Ein sehr langer Dateiname, wie ihn nur Leute vergeben.txt': 'x' },
      },
      { colorScheme: scheme, locale, viewport },
    );
    const { page, complaints } = stage;
    const id = await letters(stage);
    const look = async (name: string) => {
      expect(await page.evaluate('document.documentElement.scrollWidth <= window.innerWidth')).toBe(true);
      await picture(page, `${scheme}-${locale}-${viewport.width}-${name}`);
      await expectAccessible(page);
    };
    const go = async (address: string) => {
      await page.goto(new URL(address, page.url()).href);
      await page.getByRole('heading', { level: 2 }).first().waitFor();
    };
    const submit = page.locator('button[type=submit]');
    await go(`/restore?destination=${id}`);
    await page.getByRole('slider').waitFor();
    await page.getByRole('textbox').first().fill('e');
    await page.locator('.hf-hit').first().waitFor();
    await look('version');
    const [, second] = await stage.host.versions.list({ destinationId: id });
    const link = new URLSearchParams({
      destination: id,
      version: second?.id ?? '',
      path: path.join(stage.source, 'letter.txt'),
    });
    await go(`/restore?${link}`);
    await page.locator('[data-active]').getByText('letter.txt').waitFor();
    await page.getByRole('tab').nth(1).click();
    await page.locator('.hf-differs-state').waitFor();
    await look('files');
    await check(page, /^letter\.txt/);
    await submit.click();
    await page.getByRole('radio').nth(2).check();
    await look('where');
    await submit.click();
    await page.locator('.hf-estimate[aria-busy=false]').waitFor();
    await look('review');
    await submit.click();
    await page.locator('.hf-hero').waitFor();
    await look('report');
    expect(complaints).toEqual([]);
  });
});
