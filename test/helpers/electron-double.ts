/**
 * A test double of Electron that runs the app's own bundles, main process and preload script, in Node. What is real: the
 * bundles, the host as a process of its own, message ports, that messages are copied between processes, the order of quitting,
 * the window's files through the app's own protocol. What is not: everything on a screen.
 *
 * page       what the window shows: the preload script's world, `window.holdfast`, and the messages that the page hears
 * page's end  whatever stands for the page; a real browser's page can take its place (electron-page.ts)
 */
import { type ChildProcess, fork } from 'node:child_process';
import { EventEmitter } from 'node:events';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import type { MenuItemConstructorOptions } from 'electron';
import type { PortMessage, ShellBridge } from '../../src/api/shell.ts';
import type { WebPort } from '../../src/transport/port-pipe.ts';
import type { Relayed } from './electron-utility.ts';

const nodeRequire = createRequire(import.meta.url);

export interface DoubleOptions {
  /** The built app's folder. */
  readonly app: string;
  /** Home, data and memory lie below it. */
  readonly home: string;
  readonly platform?: NodeJS.Platform;
  readonly argv?: readonly string[];
  readonly locale?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly displays?: readonly Rectangle[];
  /** Loads the window's page in some other way. */
  readonly loadPage?: LoadPage;
}

/** What hears the messages of the main process. */
export interface PageEnd {
  receive(channel: string, message: unknown, ports?: readonly MainPortDouble[]): void;
}

export type LoadPage = (o: {
  readonly double: ElectronDouble;
  readonly window: WindowDouble;
  /** The preload script's file. */
  readonly preload: string;
}) => Promise<void>;

interface Rectangle {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

class Preventable {
  defaultPrevented = false;
  preventDefault(): void {
    this.defaultPrevented = true;
  }
}

// ---- ports

/** A port as the main process has it, around one of Node's. */
export class MainPortDouble extends EventEmitter {
  readonly port: MessagePort;

  constructor(port: MessagePort) {
    super();
    this.port = port;
    port.on('close', () => this.emit('close'));
  }

  start(): void {
    this.port.on('message', (data: unknown) => this.emit('message', { data, ports: [] }));
  }

  postMessage(data: unknown): void {
    this.port.postMessage(data);
  }

  close(): void {
    this.port.close();
  }
}

class MessageChannelMain {
  readonly port1: MainPortDouble;
  readonly port2: MainPortDouble;

  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.port1 = new MainPortDouble(port1);
    this.port2 = new MainPortDouble(port2);
  }
}

// ---- the host's process

export class UtilityDouble extends EventEmitter {
  readonly child: ChildProcess;
  readonly stderr: NodeJS.ReadableStream | null;
  /** The texts that went to the host over ports, as they were sent. */
  readonly sent: string[] = [];
  readonly #ports = new Map<number, MessagePort>();
  #count = 0;

