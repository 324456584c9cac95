/**
 * `npm run screenshots`: pictures of every screen, with the data of six weeks of real backups, into docs/screenshots (which git
 * ignores). `-- --only home,restore` takes only those whose names begin so; `-- --readme` writes the README's own, docs/images/*.png.
 *
 * look  the same page in light and dark, in German, and as narrow as a phone
 * shot  one picture: where it is, and what is done there first
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import type { Browser, BrowserContextOptions, Page } from 'playwright';
import { type Language, sayer } from '../renderer/i18n/languages.ts';
import { launchBrowser } from './browser.ts';
import { bigFiles, firstFiles } from './demo/files.ts';
import { beginning, type Demo, liveThrough } from './demo/history.ts';
import { type DemoHost, startHost } from './demo/host.ts';

interface Look {
  readonly name: string;
  readonly language: Language;
  readonly options: BrowserContextOptions;
}

const DESKTOP = { viewport: { width: 1280, height: 860 } } as const;

const LOOKS: readonly Look[] = [
  { name: 'light', language: 'en', options: { ...DESKTOP, locale: 'en-GB', colorScheme: 'light' } },
  { name: 'dark', language: 'en', options: { ...DESKTOP, locale: 'en-GB', colorScheme: 'dark' } },
  { name: 'german', language: 'de', options: { ...DESKTOP, locale: 'de-DE', colorScheme: 'light' } },
  {
    name: 'narrow',
    language: 'en',
    options: { viewport: { width: 420, height: 860 }, locale: 'en-GB', colorScheme: 'light' },
  },
];

interface Scene {
  readonly page: Page;
  readonly say: ReturnType<typeof sayer>;
  readonly host: DemoHost;
  readonly demo: Demo;
}

interface Shot {
  readonly name: string;
  readonly at: string | ((scene: Scene) => Promise<string>);
  readonly first?: (scene: Scene) => Promise<void>;
}

const main = ({ page }: Scene) => page.getByRole('main');
const button = (scene: Scene, name: string) => main(scene).getByRole('button', { name, exact: true });

async function next(scene: Scene, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    await button(scene, scene.say('common.next')).click();
    await settled(scene.page);
  }
}

/** The restore wizard at a file that was found by its name. */
async function openFile(scene: Scene, name: string): Promise<void> {
  const { page, say } = scene;
  await page.getByRole('textbox', { name: say('restore.search') }).fill(name);
  await page
    .getByRole('list', { name: say('restore.search.hits') })
    .getByRole('button')
    .first()
    .click();
  await settled(page);
}

const newestRun = (planId: keyof Demo) => async (scene: Scene) => {
  const runs = await scene.host.client.runs.list({ planId: scene.demo[planId], kinds: ['backup'], limit: 1 });
  return `/activity/${runs[0]?.id}`;
};

const SHOTS: readonly Shot[] = [
  { name: 'home', at: '/' },
  { name: 'plans', at: '/plans' },
  { name: 'plan-what', at: async ({ demo }) => `/plans/${demo.documents}` },
  { name: 'plan-when', at: async ({ demo }) => `/plans/${demo.documents}`, first: (scene) => next(scene, 2) },
  { name: 'plan-keep', at: async ({ demo }) => `/plans/${demo.documents}`, first: (scene) => next(scene, 3) },
  {
    name: 'plan-review',
    at: async ({ demo }) => `/plans/${demo.documents}`,
    first: (scene) => next(scene, 4),
  },
  { name: 'destinations', at: '/destinations' },
  { name: 'destination-add', at: '/destinations/new' },
  { name: 'restore-version', at: '/restore' },
  {
    name: 'restore-search',
    at: '/restore',
    first: async ({ page, say }) => {
      await page.getByRole('textbox', { name: say('restore.search') }).fill('chap');
      await page.getByRole('list', { name: say('restore.search.hits') }).waitFor();
    },
  },
  { name: 'restore-files', at: '/restore', first: (scene) => openFile(scene, 'Chapter 7') },
  { name: 'restore-photo', at: '/restore', first: (scene) => openFile(scene, 'Harbour') },
  {
    name: 'restore-where',
    at: '/restore',
    first: async (scene) => {
      await openFile(scene, 'Chapter 7');
      await next(scene, 1);
    },
  },
  {
    name: 'restore-review',
    at: '/restore',
    first: async (scene) => {
      await openFile(scene, 'Chapter 7');
      await next(scene, 2);
    },
  },
  { name: 'activity', at: '/activity' },
  { name: 'run', at: newestRun('documents') },
  { name: 'disks', at: '/disks' },
  { name: 'recovery', at: '/recovery' },
  { name: 'settings', at: '/settings' },
];

/** What is only to be seen while something is under way. */
const BUSY: readonly Shot[] = [
  { name: 'home-busy', at: '/' },
  { name: 'run-busy', at: newestRun('videos') },
];

const FRESH: readonly Shot[] = [
  { name: 'welcome-what', at: '/welcome' },
  { name: 'welcome-where', at: '/welcome', first: (scene) => next(scene, 1) },
  { name: 'home-empty', at: '/' },
  { name: 'plans-empty', at: '/plans' },
  { name: 'restore-empty', at: '/restore' },
  { name: 'activity-empty', at: '/activity' },
];

/** The best three, as the README has them: finer, and only what a window shows. */
const README: readonly { readonly shot: string; readonly look: string; readonly file: string }[] = [
  { shot: 'home', look: 'light', file: 'home-light' },
  { shot: 'home', look: 'dark', file: 'home-dark' },
  { shot: 'restore-files', look: 'light', file: 'restore' },
  { shot: 'restore-version', look: 'light', file: 'versions' },
];

const forReadme = (shot: Shot, look: Look) =>
  README.find((one) => one.shot === shot.name && one.look === look.name);

