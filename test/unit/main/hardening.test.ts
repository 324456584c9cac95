/** What no page may do, tried on the app's own main process. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fileHandler } from '../../../main/files.ts';
import { buildMain } from '../../../scripts/build-main.ts';
import { ElectronDouble, type FrameDouble } from '../../helpers/electron-double.ts';
import { useSharedTemp } from '../../helpers/scope.ts';

const shared = useSharedTemp();
let double: ElectronDouble;

beforeAll(async () => {
  const folder = fs.realpathSync(shared.dir('app'));
  fs.symlinkSync(
    join(import.meta.dirname, '../../../node_modules'),
    join(folder, 'node_modules'),
    'junction',
  );
  const window = join(folder, 'window');
  fs.mkdirSync(window);
  fs.writeFileSync(join(window, 'index.html'), '<!doctype html><title>Holdfast</title>');
  await buildMain({ out: join(folder, 'built'), window });
  double = new ElectronDouble({ app: join(folder, 'built'), home: join(folder, 'home') }).start();
  while (double.windows.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  await double.page();
}, 60_000);

afterAll(() => double[Symbol.asyncDispose]());

const FOREIGN = [
  'https://example.com/',
  'http://holdfast/',
  'file:///etc/passwd',
  'app://elsewhere/',
  'app://holdfast.example.com/',
  'app://user@holdfast/',
  'javascript:alert(1)',
  'data:text/html,hello',
];

/** Whether an event of the page that would lead to `url` is let through. */
function mayGo(event: string, url: string): boolean {
  let prevented = false;
  const preventDefault = () => {
    prevented = true;
  };
  double.window.webContents.emit(event, { url, preventDefault });
  return !prevented;
}

describe('the page', () => {
  it.each(FOREIGN)('cannot be led to %s', (url) => {
    for (const event of ['will-navigate', 'will-frame-navigate', 'will-redirect']) {
      expect(mayGo(event, url)).toBe(false);
    }
  });

  it('may go about its own addresses', () => {
    expect(mayGo('will-navigate', 'app://holdfast/restore')).toBe(true);
  });

  it('opens no windows and holds no other pages', () => {
    const { openHandler } = double.window.webContents;
    for (const url of [...FOREIGN, 'app://holdfast/'])
      expect(openHandler({ url })).toEqual({ action: 'deny' });
    expect(mayGo('will-attach-webview', 'app://holdfast/')).toBe(false);
  });

  it('reaches no network', () => {
    const cancelled = (url: string) => {
      let cancel: boolean | undefined;
      double.session.set.before?.({ url }, (answer: { cancel: boolean }) => {
        cancel = answer.cancel;
      });
      return cancel;
    };
    expect(cancelled('https://example.com/')).toBe(true);
    expect(cancelled('file:///etc/passwd')).toBe(true);
    expect(cancelled('wss://example.com/')).toBe(true);
    expect(cancelled('app://holdfast/index.js')).toBe(false);
  });

  it('gets no rights but to put text into the clipboard', () => {
    const { request, check, device } = double.session.set;
    const { webContents } = double.window;
    const asked = (permission: string, contents: unknown = webContents) => {
      let granted: boolean | undefined;
      request?.(contents, permission, (given: boolean) => {
        granted = given;
      });
      return granted;
    };
    for (const permission of [
      'media',
      'geolocation',
      'notifications',
      'clipboard-read',
      'openExternal',
      'usb',
    ]) {
      expect(asked(permission)).toBe(false);
      expect(check?.(webContents, permission, 'app://holdfast/')).toBe(false);
    }
    expect(asked('clipboard-sanitized-write')).toBe(true);
    expect(
      asked('clipboard-sanitized-write', { mainFrame: { url: 'https://example.com/', parent: null } }),
    ).toBe(false);
    expect(check?.(webContents, 'clipboard-sanitized-write', 'app://holdfast/')).toBe(true);
    expect(check?.(webContents, 'clipboard-sanitized-write', 'https://example.com')).toBe(false);
    expect(device?.({})).toBe(false);
  });

  it('downloads only what it made itself', () => {
    const allowed = (url: string) => {
      let prevented = false;
      const preventDefault = () => {
        prevented = true;
      };
      double.session.emit('will-download', { preventDefault }, { getURL: () => url });
      return !prevented;
    };
    expect(allowed('blob:app://holdfast/1234')).toBe(true);
    expect(allowed('https://example.com/setup.exe')).toBe(false);
    expect(allowed('blob:https://example.com/1234')).toBe(false);
  });
});

describe('calls', () => {
  const call = (senderFrame: FrameDouble | null, input: unknown, channel = 'holdfast:set-preferences') =>
    double.modules.ipcMain.invoke(channel, { senderFrame, sender: double.window.webContents }, input);

  it('of foreign frames are refused, and change nothing', async () => {
    const { mainFrame } = double.window.webContents;
    const foreign: (FrameDouble | null)[] = [
      null,
      { url: 'https://example.com/', parent: null },
      { url: 'app://holdfast/', parent: mainFrame },
      // A frame like the window's, but not it.
      { url: 'app://holdfast/', parent: null },
    ];
    for (const frame of foreign) {
      expect(await call(frame, { closeToTray: false })).toEqual({ ok: false, message: 'Not allowed.' });
    }
    expect(await call(mainFrame, undefined, 'holdfast:preferences')).toEqual({
      ok: true,
      value: { openAtLogin: false, closeToTray: true },
    });
  });

  it('for a port by a foreign frame get none', () => {
    const page = double.window.webContents.page!;
    const before = page.heard.length;
    const event = {
      senderFrame: { url: 'https://example.com/', parent: null },
      sender: double.window.webContents,
    };
    double.modules.ipcMain.emit('holdfast:connect', event);
    expect(page.heard).toHaveLength(before);
  });

  it('with anything else than what fits are refused', async () => {
    const { mainFrame } = double.window.webContents;
    for (const [channel, input] of [
      ['holdfast:choose', { what: 'program' }],
      ['holdfast:save', { name: '' }],
      ['holdfast:reveal', { path: '/' }],
      ['holdfast:reveal', ''],
      ['holdfast:set-preferences', { closeToTray: 'no' }],
    ] as const) {
      const answer = await call(mainFrame, input, channel);
      expect(answer).toMatchObject({ ok: false, message: expect.stringMatching(/^Not acceptable/) });
    }
    expect(double.revealed).toEqual([]);
  });
});

