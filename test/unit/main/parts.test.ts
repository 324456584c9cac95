/** Parts of the shell for which no process is needed. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { choose, save } from '../../../main/dialogs.ts';
import type { ElectronModules } from '../../../main/electron.ts';
import { autostartFile, startAtLogin } from '../../../main/login.ts';
import { fileLog } from '../../../main/logs.ts';
import { MemoryFile } from '../../../main/memory-file.ts';
import { appMenu } from '../../../main/menu.ts';
import { isMetered } from '../../../main/metered.ts';
import { Notes } from '../../../main/notes.ts';
import { de } from '../../../main/texts/de.ts';
import { en } from '../../../main/texts/en.ts';
import { textsIn } from '../../../main/texts/texts.ts';
import { endOfPause, trayIcon, trayLine, trayMenu } from '../../../main/tray.ts';
import { isUpdatable, type Updater, Updates } from '../../../main/updates.ts';
import { fractionOf, type Known } from '../../../main/watch.ts';
import { placed } from '../../../main/window-state.ts';
import type { Status } from '../../../src/api/model/status.ts';
import type { UpdateState } from '../../../src/api/shell.ts';
import { useTemp } from '../../helpers/scope.ts';

const temp = useTemp();
const NOON = new Date(2026, 4, 5, 12, 0).getTime();

function status(part: Partial<Status> = {}): Status {
  return {
    at: NOON,
    version: '1',
    hostname: 'h',
    verdict: { state: 'protected', reasons: [] },
    pause: null,
    lastBackupAt: NOON - 3_600_000,
    nextBackupAt: null,
    running: [],
    queued: [],
    ...part,
  };
}

const known = (part: Partial<Known> = {}): Known => ({
  status: status(),
  plans: [],
  progress: new Map(),
  language: 'en',
  ...part,
});
const view = (part: Partial<Known> = {}) => ({
  known: known(part),
  host: { state: 'running' } as const,
  texts: en,
  now: NOON,
});
const noActions = {
  backUp() {},
  pause() {},
  resume() {},
  restore() {},
  open() {},
  quit() {},
};
const progress = (bytesDone: number, bytesTotal: number | null) => ({
  phase: '',
  phaseCode: 'starting' as const,

  filesDone: 0,
  filesTotal: null,
  bytesDone,
  bytesTotal,
  bytesPerSecond: 0,
  secondsLeft: null,
  current: [],
  problems: 0,
});

describe('the tray', () => {
  it('is green for nobody without proof', () => {
    expect(trayIcon(view())).toBe('idle');
    expect(trayIcon(view({ status: status({ verdict: { state: 'none', reasons: [] } }) }))).toBe('attention');
    expect(trayIcon(view({ status: status({ verdict: { state: 'attention', reasons: [] } }) }))).toBe(
      'attention',
    );
    expect(trayIcon({ ...view(), host: { state: 'restarting' } })).toBe('attention');
  });

  it('says what is worked on before that something else is paused', () => {
    const busy = status({ pause: { until: null }, running: ['r'] });
    expect(trayIcon(view({ status: busy }))).toBe('working');
    expect(trayIcon(view({ status: status({ pause: { until: null } }) }))).toBe('paused');
  });

  it('has one line for each state', () => {
    expect(trayLine(view())).toMatch(/^You're protected. Last backup: 11:00/);
    expect(trayLine(view({ status: status({ pause: { until: NOON + 86_400_000 } }) }))).toMatch(
      /^Paused until .*6/,
    );
    const reason = { level: 'problem', code: 'x', sentence: 'The disk is full.', fix: null } as const;
    const attention = status({ verdict: { state: 'attention', reasons: [reason] } });
    expect(trayLine(view({ status: attention }))).toBe('The disk is full.');
    expect(trayLine(view({ status: undefined }))).toBe('Starting…');
  });

  it('adds up what runs are under way', () => {
    const running = status({ running: ['a', 'b'] });
    const half = new Map([
      ['a', progress(10, 100)],
      ['b', progress(90, 100)],
    ]);
    expect(fractionOf(known({ status: running, progress: half }))).toBe(0.5);
    expect(trayLine(view({ status: running, progress: half }))).toBe('Working: 50 % done');
    expect(fractionOf(known({ status: running, progress: new Map([['a', progress(1, 2)]]) }))).toBeNull();
    expect(fractionOf(known())).toBeUndefined();
  });

  it('offers each plan where there are several, and none that is switched off', () => {
    const plans = [
      { id: '1', name: 'Me & mine', enabled: true },
      { id: '2', name: 'Office', enabled: true },
      { id: '3', name: 'Old', enabled: false },
    ];
    const submenu = trayMenu(view({ plans }), noActions).find(({ id }) => id === 'back-up')?.submenu;
    const labels = Array.isArray(submenu) ? submenu.map(({ label }) => label) : [];
    expect(labels).toEqual(['All plans', undefined, 'Me && mine', 'Office']);
  });

  it('pauses for an hour, until midnight, or until told', () => {
    expect(endOfPause('hour', NOON)).toBe(NOON + 3_600_000);
    expect(endOfPause('tomorrow', NOON)).toBe(new Date(2026, 4, 6).getTime());
    expect(endOfPause('open', NOON)).toBeNull();
  });
});

describe('texts', () => {
  it('follow the system or the person', () => {
    expect(textsIn('system', 'de-AT')).toBe(de);
    expect(textsIn('system', 'den')).toBe(en);
    expect(textsIn('en', 'de')).toBe(en);
    expect(textsIn('de', 'en')).toBe(de);
  });

  it('are all there and translated, but for a few that are the same', () => {
    const flat = (texts: object): [string, unknown][] =>
      Object.entries(texts).flatMap(([key, value]) =>
        typeof value === 'object'
          ? flat(value).map(([k, v]): [string, unknown] => [`${key}.${k}`, v])
          : [[key, value]],
      );
    const german = new Map(flat(de));
    const same = flat(en).filter(([key, text]) => typeof text === 'string' && german.get(key) === text);
    expect(german.size).toBe(flat(en).length);
    expect(same).toEqual([]);
  });
});

describe("the window's place", () => {
  const screen = { x: 0, y: 0, width: 1920, height: 1040 };
  const left = { x: -1280, y: 0, width: 1280, height: 1024 };
  const state = { x: 300, y: 200, width: 900, height: 700, maximized: false };

  it('is kept while its screen is there', () => {
    expect(placed(state, [screen])).toEqual(state);
    expect(placed({ ...state, x: -1200 }, [screen, left])).toEqual({ ...state, x: -1200 });
  });

  it('is the middle of the main screen when its own has gone, or for the first time', () => {
    const { x, y, ...size } = state;
    expect(placed({ ...state, x: -1200 }, [screen])).toEqual(size);
    expect(placed({ ...state, y: 5000 }, [screen])).toEqual(size);
    expect(placed(undefined, [screen])).toEqual({ width: 1180, height: 800, maximized: false });
  });

  it('is no larger than the screen, and its title stays in reach', () => {
    expect(placed({ ...state, width: 4000, height: 3000 }, [screen])).toMatchObject({
      width: 1920,
      height: 1040,
    });
    expect(placed({ ...state, y: -30 }, [screen])).toMatchObject({ y: 0 });
    expect(placed(state, [{ ...screen, width: 400, height: 300 }])).toMatchObject({
      width: 400,
      height: 300,
    });
  });
});

describe('what the shell remembers', () => {
  it('survives; damage counts as nothing', () => {
    const said: string[] = [];
    const file = join(temp.dir('memory'), 'below', 'a.json');
    const memory = new MemoryFile(file, z.object({ a: z.int() }), (_, text) => said.push(text));
    expect(memory.read()).toBeUndefined();
    memory.write({ a: 1 });
    expect(memory.read()).toEqual({ a: 1 });
    fs.writeFileSync(file, '{"a":');
    expect(memory.read()).toBeUndefined();
    fs.rmSync(file);
    fs.mkdirSync(file);
    memory.write({ a: 2 });
    expect(said).toHaveLength(1);
  });
});

describe('the log', () => {
  it('is kept in two files of a bounded size', () => {
    const folder = temp.dir('logs');
    const log = fileLog(folder, () => NOON);
    log('error', 'one\ntwo');
    expect(fs.readFileSync(join(folder, 'holdfast.log'), 'utf8')).toMatch(/ error one\n {4}two\n$/);
    for (let i = 0; i < 25; i++) log('info', 'x'.repeat(100_000));
    const sizes = fs.readdirSync(folder).map((name) => fs.statSync(join(folder, name)).size);
    expect(sizes).toHaveLength(2);
    expect(Math.max(...sizes)).toBeLessThan(1_200_000);
  });
});

describe('the network', () => {
  it.each([
    ['linux', 'u 1\n', true],
    ['linux', 'u 3\n', true],
    ['linux', 'u 2\n', false],
    ['linux', 'u 4\n', false],
    ['linux', 'u 0\n', null],
    ['win32', 'Variable\r\n', true],
    ['win32', 'Fixed\r\n', true],
    ['win32', 'Unrestricted\r\n', false],
    ['win32', '', null],
    ['darwin', '', null],
  ] as const)('of %s that says %j is metered: %s', async (platform, output, expected) => {
    expect(await isMetered(platform, async () => output)).toBe(expected);
  });
});

describe('the start at login', () => {
  const options = (home: string, env = {}) => ({
    electron: { app: {} } as Pick<ElectronModules, 'app'>,
    platform: 'linux' as const,
    env,
    home,
    executable: '/opt/Hold "fast" $1/100%/holdfast',
  });

  it('is a file on Linux, with the program in quotes', () => {
    const o = options(temp.dir('home'));
    startAtLogin(o, true);
    const file = fs.readFileSync(autostartFile(o), 'utf8');
    expect(file).toContain('Exec="/opt/Hold \\\\"fast\\\\" \\\\$1/100%%/holdfast" --hidden\n');
    startAtLogin(o, false);
    expect(fs.existsSync(autostartFile(o))).toBe(false);
    startAtLogin(o, false);
  });

  it('names the AppImage, not the folder in which it runs', () => {
    const o = options(temp.dir('home'), { APPIMAGE: '/home/ann/Holdfast.AppImage' });
    startAtLogin(o, true);
    expect(fs.readFileSync(autostartFile(o), 'utf8')).toContain(
      'Exec="/home/ann/Holdfast.AppImage" --hidden',
    );
  });

  it('is the business of the system elsewhere', () => {
    const set: unknown[] = [];
    const app = { setLoginItemSettings: (settings: unknown) => void set.push(settings) };
    const electron = { app } as unknown as Pick<ElectronModules, 'app'>;
    startAtLogin({ ...options('/'), electron, platform: 'win32' }, true);
    expect(set).toEqual([{ openAtLogin: true, args: ['--hidden'] }]);
  });
});

describe('dialogs', () => {
  const dialog = (answer: object) => {
    const asked: object[] = [];
    const ask = async (options: object) => {
      asked.push(options);
      return answer;
    };
    const modules = { dialog: { showOpenDialog: ask, showSaveDialog: ask } };
    return { asked, modules: modules as unknown as Pick<ElectronModules, 'dialog'> };
  };

  it('give folders, or nothing', async () => {
    const { asked, modules } = dialog({ canceled: false, filePaths: ['/a'] });
    expect(
      await choose(modules, undefined, en, { what: 'folder', several: false, startAt: '/home' }),
    ).toEqual(['/a']);
    expect(asked).toMatchObject([{ title: 'Choose a folder', defaultPath: '/home' }]);
    const changed = dialog({ canceled: true, filePaths: [] });
    expect(await choose(changed.modules, undefined, en, { what: 'file', several: true })).toEqual([]);
  });

  it('save a text where the person says, for nobody else to read', async () => {
    const file = join(temp.dir('save'), 'kit.html');
    const { asked, modules } = dialog({ canceled: false, filePath: file });
    expect(await save(modules, undefined, en, { name: '../../kit.html', text: 'words' })).toBe(file);
    expect(asked).toMatchObject([{ defaultPath: 'kit.html' }]);
    expect(fs.readFileSync(file, 'utf8')).toBe('words');
    if (process.platform !== 'win32') expect(fs.statSync(file).mode & 0o077).toBe(0);
    const changed = dialog({ canceled: true, filePath: '' });
    expect(await save(changed.modules, undefined, en, { name: 'a' })).toBeNull();
  });
});

/** Notes over a system that remembers what was shown. */
function notesOn(platform: NodeJS.Platform) {
  const done: string[] = [];
  const shown: { options: { readonly id: string }; listeners: Record<string, () => void> }[] = [];
  let activate = (_details: { readonly type: string; readonly arguments: string }) => {};
  class Notification {
    static isSupported = () => true;
    static handleActivation(listener: typeof activate) {
      activate = listener;
    }
    readonly listeners: Record<string, () => void> = {};
    readonly options: { readonly id: string };
    constructor(options: { readonly id: string }) {
      this.options = options;
    }
    on(name: string, listener: () => void) {
      this.listeners[name] = listener;
    }
    show() {
      shown.push(this);
    }
  }
  const notes = new Notes({
    electron: { Notification } as unknown as Pick<ElectronModules, 'Notification'>,
    platform,
    icon: undefined,
    texts: () => de,
    onOpen: (fix) => done.push(`open ${fix?.kind}`),
    onFix: (fix) => done.push(`fix ${fix.kind}`),
  });
  notes.start();
  return {
    notes,
    done,
    shown,
    activate: (type: string, text: string) => activate({ type, arguments: text }),
  };
}