/** Nothing is loading, and the letters are there. The page's policy lets no expression be waited for in it. */
async function settled(page: Page): Promise<void> {
  const loading =
    "!!document.querySelector('.mantine-Skeleton-root, .mantine-Loader-root, [aria-busy=true]') || document.fonts.status !== 'loaded'";
  for (let i = 0, calm = 0; calm < 3; i++) {
    if (i === 300) throw new Error('something goes on loading');
    await new Promise((resolve) => setTimeout(resolve, 50));
    calm = (await page.evaluate(loading)) ? 0 : calm + 1;
  }
}

interface Taking {
  readonly browser: Browser;
  readonly host: DemoHost;
  readonly demo: Demo;
  readonly only: readonly string[];
  readonly readme: boolean;
  readonly folder: string;
}

class Photographer {
  readonly #o: Taking;
  #session: BrowserContextOptions['storageState'];

  constructor(o: Taking) {
    this.#o = o;
  }

  /** Signs in; the address is good once. */
  async begin(): Promise<void> {
    const context = await this.#o.browser.newContext();
    await (await context.newPage()).goto(this.#o.host.url);
    this.#session = await context.storageState();
    await context.close();
  }

  async take(shots: readonly Shot[]): Promise<void> {
    for (const look of LOOKS) {
      const wanted = shots.filter((shot) => this.#isWanted(shot, look));
      if (wanted.length === 0) continue;
      const context = await this.#o.browser.newContext({
        ...look.options,
        reducedMotion: 'reduce',
        deviceScaleFactor: this.#o.readme ? 2 : 1,
        ...(this.#session ? { storageState: this.#session } : {}),
      });
      for (const shot of wanted) await this.#shoot(await context.newPage(), shot, look);
      await context.close();
    }
  }

  #isWanted(shot: Shot, look: Look): boolean {
    const { only, readme } = this.#o;
    if (readme) return forReadme(shot, look) !== undefined;
    return only.length === 0 || only.some((name) => shot.name.startsWith(name));
  }

  async #shoot(page: Page, shot: Shot, look: Look): Promise<void> {
    const { host, demo, folder, readme } = this.#o;
    const say = sayer(look.language, look.options.locale ?? look.language);
    const scene = { page, say, host, demo };
    const file = readme ? forReadme(shot, look)?.file : `${shot.name}-${look.name}`;
    page.setDefaultTimeout(15_000);
    try {
      const at = typeof shot.at === 'string' ? shot.at : await shot.at(scene);
      await page.goto(new URL(at, host.url).href);
      await settled(page);
      await shot.first?.(scene);
      await settled(page);
      await page.evaluate('document.activeElement?.blur()');
    } catch (e) {
      process.exitCode = 1;
      console.error(`${shot.name}, ${look.name}: ${String(e).split('\n').slice(0, 3).join(' ')}`);
    }
    await page.screenshot({
      path: path.join(folder, `${file}.png`),
      fullPage: !readme,
      animations: 'disabled',
    });
    await page.close();
  }
}

/** A backup that takes its time. */
async function beBusy(host: DemoHost, home: string, demo: Demo): Promise<void> {
  bigFiles(home, Date.now());
  const { client } = host;
  const found = (await client.plans.list()).find(({ plan }) => plan.id === demo.videos);
  if (!found) throw new Error('the plan has gone');
  const { createdAt, updatedAt, ...input } = found.plan;
  await client.plans.update({ ...input, options: { ...input.options, uploadLimit: 1_500_000 } });
  const [run] = await client.plans.run({ id: demo.videos });
  if (!run) throw new Error('nothing runs');
  while (((await client.runs.get({ id: run.id })).progress?.bytesDone ?? 0) < 40_000_000) {
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function takeAll(browser: Browser, work: string, o: Pick<Taking, 'only' | 'readme' | 'folder'>) {
  const home = path.join(work, 'ann');
  console.log('Six weeks of backups…');
  const demo = await past(home, path.join(work, 'usb'));
  // Another one for the present: sessions, too, end after some weeks.
  await using host = await startHost(home, Date.now());
  const photographer = new Photographer({ browser, host, demo, ...o });
  await photographer.begin();
  console.log('Screens…');
  await photographer.take(SHOTS);
  if (o.readme) return;
  await beBusy(host, home, demo);
  await photographer.take(BUSY);
}

async function past(home: string, media: string): Promise<Demo> {
  await using host = await startHost(home, beginning());
  return await liveThrough(host, home, media);
}

async function takeFresh(browser: Browser, work: string, o: Pick<Taking, 'only' | 'readme' | 'folder'>) {
  const home = path.join(work, 'fresh');
  firstFiles(home, Date.now());
  await using host = await startHost(home, Date.now());
  const photographer = new Photographer({
    browser,
    host,
    demo: { documents: '', photos: '', videos: '' },
    ...o,
  });
  await photographer.begin();
  await photographer.take(FRESH);
}

async function run(): Promise<void> {
  const { values } = parseArgs({ options: { only: { type: 'string' }, readme: { type: 'boolean' } } });
  const docs = path.join(import.meta.dirname, '..', 'docs');
  const readme = values.readme ?? false;
  const folder = path.join(docs, readme ? 'images' : 'screenshots');
  mkdirSync(folder, { recursive: true });
  const work = mkdtempSync(path.join(tmpdir(), 'home-'));
  const browser = await launchBrowser();
  try {
    const o = { only: values.only?.split(',') ?? [], readme, folder };
    if (!readme) await takeFresh(browser, work, o);
    await takeAll(browser, work, o);
  } finally {
    await browser.close();
    rmSync(work, { recursive: true, force: true });
  }
  console.log(`Done: ${path.relative(process.cwd(), folder) || '.'}`);
}

await run();
