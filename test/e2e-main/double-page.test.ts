/**
 * The app from end to end without Electron's binary: its own bundles run by the double, with a real host in a process of its own
 * and the real page in a real Chromium, which reaches both through the real preload bundle.
 */
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions, Page } from 'playwright';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { launchBrowser } from '../../scripts/browser.ts';
import { buildMain } from '../../scripts/build-main.ts';
import type { Client } from '../../src/transport/client.ts';
import { connectSocket } from '../../src/transport/web-socket.ts';
import { click, type DoubleOptions, ElectronDouble } from '../helpers/electron-double.ts';
import { type ElectronPage, loadInto } from '../helpers/electron-page.ts';
import { useSharedTemp, useTemp } from '../helpers/scope.ts';

const shared = useSharedTemp();
const temp = useTemp();
const closers: (() => unknown)[] = [];
let built: string;
let browser: Browser;

beforeAll(async () => {
  const folder = fs.realpathSync(shared.dir('app'));
  // Native modules lie beside the app.
  fs.symlinkSync(join(import.meta.dirname, '../../node_modules'), join(folder, 'node_modules'), 'junction');
  built = join(folder, 'built');
  await buildMain({ out: built });
  browser = await launchBrowser();
});

afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

afterAll(() => browser.close());

interface App {
  readonly double: ElectronDouble;
  readonly home: string;
  /** The newest window's page. */
  shown(): Promise<ElectronPage>;
  /** The host itself, past shell and page. */
  host(): Promise<Client>;
}

async function start(options: Partial<DoubleOptions> & BrowserContextOptions = {}): Promise<App> {
  const home = options.home ?? fs.realpathSync(temp.dir('home'));
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 1200, height: 900 } });
  context.setDefaultTimeout(30_000);
  closers.push(() => context.close());
  const pages: ElectronPage[] = [];
  const loadPage = loadInto(context, (page) => pages.push(page));
  const double = new ElectronDouble({ app: built, home, loadPage, ...options }).start();
  closers.push(() => double[Symbol.asyncDispose]());
  await holds(() => double.trays.length > 0 && double.tray.item('pause')?.enabled);
  return {
    double,
    home,
    shown: async () => {
      await double.window.loaded;
      const page = pages.at(-1);
      if (!page) throw new Error('no page');
      return page;
    },
    host: async () => {
      const connection = await connectSocket(join(double.data, 'host.sock'));
      closers.push(() => connection.close());
      return connection.client;
    },
  };
}

async function holds(what: () => unknown): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 5));
}

const HIDDEN = { argv: ['--hidden'] };

/** Opens the window of an app that was started without. */
function opened(app: App): Promise<ElectronPage> {
  click(app.double.tray.item('open'));
  return app.shown();
}

const go = (page: Page, screen: string) =>
  page.getByRole('navigation').getByRole('link', { name: screen, exact: true }).click();

/** A plan that is run by hand, and what it backs up. */
async function withPlan(app: App, hook?: readonly string[]) {
  const source = join(app.home, 'Documents');
  fs.mkdirSync(source, { recursive: true });
  fs.writeFileSync(join(source, 'letter.txt'), 'Dear Ann');
  const host = await app.host();
  const location = join(app.home, 'backups');
  const { destination } = await host.destinations.add({ name: 'USB disk', location });
  const plan = await host.plans.create({
    name: 'Documents',
    sources: [{ kind: 'path', path: source }],
    destinations: [destination.id],
    schedule: { when: { kind: 'manual' } },
    ...(hook ? { hooks: { before: [{ command: [...hook] }] } } : {}),
  });
  return { host, plan, source };
}

/** A backup that waits for as long as the test likes. */
const FOREVER = [process.execPath, '-e', 'setTimeout(() => {}, 300_000)'];

const backUpNow = (page: Page) => page.getByRole('main').getByRole('button', { name: 'Back up now' }).first();
const protectedNow = (page: Page) => page.getByRole('heading', { name: "You're protected" });