describe("the system's browser", () => {
  const open = (url: unknown, senderFrame: FrameDouble | null = double.window.webContents.mainFrame) =>
    double.modules.ipcMain.invoke(
      'holdfast:open-url',
      { senderFrame, sender: double.window.webContents },
      url,
    );

  it.each([
    ['http', 'http://example.com/'],
    ['a file', 'file:///etc/passwd'],
    ['a script', 'javascript:alert(1)'],
    ['a share', 'smb://example.com/share'],
    ['a path of Windows', '\\\\example.com\\share'],
    ['data', 'data:text/html,hello'],
    ['a program of its own', 'ms-msdt:/id'],
    ['the page', 'app://holdfast/'],
    ['a name and password', 'https://user:pass@example.com/'],
    ['a name', 'https://user@example.com/'],
    ['a host in disguise', 'https://example.com\\@elsewhere.example/'],
    ['no host', 'https://'],
    ['half an address', 'https:example.com'],
    ['a line more', 'https://example.com/\n--flag'],
    ['a space before', ' https://example.com/'],
    ['too much', `https://example.com/${'a'.repeat(8192)}`],
    ['too much once written out', `https://example.com/${'ä'.repeat(4000)}`],
    ['no text', { url: 'https://example.com/' }],
    ['nothing', undefined],
  ])('is not given %s', async (_what, url) => {
    const before = double.opened.length;
    expect(await open(url)).toMatchObject({ ok: false, message: expect.stringMatching(/^Not acceptable/) });
    expect(double.opened).toHaveLength(before);
  });

  it('is not for foreign frames', async () => {
    const before = double.opened.length;
    const foreign = { url: 'https://example.com/', parent: null };
    expect(await open('https://example.com/', foreign)).toEqual({ ok: false, message: 'Not allowed.' });
    expect(double.opened).toHaveLength(before);
  });

  it('is given https', async () => {
    const url = 'https://accounts.example.com/auth?redirect_uri=http%3A%2F%2F127.0.0.1%3A4000%2F&state=a_b';
    const page = double.window.webContents.page!;
    await page.holdfast.openUrl(url);
    const longest = `https://example.com/${'a'.repeat(8192 - 'https://example.com/'.length)}`;
    await page.holdfast.openUrl(longest);
    expect(double.opened.slice(-2)).toEqual([url, longest]);
  });

  it('is asked for in one place, behind the check', () => {
    const main = join(import.meta.dirname, '../../../main');
    const sources = fs
      .readdirSync(main, { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.ts$/.test(file))
      .map((file) => ({ file, text: fs.readFileSync(join(main, file), 'utf8') }));
    const using = sources.filter(({ text }) => text.includes('openExternal'));
    expect(using.map(({ file }) => file)).toEqual(['open-url.ts']);
    expect(using[0]?.text.match(/.*openExternal.*/g)).toEqual([
      '  ipc.handle(CHANNEL.openUrl, OutsideUrl, (url) => shell.openExternal(url));',
    ]);
    expect(sources.filter(({ text }) => text.includes('openPath'))).toEqual([]);
  });
});

describe("the window's files", () => {
  const handler = (root: string) => async (address: string, init?: RequestInit) =>
    fileHandler(root)(new Request(address, init));

  function files() {
    const root = join(shared.dir('files'), 'window');
    fs.mkdirSync(join(root, 'assets'), { recursive: true });
    fs.writeFileSync(join(root, 'index.html'), 'start');
    fs.writeFileSync(join(root, 'assets/a b.css'), 'style');
    fs.writeFileSync(join(root, '../secret.txt'), 'secret');
    return handler(root);
  }

  it('come with a policy that lets nothing else in', async () => {
    const answer = await files()('app://holdfast/');
    expect(await answer.text()).toBe('start');
    expect(answer.headers.get('content-type')).toBe('text/html; charset=utf-8');
    const policy = answer.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toMatch(/unsafe|\*|https?:/);
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it('are found by name, and screens lead to the start', async () => {
    const get = files();
    expect(await (await get('app://holdfast/assets/a%20b.css')).text()).toBe('style');
    expect(await (await get('app://holdfast/runs/123')).text()).toBe('start');
    expect((await get('app://holdfast/missing.js')).status).toBe(404);
  });

  it.each([
    ['app://holdfast/%2e%2e%2fsecret.txt', 400],
    ['app://holdfast/..%2fsecret.txt', 400],
    ['app://holdfast/assets%5c..%5c..%5csecret.txt', 400],
    ['app://holdfast/%00.txt', 400],
    ['app://holdfast/%zz.txt', 400],
    ['app://elsewhere/index.html', 403],
  ])('%s gives nothing', async (address, status) => {
    const answer = await files()(address);
    expect(answer.status).toBe(status);
    expect(await answer.text()).toBe('');
  });

  it('cannot be written to', async () => {
    expect((await files()('app://holdfast/', { method: 'POST' })).status).toBe(405);
  });
});
