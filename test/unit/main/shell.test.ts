/** The app's own bundles, run by a double of Electron, with a real host in a process of its own. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildMain } from '../../../scripts/build-main.ts';
import type { HostState, Place } from '../../../src/api/shell.ts';
import { connectPort } from '../../../src/transport/browser.ts';
import type { Client } from '../../../src/transport/client.ts';
import { click, type DoubleOptions, ElectronDouble, type PageDouble } from '../../helpers/electron-double.ts';
import { useSharedTemp, useTemp } from '../../helpers/scope.ts';

const shared = useSharedTemp();
const temp = useTemp();
let built: string;

beforeAll(async () => {
  const folder = fs.realpathSync(shared.dir('app'));
  // Native modules lie beside the app.
  fs.symlinkSync(
    join(import.meta.dirname, '../../../node_modules'),
    join(folder, 'node_modules'),
    'junction',
  );
  const window = join(folder, 'window');
  fs.mkdirSync(window);
  fs.writeFileSync(join(window, 'index.html'), '<!doctype html><title>Holdfast</title>');
  fs.writeFileSync(join(window, 'index-12345678.js'), 'export {};');
  built = join(folder, 'built');
  await buildMain({ out: built, window });
}, 60_000);

function app(options: Partial<DoubleOptions> = {}): ElectronDouble {
  return new ElectronDouble({ app: built, home: fs.realpathSync(temp.dir('home')), ...options });
}

async function holds(what: () => unknown): Promise<void> {
  while (!what()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Started, with a host that runs. */
async function running(options: Partial<DoubleOptions> = {}): Promise<ElectronDouble> {
  const double = app(options).start();
  await holds(() => double.trays.length > 0);
  await holds(() => double.tray.item('pause')?.enabled);
  return double;
}

/** What a page does: asks for a port and speaks the contract over it. */
async function clientOf(page: PageDouble): Promise<Client> {
  const before = page.heard.length;
  page.holdfast.requestPort();
  await holds(() => page.heard.slice(before).some(({ data }) => data.holdfast === 'port'));
  const port = page.heard.findLast(({ data }) => data.holdfast === 'port')?.ports[0];
  if (!port) throw new Error('no port');
  return connectPort(port, new Promise(() => {})).client;
}

/** A plan over a folder of `files`, to a destination of its own. */
async function makePlan(double: ElectronDouble, client: Client, files: Readonly<Record<string, string>>) {
  const folder = join(double.data, '..', 'source');
  fs.mkdirSync(folder, { recursive: true });
  for (const [name, content] of Object.entries(files)) fs.writeFileSync(join(folder, name), content);
  const { destination } = await client.destinations.add({
    name: 'Disk',
    location: join(double.data, '..', 'repository'),
  });
  return client.plans.create({
    name: 'Me & mine',
    sources: [{ kind: 'path', path: folder }],
    destinations: [destination.id],
    schedule: { when: { kind: 'manual' } },
  });
}

describe('from start to end', () => {
  it('shows a window whose page speaks with the host', async () => {
    await using double = await running();
    const client = await clientOf(await double.page());
    expect(await client.system.status()).toMatchObject({ version: '1.2.3', running: [] });
    expect(double.window.isVisible()).toBe(true);
    expect(double.window.options.webPreferences).toMatchObject({
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webSecurity: true,
      webviewTag: false,
    });
  });

  it('starts with the tray alone when the system starts it', async () => {
    await using double = await running({ argv: ['--hidden'] });
    expect(double.windows).toEqual([]);
    click(double.tray.item('open'));
    expect(double.window.isVisible()).toBe(true);
  });

  it('lets a second start show the window of the first', async () => {
    await using double = await running({ argv: ['--hidden'] });
    await using second = app({ home: join(double.data, '..') }).start();
    expect(second.hasQuit).toBe(true);
    expect(second.trays).toEqual([]);
    expect(double.window.isVisible()).toBe(true);
  });

  it('ends the host safely when it quits', async () => {
    await using double = await running();
    const { child } = double.host;
    click(double.tray.item('quit'));
    await double.gone;
    expect(child.exitCode).toBe(0);
    expect(double.tray.destroyed).toBe(true);
    expect(double.questions).toEqual([]);
  });

  it('obeys a signal without asking', async () => {
    await using double = await running();
    double.process.emit('SIGTERM');
    await double.gone;
    expect(double.host.child.exitCode).toBe(0);
  });

  it('ends a host that does not stop', async () => {
    await using double = await running();
    double.host.child.kill('SIGSTOP');
    click(double.tray.item('quit'));
    await holds(() => double.timers.waiting.includes(30_000));
    double.timers.fire(30_000);
    double.host.child.kill('SIGCONT');
    await double.gone;
    expect(double.host.child.signalCode ?? double.host.child.exitCode).not.toBeNull();
  });
});