describe('the page in the window', () => {
  it('leads from the first start to the first backup, with the dialogs of the system', async () => {
    const home = fs.realpathSync(temp.dir('home'));
    fs.mkdirSync(join(home, 'Documents'));
    fs.writeFileSync(join(home, 'Documents/letter.txt'), 'Dear Ann');
    const app = await start({ home });
    const { page, complaints } = await app.shown();
    const wizard = page.getByRole('main');
    await page.getByRole('heading', { name: 'Welcome to Holdfast' }).waitFor();
    await wizard.getByRole('checkbox', { name: /Documents/ }).waitFor();
    await wizard.getByRole('button', { name: 'Next' }).click();
    await wizard.getByRole('radio', { name: /^Another folder/ }).check();
    app.double.picked = [join(home, 'backups')];
    await wizard.getByRole('button', { name: 'Choose folder…' }).click();
    await wizard.getByText('Works. A new repository will be made here.').waitFor();
    await wizard.getByRole('button', { name: 'Next' }).click();
    await wizard.getByRole('radio', { name: /^Only when I say so/ }).check();
    await wizard.getByRole('button', { name: 'Next' }).click();
    await wizard.getByRole('button', { name: 'Start first backup' }).click();
    await wizard.getByText('Your first backup is made').first().waitFor();
    app.double.savedAt = join(home, 'kit.html');
    await wizard.getByRole('button', { name: 'Save recovery kit…' }).click();
    const kit = () => (fs.existsSync(app.double.savedAt) ? fs.readFileSync(app.double.savedAt, 'utf8') : '');
    await holds(() => kit().includes(join(home, 'backups')));
    await holds(() => app.double.tray.item('state')?.label?.startsWith("You're protected"));
    expect(app.double.tray.image).toContain('idle');
    expect(complaints).toEqual([]);
  });

  it('follows what the tray is told to do', async () => {
    const app = await start(HIDDEN);
    await withPlan(app);
    const { page } = await opened(app);
    await holds(() => app.double.tray.item('back-up')?.enabled);
    click(app.double.tray.item('back-up'));
    await protectedNow(page).waitFor();
    click(app.double.tray.item('restore'));
    await expect.poll(() => new URL(page.url()).pathname).toBe('/restore');
    click(app.double.tray.item('pause-hour'));
    await go(page, 'Home');
    await page.getByRole('main').getByRole('button', { name: 'Resume' }).first().click();
    await holds(() => app.double.tray.item('pause'));
  });

  it('asks the system where something is, and never chooses a place itself', async () => {
    const app = await start();
    const { page } = await app.shown();
    app.double.picked = [app.home];
    const bridge = 'window.holdfast';
    expect(await page.evaluate(`${bridge}.pickFolder()`)).toBe(app.home);
    const outside = join(app.home, 'kit.html');
    app.double.savedAt = outside;
    expect(await page.evaluate(`${bridge}.save({ name: '../../kit.html', text: 'words' })`)).toBe(outside);
    await expect(
      page.evaluate(`${bridge}.save({ name: 'kit.html', path: '/etc', text: 7 })`),
    ).rejects.toThrow('Not acceptable');
    await page.evaluate(`${bridge}.openUrl('https://example.com/sign-in?state=1')`);
    await expect(page.evaluate(`${bridge}.openUrl('file:///etc/passwd')`)).rejects.toThrow('Not acceptable');
    expect(app.double.opened).toEqual(['https://example.com/sign-in?state=1']);
  });

  it('changes the language of tray and menus with its own', async () => {
    const app = await start();
    const { page } = await app.shown();
    const host = await app.host();
    await host.settings.update({ language: 'de' });
    await page.getByRole('link', { name: 'Einstellungen' }).first().waitFor();
    await holds(() => app.double.tray.item('quit')?.label === 'Beenden');
    expect(app.double.appMenu[0]?.label).toBe('Datei');
  });
});

