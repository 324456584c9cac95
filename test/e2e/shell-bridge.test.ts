/**
 * What the page makes of the shell, in a browser: `window.holdfast` is a double here that tells what a test wants, and whose port
 * to the host is the page's own socket. The real bridge has tests of its own in test/e2e-main.
 */
import type { Page } from 'playwright';
import { describe, expect, it } from 'vitest';
import { DropboxServer } from '../servers/dropbox.ts';
import { expectAccessible, type Stage, useStage } from './stage.ts';

const open = useStage();

/** Calls are written down in `window.calls`; `window.tell` has the listeners of each kind hear something. */
const BRIDGE = `
  const listeners = { host: new Set(), navigate: new Set(), update: new Set() };
  const last = { host: { state: 'running' }, update: { state: 'current' } };
  window.calls = [];
  window.tell = (kind, what) => {
    last[kind] = what;
    for (const one of listeners[kind]) one(what);
  };
  const hear = (kind) => (listener) => {
    listeners[kind].add(listener);
    if (last[kind] !== undefined && kind !== 'navigate') listener(last[kind]);
    return () => listeners[kind].delete(listener);
  };
  const note = (name, answer) => async (...input) => {
    window.calls.push([name, ...input]);
    if (answer instanceof Error) throw answer;
    return typeof answer === 'function' ? answer(...input) : answer;
  };
  let wishes = { openAtLogin: false, closeToTray: true };
  window.holdfast = {
    platform: 'linux',
    requestPort() {
      const { port1, port2 } = new MessageChannel();
      const socket = new WebSocket(location.origin.replace('http', 'ws') + '/ws');
      const waiting = [];
      socket.onopen = () => waiting.splice(0).forEach((text) => socket.send(text));
      socket.onmessage = ({ data }) => port1.postMessage(data);
      port1.onmessage = ({ data }) => (socket.readyState === 1 ? socket.send(data) : waiting.push(data));
      window.postMessage({ holdfast: 'port' }, location.origin, [port2]);
    },
    onHost: hear('host'),
    onNavigate: hear('navigate'),
    onUpdate: hear('update'),
    pickFolder: note('pickFolder', null),
    choose: note('choose', []),
    save: note('save', ({ name }) => '/home/ann/' + name),
    reveal: note('reveal'),
    openUrl: note('openUrl'),
    preferences: note('preferences', () => wishes),
    setPreferences: note('setPreferences', (change) => {
      if (change.openAtLogin) throw new Error('The folder for start files can’t be written to.');
      return (wishes = { ...wishes, ...change });
    }),
    retryHost: note('retryHost'),
    installUpdate: note('installUpdate'),
  };
`;

async function openInShell(): Promise<Stage> {
  const stage = await open();
  await stage.page.addInitScript(BRIDGE);
  await stage.page.reload();
  await stage.page.locator('h1').waitFor();
  return stage;
}

const tell = (page: Page, kind: string, what: unknown) =>
  page.evaluate(`window.tell(${JSON.stringify(kind)}, ${JSON.stringify(what)})`);

const calls = (page: Page, name: string): Promise<unknown> =>
  page.evaluate(`window.calls.filter(([one]) => one === ${JSON.stringify(name)})`);