describe('the host', () => {
  it('is started again when it dies, and the page is told', async () => {
    await using double = await running();
    const page = await double.page();
    const states: HostState[] = [];
    page.holdfast.onHost((state) => states.push(state));
    await clientOf(page);
    double.host.child.kill('SIGKILL');
    await holds(() => states.some(({ state }) => state === 'restarting'));
    expect(page.heard.at(-1)?.data).toEqual({ holdfast: 'port-ended' });
    expect(double.tray.image).toContain('attention');
    expect(double.tray.item('state')?.label).toMatch(/starting again/);
    double.timers.fire(1000);
    const again = await clientOf(page);
    expect(await again.plans.list()).toEqual([]);
    expect(states.map(({ state }) => state)).toEqual(['running', 'restarting', 'running']);
    expect(double.hosts).toHaveLength(2);
  });

  it('waits longer each time, and says so in the end', async () => {
    await using double = await running({ argv: ['--hidden'] });
    for (const ms of [1000, 2000, 4000, 8000, 16_000]) {
      double.host.child.kill('SIGKILL');
      await holds(() => double.timers.waiting.includes(ms));
      if (ms < 16_000) expect(double.tray.item('state')?.label).toMatch(/starting again/);
      else expect(double.tray.item('state')?.label).toBe('Holdfast cannot start');
      double.timers.fire(ms);
    }
    await holds(() => double.tray.item('pause')?.enabled);
    expect(double.hosts).toHaveLength(6);
  });

  it('that cannot open its folder is shown with the reason, and is tried again when asked', async () => {
    const home = fs.realpathSync(temp.dir('home'));
    fs.writeFileSync(join(home, 'not-a-folder'), '');
    await using double = app({ home, env: { HOLDFAST_DATA_DIR: join(home, 'not-a-folder') } }).start();
    await holds(() => double.windows.length > 0);
    const page = await double.page();
    const states: HostState[] = [];
    page.holdfast.onHost((state) => states.push(state));
    await holds(() => states.some(({ state }) => state === 'failed'));
    await holds(() => double.host.child.exitCode !== null);
    fs.rmSync(join(home, 'not-a-folder'));
    await page.holdfast.retryHost();
    await holds(() => states.some(({ state }) => state === 'running'));
  });
});

describe('the tray', () => {
  it('follows the status', async () => {
    await using double = await running();
    expect(double.tray.item('state')?.label).toBe('Not protected yet');
    expect(double.tray.item('back-up')?.enabled).toBe(false);
    click(double.tray.item('pause-open'));
    await holds(() => double.tray.item('resume'));
    expect(double.tray.image).toContain('paused');
    expect(double.tray.item('state')?.label).toBe('Paused until resumed');
    click(double.tray.item('resume'));
    await holds(() => double.tray.item('pause'));
    expect(double.tray.image).toContain('attention');
  });

  it('has the entries of the design, in their order', async () => {
    await using double = await running();
    expect(double.tray.menu.map((item) => item.label ?? item.type)).toEqual([
      'Not protected yet',
      'separator',
      'Back up now',
      'Pause',
      'Restore files…',
      'separator',
      'Open Holdfast',
      'Quit',
    ]);
  });

  it('backs up', async () => {
    await using double = await running();
    const client = await clientOf(await double.page());
    await makePlan(double, client, { 'a.txt': 'one' });
    await holds(() => double.tray.item('back-up')?.enabled);
    click(double.tray.item('back-up'));
    await holds(() => double.tray.item('state')?.label?.startsWith("You're protected"));
    expect(double.tray.image).toContain('idle');
    expect(await client.runs.list({ kinds: ['backup'] })).toMatchObject([{ state: 'succeeded' }]);
  });

  it('speaks the language of the settings', async () => {
    await using double = await running({ locale: 'de-AT' });
    expect(double.tray.item('quit')?.label).toBe('Beenden');
    const client = await clientOf(await double.page());
    await client.settings.update({ language: 'en' });
    await holds(() => double.tray.item('quit')?.label === 'Quit');
    expect(double.appMenu[0]?.label).toBe('File');
  });

  it('leads to the restore screen', async () => {
    await using double = await running({ argv: ['--hidden'] });
    click(double.tray.item('restore'));
    const page = await double.page();
    const places: Place[] = [];
    page.holdfast.onNavigate((place) => places.push(place));
    expect(places).toEqual([{ kind: 'screen', screen: 'restore' }]);
  });
});