describe('a host that dies', () => {
  it('is said to be lost, is started again, and the page goes on by itself', async () => {
    const app = await start(HIDDEN);
    const { plan } = await withPlan(app);
    const { page } = await opened(app);
    await page.getByRole('main').getByText('Documents').first().waitFor();
    const banner = page.getByRole('status').filter({ hasText: 'is being started again' });
    const lost = page.getByRole('status').filter({ hasText: 'connection to Holdfast was lost' });
    app.double.host.child.kill('SIGKILL');
    await banner.waitFor();
    await holds(() => app.double.timers.waiting.includes(1000));
    app.double.timers.fire(1000);
    // The shell knows of it first, the page's own line follows.
    await banner.or(lost).waitFor({ state: 'detached' });
    await backUpNow(page).click();
    await protectedNow(page).waitFor();
    expect(app.double.hosts).toHaveLength(2);
    const host = await app.host();
    expect(await host.runs.list({ planId: plan.id })).toMatchObject([{ state: 'succeeded' }]);
  });

  it('again and again is shown with the reason, and tried again when asked', async () => {
    const app = await start();
    const { page } = await app.shown();
    for (const ms of [1000, 2000, 4000, 8000, 16_000]) {
      app.double.host.child.kill('SIGKILL');
      await holds(() => app.double.timers.waiting.includes(ms));
      if (ms === 16_000) break;
      app.double.timers.fire(ms);
      await holds(() => app.double.tray.item('pause')?.enabled);
    }
    await page
      .getByText(/host ends again and again/)
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'Try again' }).first().click();
    await page
      .getByText(/host ends again and again/)
      .first()
      .waitFor({ state: 'detached' });
    await holds(() => app.double.tray.item('pause')?.enabled);
  });
});

describe('while something is under way', () => {
  async function busy(): Promise<App & { readonly host: () => Promise<Client> }> {
    const app = await start(HIDDEN);
    await withPlan(app, FOREVER);
    const { page } = await opened(app);
    await backUpNow(page).click();
    await holds(() => app.double.tray.image.includes('working'));
    return app;
  }

  it('closing the window changes nothing, and the page is as it was when it comes back', async () => {
    const app = await busy();
    const { page } = await app.shown();
    await go(page, 'Activity');
    await page.evaluate('window.mark = 1');
    expect(app.double.window.close()).toBe(false);
    expect(app.double.window.isVisible()).toBe(false);
    click(app.double.tray.item('open'));
    expect(await page.evaluate('window.mark')).toBe(1);
    expect(new URL(page.url()).pathname).toBe('/activity');
    expect((await (await app.host()).system.status()).running).toHaveLength(1);
  });

  it('quitting asks; to stay hides the window, to quit ends the backup so that it goes on later', async () => {
    const app = await busy();
    click(app.double.tray.item('quit'));
    await holds(() => !app.double.window.isVisible());
    expect(app.double.hasQuit).toBe(false);
    app.double.answer = 1;
    click(app.double.tray.item('quit'));
    await app.double.gone;
    expect(app.double.questions).toHaveLength(2);
    const next = await start({ home: app.home });
    const { page } = await next.shown();
    await go(page, 'Activity');
    await page.getByRole('row', { name: /Interrupted/ }).waitFor();
  });
});

