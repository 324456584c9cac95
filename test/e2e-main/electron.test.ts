/** The app in a real Electron, where its binary and a display can be had; elsewhere these tests say that they were skipped. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import type { Menu, Notification } from 'electron';
import { _electron, type ElectronApplication, type Page } from 'playwright';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildMain } from '../../scripts/build-main.ts';
import { whyNoWindow } from '../../scripts/start.ts';
import type { Client } from '../../src/transport/client.ts';
import { connectSocket } from '../../src/transport/web-socket.ts';
import { useTemp } from '../helpers/scope.ts';

const root = join(import.meta.dirname, '../..');
const missing = await whyNoWindow();
if (missing !== undefined) console.warn(`SKIPPED: nothing was tried in a real Electron. ${missing}`);

const LONG = { timeout: 60_000 };
/** Chromium has none for root. */
const SANDBOX = process.getuid?.() === 0 ? ['--no-sandbox'] : [];

/** What test/helpers/electron-hook.cjs keeps in the main process. */
interface Seen {
  readonly menu: Menu | undefined;
  readonly notes: readonly Notification[];
}
declare global {
  var holdfastSeen: Seen;
}

interface Running {
  readonly app: ElectronApplication;
  readonly page: Page;
  readonly home: string;
  host(): Promise<Client>;
}