describe('notes', () => {
  it('open what they are about, and mend it by their button', () => {
    const { notes, done, shown } = notesOn('linux');
    notes.show({ title: 'T', text: 'X', fix: { kind: 'resume' } });
    const [{ options, listeners } = {}] = shown;
    expect(options).toEqual({
      id: expect.stringMatching(/^holdfast-/),
      title: 'T',
      body: 'X',
      actions: [{ type: 'button', text: 'Fortsetzen' }],
    });
    listeners?.click?.();
    listeners?.action?.();
    expect(done).toEqual(['open resume', 'fix resume']);
  });

  it('can still be clicked in the action center of Windows when they have closed', () => {
    const { notes, done, shown, activate } = notesOn('win32');
    notes.show({ title: 'T', text: 'X', fix: { kind: 'resume' } });
    const [{ options, listeners } = {}] = shown;
    const tagged = `type=action&action=0&tag=${options?.id}`;
    activate('action', tagged);
    expect(done).toEqual([]);
    listeners?.close?.();
    activate('action', tagged);
    activate('click', tagged);
    activate('click', 'of a program that has quit since');
    expect(done).toEqual(['fix resume', 'open resume', 'open undefined']);
  });
});

describe('the menu', () => {
  it.each(['linux', 'win32', 'darwin'] as const)('has no shortcut twice on %s', (platform) => {
    const menu = appMenu(en, platform, { backUp() {}, open() {}, close() {}, quit() {} });
    const keys = menu
      .flatMap(({ submenu }) => (Array.isArray(submenu) ? submenu : []))
      .flatMap((i) => i.accelerator ?? []);
    expect(keys.length).toBeGreaterThan(10);
    expect(new Set(keys).size).toBe(keys.length);
  });
});