describe('the window', () => {
  it('is only hidden when it is closed, and comes back as it was', async () => {
    await using double = await running();
    const { window } = double;
    window.bounds = { x: 300, y: 200, width: 900, height: 700 };
    expect(window.close()).toBe(false);
    expect(window.isVisible()).toBe(false);
    expect(double.hasQuit).toBe(false);
    click(double.tray.item('open'));
    expect(double.window).toBe(window);
    click(double.tray.item('quit'));
    await double.gone;
    await using next = await running({ home: join(double.data, '..') });
    expect(next.window.options).toMatchObject({ x: 300, y: 200, width: 900, height: 700 });
  });

  it('quits when it is closed, where the person wants that', async () => {
    await using double = await running();
    const page = await double.page();
    expect(await page.holdfast.setPreferences({ closeToTray: false })).toEqual({
      openAtLogin: false,
      closeToTray: false,
    });
    double.window.close();
    await double.gone;
  });

  it('loads its page again when it dies, but not for ever', async () => {
    await using double = await running();
    const { webContents } = double.window;
    for (let i = 0; i < 5; i++) webContents.emit('render-process-gone', {}, { reason: 'crashed' });
    expect(webContents.reloads).toBe(3);
  });
});

describe('quitting while something is under way', () => {
  /** A backup that waits in a hook for as long as the test likes. */
  async function busy(double: ElectronDouble): Promise<Client> {
    const client = await clientOf(await double.page());
    const plan = await makePlan(double, client, { 'a.txt': 'one' });
    const { createdAt, updatedAt, ...input } = plan;
    const command = [process.execPath, '-e', 'setTimeout(() => {}, 300_000)'];
    await client.plans.update({ ...input, hooks: { ...input.hooks, before: [{ command }] } });
    await client.plans.run({ id: plan.id });
    await holds(() => double.tray.image.includes('working'));
    return client;
  }

  it('asks, and goes on in the background', async () => {
    await using double = await running();
    const client = await busy(double);
    double.answer = 0;
    click(double.tray.item('quit'));
    await holds(() => !double.window.isVisible());
    expect(double.questions).toMatchObject([
      { buttons: ['Keep working in the background', 'Stop and quit'] },
    ]);
    expect(double.hasQuit).toBe(false);
    expect((await client.system.status()).running).toHaveLength(1);
    expect(double.window.progress).toEqual({ value: 2, mode: 'indeterminate' });
  });

  it('stops it if the person says so; asks but once', async () => {
    await using double = await running();
    await busy(double);
    const { promise, resolve } = Promise.withResolvers<number>();
    double.answer = promise;
    double.modules.app.quit();
    double.modules.app.quit();
    resolve(1);
    await double.gone;
    expect(double.questions).toHaveLength(1);
    expect(double.host.child.exitCode).toBe(0);
    await using next = await running({ home: join(double.data, '..') });
    const client = await clientOf(await next.page());
    expect((await client.runs.list({})).map(({ state }) => state)).toContain('interrupted');
  });

  it('holds up a shutdown of the system until the host has stopped', async () => {
    await using double = await running();
    await busy(double);
    let held = false;
    double.modules.powerMonitor.emit('shutdown', { preventDefault: () => (held = true) });
    expect(held).toBe(true);
    await double.gone;
    expect(double.questions).toEqual([]);
  });

  it('holds up the end of a session on Windows, which tells the window of it', async () => {
    await using double = await running({ platform: 'win32' });
    await busy(double);
    let held = false;
    double.window.emit('query-session-end', { preventDefault: () => (held = true) });
    expect(held).toBe(true);
    await double.gone;
    expect(double.host.child.exitCode).toBe(0);
  });
});

describe('power', () => {
  const conditions = ({ host }: ElectronDouble) =>
    host.sent
      .map((text) => JSON.parse(text))
      .filter(({ p }) => p?.u?.endsWith('/system/setConditions'))
      .map(({ p }) => p.b.json);

  it('and network reach the host, when they change and when it is a new one', async () => {
    await using double = await running();
    await holds(() => conditions(double).length > 0);
    expect(conditions(double)).toMatchObject([{ onBattery: false, online: true }]);
    double.onBattery = true;
    double.modules.powerMonitor.emit('on-battery');
    await holds(() => conditions(double).length > 1);
    expect(conditions(double)[1]).toMatchObject({ onBattery: true, online: true });
    double.online = false;
    double.timers.fire(60_000);
    await holds(() => conditions(double).length > 2);
    double.host.child.kill('SIGKILL');
    await holds(() => double.timers.waiting.includes(1000));
    double.timers.fire(1000);
    await holds(() => conditions(double).length > 0);
    expect(conditions(double)[0]).toMatchObject({ onBattery: true, online: false });
  });

  it('after sleep the host looks at once what is due', async () => {
    await using double = await running();
    double.modules.powerMonitor.emit('suspend');
    double.modules.powerMonitor.emit('resume');
    await holds(() => double.host.sent.some((text) => text.includes('/system/wake')));
  });
});