describe.skipIf(missing !== undefined)('in a real Electron', () => {
  const temp = useTemp();
  const main = join(root, 'main/dist/main.cjs');
  const closers: (() => unknown)[] = [];

  beforeAll(() => buildMain({ out: join(root, 'main/dist') }), 60_000);

  afterEach(async () => {
    for (const close of closers.splice(0).reverse()) await close();
  });

  async function launch(home = fs.realpathSync(temp.dir('home'))): Promise<Running> {
    const data = join(home, 'data');
    const app = await _electron.launch({
      args: [...SANDBOX, '-r', join(root, 'test/helpers/electron-hook.cjs'), main],
      env: { ...process.env, HOME: home, HOLDFAST_DATA_DIR: data, LANGUAGE: 'en' } as never,
    });
    closers.push(() => app.evaluate(({ app: self }) => self.exit(0)).catch(() => undefined));
    const page = await app.firstWindow();
    const host = async () => {
      const connection = await connectSocket(join(data, 'host.sock'));
      closers.push(() => connection.close());
      return connection.client;
    };
    await expect.poll(() => isEnabled(app, 'pause'), LONG).toBe(true);
    return { app, page, home, host };
  }

  const isEnabled = (app: ElectronApplication, id: string) =>
    app.evaluate((_, item) => holdfastSeen.menu?.getMenuItemById(item)?.enabled, id);

  const click = (app: ElectronApplication, id: string) =>
    app.evaluate((_, item) => void holdfastSeen.menu?.getMenuItemById(item)?.click(), id);

  const isVisible = (app: ElectronApplication) =>
    app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows().some((window) => window.isVisible()));

  /** A plan that is run by hand. `before`: a command that its backups wait for. */
  async function withPlan({ home, host }: Running, before: readonly string[] = []) {
    const source = join(home, 'Documents');
    fs.mkdirSync(source, { recursive: true });
    fs.writeFileSync(join(source, 'letter.txt'), 'Dear Ann');
    const client = await host();
    const { destination } = await client.destinations.add({ name: 'USB disk', location: join(home, 'usb') });
    const plan = await client.plans.create({
      name: 'Documents',
      sources: [{ kind: 'path', path: source }],
      destinations: [destination.id],
      schedule: { when: { kind: 'manual' } },
      hooks: { before: before.length === 0 ? [] : [{ command: [...before] }] },
    });
    return { client, plan, source };
  }

  it('opens a window of its own files, without Node, that reaches the host', async () => {
    const { page } = await launch();
    expect(page.url()).toMatch(/^app:\/\/holdfast\//);
    expect(await page.evaluate('typeof require + typeof process')).toBe('undefinedundefined');
    await page.getByRole('heading', { name: 'Welcome to Holdfast' }).waitFor(LONG);
  });

  it('backs up, restores and pauses from the tray', async () => {
    const running = await launch();
    const { app, page } = running;
    const { client } = await withPlan(running);
    await expect.poll(() => isEnabled(app, 'back-up'), LONG).toBe(true);
    await click(app, 'back-up');
    await expect
      .poll(async () => (await client.runs.list({ kinds: ['backup'] })).map(({ state }) => state), LONG)
      .toEqual(['succeeded']);
    await click(app, 'restore');
    await expect.poll(() => new URL(page.url()).pathname, LONG).toBe('/restore');
    await click(app, 'pause-hour');
    await expect.poll(() => isEnabled(app, 'resume'), LONG).toBe(true);
    await click(app, 'resume');
    await expect.poll(() => isEnabled(app, 'pause'), LONG).toBe(true);
  });

  it('cannot be led elsewhere, and opens no windows', async () => {
    const { app, page } = await launch();
    await page.evaluate("void (location.href = 'https://example.com/')");
    await page.evaluate("void window.open('https://example.com/')");
    const asked = "fetch('https://example.com/').then(() => 'answered', () => 'refused')";
    expect(await page.evaluate(asked)).toBe('refused');
    expect(page.url()).toMatch(/^app:\/\/holdfast\//);
    expect(app.windows()).toHaveLength(1);
  });

  it('gives nothing to a frame in its page', async () => {
    const { page } = await launch();
    await page.evaluate("void document.body.append(document.createElement('iframe'))");
    await expect.poll(() => page.frames().length).toBe(2);
    const call = "window.holdfast?.preferences().then(() => 'answered', () => 'refused') ?? 'absent'";
    expect(await page.frames()[1]?.evaluate(call)).not.toBe('answered');
    expect(await page.evaluate('window.holdfast.preferences()')).toMatchObject({ closeToTray: true });
  });

  it('is hidden when its window is closed, and comes back from the tray', async () => {
    const { app } = await launch();
    await app.evaluate(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.close());
    expect(await isVisible(app)).toBe(false);
    await click(app, 'open');
    await expect.poll(() => isVisible(app)).toBe(true);
  });

  it('starts a host that died again, and the page goes on', async () => {
    const running = await launch();
    const { app, page } = running;
    const { plan } = await withPlan(running);
    const pid = await app.evaluate(
      ({ app: self }) => self.getAppMetrics().find(({ name }) => name === 'Holdfast host')?.pid,
    );
    expect(pid).toBeGreaterThan(0);
    process.kill(pid!, 'SIGKILL');
    await page.getByRole('status').filter({ hasText: 'is being started again' }).waitFor(LONG);
    await expect.poll(() => isEnabled(app, 'back-up'), LONG).toBe(true);
    await page.getByRole('link', { name: 'Plans' }).first().click();
    await page.getByText(plan.name).first().waitFor(LONG);
  });

  it('asks before it quits while a backup is under way', async () => {
    const running = await launch();
    const { app } = running;
    const { client, plan } = await withPlan(running, [
      process.execPath,
      '-e',
      'setTimeout(() => {}, 300_000)',
    ]);
    await app.evaluate(({ dialog }) => {
      Object.assign(dialog, { showMessageBox: async () => ({ response: 0, checkboxChecked: false }) });
    });
    await client.plans.run({ id: plan.id });
    await expect.poll(async () => (await client.system.status()).running.length, LONG).toBe(1);
    await click(app, 'quit');
    await expect.poll(() => isVisible(app), LONG).toBe(false);
    expect((await client.system.status()).running).toHaveLength(1);
    await app.evaluate(({ dialog }) => {
      Object.assign(dialog, { showMessageBox: async () => ({ response: 1, checkboxChecked: false }) });
    });
    const gone = app.waitForEvent('close');
    await click(app, 'quit');
    await gone;
  });

  it('leads from a note to what it is about', async () => {
    const running = await launch();
    const { app, page } = running;
    const { client, plan, source } = await withPlan(running);
    await client.alerts.addChannel({ name: 'Here', target: { kind: 'desktop' } });
    fs.rmSync(source, { recursive: true });
    await client.plans.run({ id: plan.id });
    await expect.poll(() => app.evaluate(() => holdfastSeen.notes.length), LONG).toBeGreaterThan(0);
    await app.evaluate(() => void holdfastSeen.notes[0]?.emit('click'));
    await expect.poll(() => new URL(page.url()).pathname, LONG).toMatch(/^\/(activity|plans)\/./);
  });
});