describe('in the shell', () => {
  it('the page has the system’s browser open where one signs in', async () => {
    const { page, complaints } = await openInShell();
    const server = await DropboxServer.start();
    try {
      await page.goto(new URL('/destinations/new', page.url()).href);
      await page.getByRole('radio', { name: 'Dropbox' }).check();
      await page.getByRole('button', { name: 'Next' }).click();
      await page.getByRole('button', { name: 'Open the console' }).click();
      await page.getByRole('textbox', { name: 'Client id' }).fill('app-key');
      await page.getByRole('button', { name: 'Advanced' }).click();
      const lines = [...server.options].map(([name, value]) => `${name}=${value}`);
      await page.getByRole('textbox', { name: 'Further options' }).fill(lines.join('\n'));
      await page.getByRole('button', { name: 'Sign in' }).click();
      await page.getByRole('button', { name: 'Open the sign-in page' }).click();
      const opened = (await calls(page, 'openUrl')) as readonly [string, string][];
      const [console, first, again] = opened.map(([, url]) => url);
      expect(console).toBe('https://www.dropbox.com/developers/apps');
      expect(first).toContain('client_id=app-key');
      expect(again).toBe(first);
      expect(opened).toHaveLength(3);
      expect(page.context().pages()).toHaveLength(1);
      await expectAccessible(page);
      expect(complaints).toEqual([]);
    } finally {
      await server.close();
    }
  });

  it('the page says how it stands with the host, and tries again', async () => {
    const { page, complaints } = await openInShell();
    await tell(page, 'host', { state: 'restarting' });
    await page.getByRole('status').getByText('is being started again').waitFor();
    await expectAccessible(page);
    const error = { code: 'locked', message: 'Another Holdfast uses this data folder.', transient: false };
    await tell(page, 'host', { state: 'failed', error });
    await page.getByText('Another Holdfast uses this data folder.').waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Try again' }).click();
    expect(await calls(page, 'retryHost')).toHaveLength(1);
    await tell(page, 'host', { state: 'running' });
    await page.getByText('Another Holdfast').waitFor({ state: 'detached' });
    expect(complaints).toEqual([]);
  });

  it('the tray and notes lead to places', async () => {
    const { page, host, complaints } = await openInShell();
    await tell(page, 'navigate', { kind: 'screen', screen: 'settings' });
    await page.getByRole('heading', { name: 'Settings', level: 1 }).waitFor();
    await tell(page, 'navigate', { kind: 'fix', fix: { kind: 'create-plan' } });
    await page.getByRole('form', { name: 'New plan' }).waitFor();
    await host.system.pause({ until: null });
    await tell(page, 'navigate', { kind: 'fix', fix: { kind: 'resume' } });
    await expect.poll(async () => (await host.system.status()).pause).toBeNull();
    expect(complaints).toEqual([]);
  });

  it('a new version is offered, and put in place by a click', async () => {
    const { page, complaints } = await openInShell();
    await tell(page, 'update', { state: 'ready', version: '9.9.9' });
    await page.getByText('Version 9.9.9 is ready').waitFor();
    await expectAccessible(page);
    await page.getByRole('button', { name: 'Later' }).click();
    await page.getByText('Version 9.9.9 is ready').waitFor({ state: 'detached' });
    await page.getByRole('link', { name: 'Settings' }).click();
    await page.getByRole('region', { name: 'About' }).getByRole('button', { name: 'Install now' }).click();
    expect(await calls(page, 'installUpdate')).toHaveLength(1);
    expect(complaints).toEqual([]);
  });

  it('settings of the start are the shell’s, and what it refuses is taken back and said', async () => {
    const { page, complaints } = await openInShell();
    await page.getByRole('link', { name: 'Settings' }).click();
    const tray = page.getByRole('switch', { name: 'Keep running when the window is closed' });
    expect(await tray.isChecked()).toBe(true);
    await tray.press('Space');
    await expect.poll(() => tray.isChecked()).toBe(false);
    expect(await calls(page, 'setPreferences')).toEqual([['setPreferences', { closeToTray: false }]]);
    const login = page.getByRole('switch', { name: 'Start when I log in' });
    await login.press('Space');
    await page.getByText('The folder for start files can’t be written to.').waitFor();
    await expect.poll(() => login.isChecked()).toBe(false);
    await expectAccessible(page);
    expect(complaints).toEqual([]);
  });

  it('the recovery kit is saved, and restored files are shown, by the system', async () => {
    const { page, host, source, destination, complaints } = await openInShell();
    const { destination: disk } = await host.destinations.add({ name: 'USB disk', location: destination });
    const plan = await host.plans.create({
      name: 'Documents',
      sources: [{ kind: 'path', path: source }],
      destinations: [disk.id],
      schedule: { when: { kind: 'manual' } },
    });
    await page.getByRole('link', { name: 'Recovery' }).click();
    await page.getByRole('button', { name: /^Save recovery kit.*USB disk/ }).click();
    await expect
      .poll(() => calls(page, 'save'))
      .toMatchObject([['save', { name: 'holdfast-USB-disk.html' }]]);
    await host.plans.run({ id: plan.id });
    const newest = async () => (await host.versions.list({ destinationId: disk.id }))[0]?.id;
    await expect.poll(newest, { timeout: 60_000 }).toBeDefined();
    const run = await host.runs.restore({
      destinationId: disk.id,
      versionId: 'latest',
      target: { kind: 'folder', path: `${destination}-back` },
    });
    await page.getByRole('link', { name: 'Activity' }).click();
    await page
      .getByRole('row', { name: /Restore/ })
      .getByRole('link')
      .click();
    await page.getByRole('button', { name: 'Open folder' }).click();
    await expect.poll(() => calls(page, 'reveal')).toEqual([['reveal', `${destination}-back`]]);
    expect(page.url()).toContain(run.id);
    expect(complaints).toEqual([]);
  });
});