  constructor(entry: string, env: NodeJS.ProcessEnv) {
    super();
    const preload = new URL('./electron-utility.ts', import.meta.url).href;
    this.child = fork(entry, [], {
      execArgv: ['--import', preload],
      env,
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.stderr = this.child.stderr;
    this.child.on('message', (message) => this.#heard(message as Relayed));
    this.child.on('exit', (code) => {
      for (const port of this.#ports.values()) port.close();
      this.emit('exit', code ?? 1);
    });
  }

  postMessage(data: unknown, ports: readonly MainPortDouble[] = []): void {
    this.#send({ kind: 'message', data, ports: ports.map(({ port }) => this.#relay(port)) });
  }

  kill(): boolean {
    return this.child.kill();
  }

  /** Its clock stands so much later from now on, as after a sleep of the computer. */
  sleepThrough(ms: number): void {
    this.#send({ kind: 'slept', ms });
  }

  #send(message: Relayed): void {
    if (this.child.connected) this.child.send(message);
  }

  #relay(port: MessagePort): number {
    const nr = this.#count++;
    this.#ports.set(nr, port);
    port.on('message', (data: unknown) => {
      this.sent.push(String(data));
      this.#send({ kind: 'port', nr, data });
    });
    port.on('close', () => this.#send({ kind: 'port-closed', nr }));
    return nr;
  }

  #heard(message: Relayed): void {
    if (message.kind === 'message') this.emit('message', message.data);
    else if (message.kind === 'port') this.#ports.get(message.nr)?.postMessage(message.data);
    else if (message.kind === 'port-closed') this.#ports.get(message.nr)?.close();
  }
}

// ---- the page

export interface FrameDouble {
  readonly url: string;
  readonly parent: FrameDouble | null;
}

export class PageDouble {
  readonly holdfast: ShellBridge;
  /** What the page heard from itself. */
  readonly heard: { readonly data: PortMessage; readonly ports: readonly WebPort[] }[] = [];
  readonly #renderer = new EventEmitter();

  constructor(double: ElectronDouble, contents: WebContentsDouble, preload: string) {
    const exposed: { holdfast?: ShellBridge } = {};
    const { ipcMain } = double.modules;
    const sender = () => ({ senderFrame: contents.mainFrame, sender: contents });
    const ipcRenderer = Object.assign(this.#renderer, {
      invoke: async (channel: string, input: unknown) =>
        structuredClone(await ipcMain.invoke(channel, sender(), structuredClone(input))),
      send: (channel: string, message: unknown) =>
        void ipcMain.emit(channel, sender(), structuredClone(message)),
    });
    const contextBridge = {
      exposeInMainWorld: (name: string, api: ShellBridge) => Object.assign(exposed, { [name]: api }),
    };
    // A sandboxed preload script can require nothing else.
    const require = (name: string) => {
      if (name !== 'electron') throw new Error(`module not found: ${name}`);
      return { contextBridge, ipcRenderer };
    };
    runBundle(preload, {
      require,
      globalThis: {
        location: { origin: 'app://holdfast' },
        postMessage: (data: PortMessage, origin: string, ports: readonly WebPort[]) => {
          if (origin === 'app://holdfast') this.heard.push({ data, ports });
        },
      },
      process: { platform: double.platform },
    });
    if (!exposed.holdfast) throw new Error('the preload script exposes nothing');
    this.holdfast = exposed.holdfast;
  }

  /** A message of the main process. */
  receive(channel: string, message: unknown, ports: readonly MainPortDouble[] = []): void {
    const event = { ports: ports.map(({ port }) => port) };
    this.#renderer.emit(channel, event, structuredClone(message));
  }
}

type OpenHandler = (details: { readonly url: string }) => { readonly action: 'allow' | 'deny' };

export class WebContentsDouble extends EventEmitter {
  readonly mainFrame: FrameDouble;
  page: PageDouble | undefined;
  end: PageEnd | undefined;
  loading = true;
  openHandler: OpenHandler = () => ({ action: 'allow' });
  reloads = 0;

  constructor(url: string) {
    super();
    this.mainFrame = { url, parent: null };
  }

  isLoading(): boolean {
    return this.loading;
  }

  send(channel: string, message: unknown): void {
    this.end?.receive(channel, message);
  }

  postMessage(channel: string, message: unknown, ports: readonly MainPortDouble[]): void {
    this.end?.receive(channel, message, ports);
  }

  setWindowOpenHandler(handler: OpenHandler): void {
    this.openHandler = handler;
  }

  reload(): void {
    this.reloads++;
  }
}

interface WindowOptions extends Partial<Rectangle> {
  readonly webPreferences: { readonly preload: string } & Readonly<Record<string, unknown>>;
}

export class WindowDouble extends EventEmitter {
  readonly options: WindowOptions;
  readonly webContents = new WebContentsDouble('app://holdfast/');
  progress: { readonly value: number; readonly mode?: string | undefined } = { value: -1 };
  bounds: Rectangle;
  #visible = false;
  #maximized = false;
  readonly #double: ElectronDouble;
  /** The page is there. undefined: it is one of another kind. */
  loaded: Promise<PageDouble | undefined> | undefined;

  constructor(double: ElectronDouble, options: WindowOptions) {
    super();
    this.#double = double;
    this.options = options;
    const { x = 100, y = 100, width = 800, height = 600 } = options;
    this.bounds = { x, y, width, height };
    double.windows.push(this);
    double.modules.app.emit('web-contents-created', {}, this.webContents);
  }

  async loadURL(url: string): Promise<void> {
    this.loaded = this.#load(url);
    await this.loaded;
  }