describe('sleep', () => {
  it('is made up for once, and the page shows it', async () => {
    const app = await start(HIDDEN);
    const { host, plan } = await withPlan(app);
    const { page } = await opened(app);
    await backUpNow(page).click();
    await protectedNow(page).waitFor();
    const { createdAt, updatedAt, ...input } = plan;
    await host.plans.update({
      ...input,
      schedule: { ...input.schedule, when: { kind: 'hourly', every: 1, minute: 0 } },
    });
    app.double.modules.powerMonitor.emit('suspend');
    app.double.host.sleepThrough(26 * 3_600_000);
    app.double.modules.powerMonitor.emit('resume');
    const runs = () => host.runs.list({ kinds: ['backup'] });
    await holds(async () => (await runs()).filter(({ state }) => state === 'succeeded').length > 1);
    await go(page, 'Activity');
    await expect.poll(() => page.getByRole('row', { name: /Documents/ }).count()).toBe(2);
    expect(await runs()).toHaveLength(2);
  });
});

describe('notes', () => {
  it('lead the page to what they are about', async () => {
    const app = await start(HIDDEN);
    const { host, plan, source } = await withPlan(app);
    const { page } = await opened(app);
    await host.alerts.addChannel({ name: 'Here', target: { kind: 'desktop' } });
    fs.rmSync(source, { recursive: true });
    app.double.window.close();
    await host.plans.run({ id: plan.id });
    await holds(() => app.double.notes.length > 0);
    app.double.notes[0]?.emit('click', {});
    expect(app.double.window.isVisible()).toBe(true);
    await expect.poll(() => new URL(page.url()).pathname).toMatch(/^\/(activity|plans)\/./);
  });
});

describe('a page that has turned bad', () => {
  it('goes nowhere, opens nothing and asks nobody', async () => {
    const app = await start();
    const shown = await app.shown();
    const { page, refused } = shown;
    await page.getByRole('heading', { level: 1 }).waitFor();
    // Which screen it is may change by itself: the first start leads on to the welcome.
    const { host } = new URL(page.url());
    await page.evaluate("void (location.href = 'https://example.com/steal?key=1')");
    await expect.poll(() => refused).toContain('navigate https://example.com/steal?key=1');
    await page.evaluate("void window.open('https://example.com/')");
    await expect.poll(() => refused).toContain('window');
    await expect.poll(() => page.context().pages().length).toBe(1);
    const asked = "fetch('https://example.com/').then(() => 'answered', () => 'refused')";
    expect(await page.evaluate(asked)).toBe('refused');
    const script =
      "document.head.append(Object.assign(document.createElement('script'), { textContent: 'window.bad = 1' }))";
    await page.evaluate(script);
    expect(await page.evaluate('window.bad')).toBeUndefined();
    expect(new URL(page.url()).host).toBe(host);
    const log = fs.readFileSync(join(app.double.data, 'window/logs/holdfast.log'), 'utf8');
    expect(log).toContain('A way to https: was refused.');
    expect(log).not.toContain('key=1');
  });

  it('gets nothing from the shell for a frame inside of it', async () => {
    const app = await start();
    const { page } = await app.shown();
    await page.getByRole('link', { name: 'Plans', exact: true }).first().waitFor();
    await page.evaluate("void document.body.append(document.createElement('iframe'))");
    await expect.poll(() => page.frames().length).toBe(2);
    const frame = page.frames()[1];
    await expect(frame?.evaluate('window.holdfast.setPreferences({ closeToTray: false })')).rejects.toThrow(
      'Not allowed.',
    );
    await frame?.evaluate('window.holdfast.requestPort()');
    expect(await page.evaluate('window.holdfast.preferences()')).toMatchObject({ closeToTray: true });
    const log = fs.readFileSync(join(app.double.data, 'window/logs/holdfast.log'), 'utf8');
    expect(log).toContain('A call of holdfast:connect from a foreign frame was refused.');
  });

  it('has no way to what the preload script uses', async () => {
    const app = await start();
    const { page } = await app.shown();
    const names = 'typeof require + typeof process + typeof module';
    expect(await page.evaluate(names)).toBe('undefinedundefinedundefined');
    expect(await page.evaluate('Reflect.set(window.holdfast, "save", () => 1)')).toBe(false);
    expect(await page.evaluate('Reflect.set(window, "holdfast", {})')).toBe(false);
  });
});