describe('updates', () => {
  function updates(failure?: Error) {
    const listeners: Record<string, (value: never) => void> = {};
    const states: UpdateState[] = [];
    let installed = 0;
    const updater: Updater = {
      autoDownload: false,
      autoInstallOnAppQuit: false,
      logger: console,
      on: (name: string, listener: (value: never) => void) => {
        listeners[name] = listener;
      },
      checkForUpdates: () => (failure ? Promise.reject(failure) : Promise.resolve()),
      quitAndInstall: () => void installed++,
    };
    const timers = { now: () => 0, after: () => () => {} };
    const made = new Updates({ load: async () => updater, timers, log() {}, onState: (s) => states.push(s) });
    const say = (name: string, value: unknown) => listeners[name]?.(value as never);
    return { made, say, states, installed: () => installed };
  }

  it('are looked for only where the packager left an address', () => {
    const resources = temp.dir('resources');
    expect(isUpdatable(true, resources)).toBe(false);
    fs.writeFileSync(join(resources, 'app-update.yml'), '');
    expect(isUpdatable(true, resources)).toBe(true);
    expect(isUpdatable(false, resources)).toBe(false);
  });

  it('are put in place only when they are ready, and stay ready when the network fails', async () => {
    const { made, say, states, installed } = updates();
    await made.start();
    made.install();
    expect(installed()).toBe(0);
    say('update-available', { version: '2' });
    say('update-downloaded', { version: '2' });
    say('error', new Error('offline'));
    expect(states).toEqual([
      { state: 'loading', version: '2' },
      { state: 'ready', version: '2' },
    ]);
    made.install();
    expect(installed()).toBe(1);
  });

  it('that cannot be looked for are a state, not a fault', async () => {
    const { made, states } = updates(new Error('no such host'));
    await made.start();
    await Promise.resolve();
    expect(states).toEqual([{ state: 'failed', message: 'no such host' }]);
  });
});