  async #load(url: string): Promise<PageDouble | undefined> {
    const answer = await this.#double.fetch(url);
    if (!answer.ok) throw new Error(`ERR_FAILED ${answer.status}`);
    const { preload } = this.options.webPreferences;
    const { loadPage } = this.#double;
    const page = loadPage ? undefined : new PageDouble(this.#double, this.webContents, preload);
    if (page) this.webContents.end = page;
    else await loadPage?.({ double: this.#double, window: this, preload });
    this.webContents.page = page;
    this.webContents.loading = false;
    return page;
  }

  isVisible = () => this.#visible;
  isMinimized = () => false;
  isMaximized = () => this.#maximized;
  maximize = () => {
    this.#maximized = true;
  };
  restore = () => {};
  focus = () => {};
  getNormalBounds = () => this.bounds;

  show(): void {
    this.#visible = true;
    this.emit('show');
  }

  hide(): void {
    this.#visible = false;
    this.emit('hide');
  }

  close(): boolean {
    const event = new Preventable();
    this.emit('close', event);
    if (event.defaultPrevented) return false;
    this.#visible = false;
    this.#double.windows.splice(this.#double.windows.indexOf(this), 1);
    this.emit('closed');
    return true;
  }

  setProgressBar(value: number, options?: { readonly mode?: string }): void {
    this.progress = { value, mode: options?.mode };
  }
}

// ---- what people see beside the window

export class TrayDouble extends EventEmitter {
  image: string;
  toolTip = '';
  menu: readonly MenuItemConstructorOptions[] = [];
  destroyed = false;

  constructor(image: ImageDouble) {
    super();
    this.image = image.file;
  }

  setImage(image: ImageDouble): void {
    this.image = image.file;
  }
  setToolTip(text: string): void {
    this.toolTip = text;
  }
  setContextMenu(menu: { readonly template: readonly MenuItemConstructorOptions[] }): void {
    this.menu = menu.template;
  }
  destroy(): void {
    this.destroyed = true;
  }

  /** The item of a menu or of one below it. */
  item(id: string): MenuItemConstructorOptions | undefined {
    return itemOf(this.menu, id);
  }
}

function itemOf(
  menu: readonly MenuItemConstructorOptions[],
  id: string,
): MenuItemConstructorOptions | undefined {
  const all = menu.flatMap((item) => [item, ...(Array.isArray(item.submenu) ? item.submenu : [])]);
  return all.find((item) => item.id === id);
}

/** As a person would: what is greyed out can't be clicked. */
export function click(item: MenuItemConstructorOptions | undefined): void {
  if (!item?.click || item.enabled === false) throw new Error(`nothing to click at ${item?.label}`);
  item.click(undefined as never, undefined, undefined as never);
}

interface ImageDouble {
  readonly file: string;
  template: boolean;
  setTemplateImage(on: boolean): void;
}

/** An icon that is not there would be an empty place in the tray. */
function createFromPath(file: string): ImageDouble {
  if (!fs.existsSync(file)) throw new Error(`there is no picture ${file}`);
  return {
    file,
    template: false,
    setTemplateImage(on) {
      this.template = on;
    },
  };
}

interface NotificationOptions {
  readonly title: string;
  readonly body: string;
  readonly actions?: readonly { readonly text: string }[];
}

export class NotificationDouble extends EventEmitter {
  readonly options: NotificationOptions;
  readonly #shown: NotificationDouble[];

  constructor(options: NotificationOptions, shown: NotificationDouble[]) {
    super();
    this.options = options;
    this.#shown = shown;
  }
  show(): void {
    this.#shown.push(this);
  }
}

// ---- time

/** Timers of the main process, which only fire when a test says so. */
class Timers {
  readonly #waiting = new Set<{ readonly ms: number; readonly work: () => void }>();

  readonly set = (work: () => void, ms: number) => {
    const timer = { ms, work };
    this.#waiting.add(timer);
    return timer;
  };
  readonly clear = (timer: { readonly ms: number; readonly work: () => void }) =>
    void this.#waiting.delete(timer);

  /** Milliseconds of those that wait. */
  get waiting(): readonly number[] {
    return [...this.#waiting].map(({ ms }) => ms);
  }

  fire(ms: number): void {
    const timer = [...this.#waiting].find((one) => one.ms === ms);
    if (!timer) throw new Error(`no timer of ${ms} ms waits, only ${this.waiting.join(', ')}`);
    this.#waiting.delete(timer);
    timer.work();
  }
}

// ---- all of it

/** Who holds the lock of a folder: there may be several apps in one test. */
const locks = new Map<string, ElectronDouble>();

type Invoked = (event: unknown, input: unknown) => unknown;

export class ElectronDouble {
  readonly platform: NodeJS.Platform;
  readonly windows: WindowDouble[] = [];
  readonly trays: TrayDouble[] = [];
  readonly hosts: UtilityDouble[] = [];
  readonly notes: NotificationDouble[] = [];
  readonly timers = new Timers();
  /** The process's own events: signals. */
  readonly process = new EventEmitter();
  readonly modules;
  appMenu: readonly MenuItemConstructorOptions[] = [];
  /** The questions that were asked, and what is answered: the number of a button. */
  readonly questions: { readonly message: string; readonly buttons: readonly string[] }[] = [];
  answer: number | Promise<number> = 0;
  picked: readonly string[] = [];
  savedAt = '';
  readonly revealed: string[] = [];
  /** Given to the system's browser. */
  readonly opened: string[] = [];
  onBattery = false;
  online = true;
  keychain = { available: true, backend: 'gnome_libsecret', locked: false };
  login: { openAtLogin?: boolean; args?: readonly string[] } = {};
  /** It has quit. */
  readonly gone: Promise<void>;
  hasQuit = false;
  #quit = () => {};
  readonly #o: DoubleOptions;
  readonly #paths = new Map<string, string>();
  readonly session = sessionDouble();
  #handler: (request: Request) => Promise<Response> = async () => new Response(null, { status: 404 });

  constructor(o: DoubleOptions) {
    this.#o = o;
    this.platform = o.platform ?? 'linux';
    this.#paths.set('home', o.home).set('appData', path.join(o.home, '.config'));
    this.gone = new Promise((resolve) => {
      this.#quit = resolve;
    });
    this.modules = this.#makeModules();
  }

  get env(): NodeJS.ProcessEnv {
    const data = path.join(this.#o.home, 'data');
    return { PATH: process.env.PATH, HOME: this.#o.home, HOLDFAST_DATA_DIR: data, ...this.#o.env };
  }

  get loadPage(): LoadPage | undefined {
    return this.#o.loadPage;
  }

  get data(): string {
    return this.env.HOLDFAST_DATA_DIR ?? '';
  }

  get tray(): TrayDouble {
    return present(this.trays.at(-1), 'tray');
  }

  get window(): WindowDouble {
    return present(this.windows.at(-1), 'window');
  }

  get host(): UtilityDouble {
    return present(this.hosts.at(-1), 'host');
  }

  /** The page of the window, once it is loaded. */
  async page(): Promise<PageDouble> {
    return present(await this.window.loaded, 'page');
  }

  /** Runs the app's main process. */
  start(): this {
    const { process: signals, timers, modules, platform, env } = this;
    const argv = ['holdfast', ...(this.#o.argv ?? [])];
    const ownProcess = Object.create(process, {
      platform: { value: platform },
      env: { value: env },
      argv: { value: argv },
      execPath: { value: '/opt/Holdfast/holdfast' },
      resourcesPath: { value: path.join(this.#o.home, 'resources') },
      on: { value: signals.on.bind(signals) },
    });
    const require = (name: string) => {
      if (name === 'electron') return modules;
      return name === 'node:process' ? ownProcess : nodeRequire(name);
    };
    const main = path.join(this.#o.app, 'main.cjs');
    runBundle(main, { require, process: ownProcess, setTimeout: timers.set, clearTimeout: timers.clear });
    return this;
  }

  /** What the window would get from an address. */
  async fetch(url: string): Promise<Response> {
    return this.#handler(new Request(url));
  }

  #makeModules() {
    const double = this;
    return {
      app: this.#makeApp(),
      BrowserWindow: class extends WindowDouble {
        constructor(options: WindowOptions) {
          super(double, options);
        }
      },
      Tray: class extends TrayDouble {
        constructor(image: ImageDouble) {
          super(image);
          double.trays.push(this);
        }
      },
      Notification: class extends NotificationDouble {
        static isSupported = () => true;
        static handleActivation(): void {}
        constructor(options: NotificationOptions) {
          super(options, double.notes);
        }
      },
      Menu: {
        buildFromTemplate: (template: readonly MenuItemConstructorOptions[]) => ({ template }),
        setApplicationMenu: (menu: { readonly template: readonly MenuItemConstructorOptions[] }) => {
          double.appMenu = menu.template;
        },
      },
      nativeImage: { createFromPath },
      nativeTheme: { shouldUseDarkColors: false },
      screen: this.#makeScreen(),
      MessageChannelMain,
      utilityProcess: {
        fork: (entry: string) => {
          const host = new UtilityDouble(entry, double.env);
          double.hosts.push(host);
          return host;
        },
      },
      ipcMain: makeIpcMain(),
      dialog: this.#makeDialog(),
      shell: {
        showItemInFolder: (file: string) => void double.revealed.push(file),
        openExternal: async (url: string) => void double.opened.push(url),
      },
      powerMonitor: Object.assign(new EventEmitter(), { isOnBatteryPower: () => double.onBattery }),
      net: { isOnline: () => double.online },
      protocol: {
        registerSchemesAsPrivileged() {},
        handle: (_scheme: string, handler: (request: Request) => Promise<Response>) => {
          double.#handler = handler;
        },
      },
      session: { defaultSession: this.session },
      safeStorage: this.#makeSafeStorage(),
      crashReporter: { start() {} },
    } satisfies Partial<Record<keyof typeof import('electron'), unknown>>;
  }

  #makeApp() {
    return Object.assign(new EventEmitter(), {
      isPackaged: false,
      dock: undefined,
      whenReady: async () => {},
      getVersion: () => '1.2.3',
      getLocale: () => this.#o.locale ?? 'en-GB',
      getPath: (name: string) => present(this.#paths.get(name), name),
      setPath: (name: string, value: string) => void this.#paths.set(name, value),
      setName() {},
      setAppUserModelId() {},
      setLoginItemSettings: (settings: { openAtLogin?: boolean }) => {
        this.login = settings;
      },
      getLoginItemSettings: () => ({ wasOpenedAtLogin: false }),
      requestSingleInstanceLock: () => this.#lock(),
      quit: () => this.#quits(),
    });
  }

  #lock(): boolean {
    const folder = present(this.#paths.get('userData'), 'userData');
    const holder = locks.get(folder);
    if (!holder) locks.set(folder, this);
    else holder.modules.app.emit('second-instance', {}, ['holdfast', ...(this.#o.argv ?? [])]);
    return !holder;
  }

  /** In the order of Electron: it is asked, windows close, and only if nobody objects it ends. */
  #quits(): void {
    const event = new Preventable();
    this.modules.app.emit('before-quit', event);
    if (event.defaultPrevented || ![...this.windows].every((window) => window.close())) return;
    this.hasQuit = true;
    this.#unlock();
    this.#quit();
  }

  #makeScreen() {
    const areas = this.#o.displays ?? [{ x: 0, y: 0, width: 1920, height: 1040 }];
    const displays = areas.map((workArea, id) => ({ id, workArea }));
    return { getPrimaryDisplay: () => displays[0], getAllDisplays: () => displays };
  }

  #makeDialog() {
    const last = <T>(args: readonly T[]) => args.at(-1);
    return {
      showMessageBox: async (...args: readonly { message: string; buttons: readonly string[] }[]) => {
        this.questions.push(present(last(args), 'question'));
        return { response: await this.answer };
      },
      showOpenDialog: async () => ({ canceled: this.picked.length === 0, filePaths: this.picked }),
      showSaveDialog: async () => ({ canceled: this.savedAt === '', filePath: this.savedAt }),
    };
  }

  /** Seals for the eye only; that secrets do not lie about in the clear is all that is looked at here. */
  #makeSafeStorage() {
    const turn = (bytes: Buffer) => Buffer.from(bytes.map((byte) => byte ^ 0x5a));
    const unlocked = () => {
      if (this.keychain.locked) throw new Error('the keychain is locked');
    };
    return {
      isEncryptionAvailable: () => this.keychain.available,
      getSelectedStorageBackend: () => this.keychain.backend,
      encryptString: (text: string) => {
        unlocked();
        return turn(Buffer.from(text));
      },
      decryptString: (sealed: Buffer) => {
        unlocked();
        return turn(sealed).toString();
      },
    };
  }

  /** Ends everything, however the test went. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const { child } of this.hosts) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      const exited = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGKILL');
      await exited;
    }
    this.#unlock();
  }

  #unlock(): void {
    for (const [folder, holder] of locks) if (holder === this) locks.delete(folder);
  }
}

function makeIpcMain() {
  const handlers = new Map<string, Invoked>();
  return Object.assign(new EventEmitter(), {
    handle: (channel: string, handler: Invoked) => void handlers.set(channel, handler),
    invoke: async (channel: string, event: unknown, input: unknown) =>
      present(handlers.get(channel), channel)(event, input),
  });
}

type Asked = (...args: readonly unknown[]) => unknown;

/** What the app sets on the session, for a test to call. */
function sessionDouble() {
  const set: Record<string, Asked> = {};
  const keep = (name: string) => (handler: Asked) => {
    set[name] = handler;
  };
  return Object.assign(new EventEmitter(), {
    set,
    setPermissionRequestHandler: keep('request'),
    setPermissionCheckHandler: keep('check'),
    setDevicePermissionHandler: keep('device'),
    webRequest: { onBeforeRequest: keep('before') },
  });
}

function present<T>(value: T | undefined, name: string): T {
  if (value === undefined) throw new Error(`there is no ${name}`);
  return value;
}

/** Runs a bundle in CommonJS with names of its own. */
function runBundle(file: string, names: Readonly<Record<string, unknown>>): void {
  const module = { exports: {} };
  const all = { module, exports: module.exports, __filename: file, __dirname: path.dirname(file), ...names };
  const run = new Function(...Object.keys(all), fs.readFileSync(file, 'utf8'));
  run(...Object.values(all));
}