describe('secrets', () => {
  it("are sealed by the system's keychain where there is one", async () => {
    await using double = await running();
    await makePlan(double, await clientOf(await double.page()), {});
    expect(fs.existsSync(join(double.data, 'secrets.keychain.json'))).toBe(true);
    expect(fs.existsSync(join(double.data, 'secrets.sealed'))).toBe(false);
  });

  it('lie in a sealed file where the keychain only disguises', async () => {
    await using double = app();
    double.keychain.backend = 'basic_text';
    double.start();
    await holds(() => double.trays.length > 0 && double.tray.item('pause')?.enabled);
    await makePlan(double, await clientOf(await double.page()), {});
    expect(fs.existsSync(join(double.data, 'secrets.sealed'))).toBe(true);
  });

  it('that cannot be sealed are a sentence, not a loss', async () => {
    await using double = await running();
    const client = await clientOf(await double.page());
    double.keychain.locked = true;
    const location = join(double.data, '..', 'repository');
    await expect(client.destinations.add({ name: 'Disk', location })).rejects.toMatchObject({
      code: 'permission',
      message: expect.stringContaining('keychain'),
    });
  });
});

describe('notes on the desktop', () => {
  it('come from the host, and their click shows the window', async () => {
    await using double = await running({ argv: ['--hidden'] });
    click(double.tray.item('open'));
    const client = await clientOf(await double.page());
    double.window.close();
    const { id } = await client.alerts.addChannel({ name: 'Here', target: { kind: 'desktop' } });
    expect(await client.alerts.testChannel({ id })).toMatchObject({ ok: true });
    await holds(() => double.notes.length > 0);
    expect(double.notes[0]?.options.title).toMatch(/./);
    double.notes[0]?.emit('click', {});
    expect(double.window.isVisible()).toBe(true);
  });

  it('tell of a backup that fails, with a button that shows the run', async () => {
    await using double = await running();
    const page = await double.page();
    const client = await clientOf(page);
    const places: Place[] = [];
    page.holdfast.onNavigate((place) => places.push(place));
    await client.alerts.addChannel({ name: 'Here', target: { kind: 'desktop' } });
    const { id } = await makePlan(double, client, { 'a.txt': 'one' });
    fs.rmSync(join(double.data, '..', 'source'), { recursive: true });
    await client.plans.run({ id });
    await holds(() => double.notes.length > 0);
    const [note] = double.notes;
    expect(note?.options.actions).toHaveLength(1);
    note?.emit('click', {});
    expect(places).toMatchObject([{ kind: 'fix' }]);
    expect(double.tray.image).toContain('attention');
  });
});

describe('what the page may ask for', () => {
  it("is the system's dialogs, its file manager, and what the shell remembers", async () => {
    await using double = await running();
    const { holdfast } = await double.page();
    const home = join(double.data, '..');
    expect(holdfast.platform).toBe('linux');
    expect(await holdfast.pickFolder()).toBeNull();
    double.picked = [home];
    expect(await holdfast.pickFolder()).toBe(home);
    double.savedAt = join(home, 'kit.html');
    expect(await holdfast.save({ name: 'kit.html', text: 'words' })).toBe(double.savedAt);
    expect(fs.readFileSync(double.savedAt, 'utf8')).toBe('words');
    await holdfast.reveal(home);
    expect(double.revealed).toEqual([home]);
    await expect(holdfast.reveal('')).rejects.toThrow(/^Not acceptable/);
    await holdfast.setPreferences({ openAtLogin: true });
    expect(await holdfast.preferences()).toEqual({ openAtLogin: true, closeToTray: true });
    expect(fs.existsSync(join(home, '.config/autostart/holdfast.desktop'))).toBe(true);
  });
});

describe('on macOS', () => {
  it('the tray has masks, and a click on the dock shows the window', async () => {
    await using double = await running({ platform: 'darwin', argv: ['--hidden'] });
    expect(double.tray.image).toMatch(/attentionTemplate\.png$/);
    double.modules.app.emit('activate');
    expect(double.window.isVisible()).toBe(true);
    expect(double.appMenu[0]?.label).toBe('Holdfast');
  });
});

describe('the log', () => {
  it('keeps on this computer why the host ended', async () => {
    await using double = await running();
    double.host.child.kill('SIGKILL');
    await holds(() => double.timers.waiting.includes(1000));
    const log = fs.readFileSync(join(double.data, 'window/logs/holdfast.log'), 'utf8');
    expect(log).toContain('error The host ended by itself');
  });
});
