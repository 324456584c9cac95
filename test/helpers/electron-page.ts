/**
 * The window's page in a real Chromium, for the double of Electron: the page's own files, by the app's own protocol handler and
 * under its policy; the real preload bundle, with an `ipcRenderer` whose messages are relayed; real message ports in the page.
 *
 * What is not as in Electron: the address is https://app.holdfast.test/ since no other browser knows `app:`, and the preload script
 * shares the page's world, shut away in a function.
 */
import { readFile } from 'node:fs/promises';
import type { MessagePort } from 'node:worker_threads';
import type { BrowserContext, Frame, Page, Request, Route } from 'playwright';
import type {
  ElectronDouble,
  FrameDouble,
  LoadPage,
  MainPortDouble,
  PageEnd,
  WindowDouble,
} from './electron-double.ts';

const HERE = 'https://app.holdfast.test';
const THERE = 'app://holdfast';

/** From the page. */
type Said =
  | { readonly kind: 'invoke' | 'send'; readonly channel: string; readonly input: unknown }
  | { readonly kind: 'port'; readonly nr: number; readonly data: unknown }
  | { readonly kind: 'port-closed'; readonly nr: number };

/** To the page. */
type Told =
  | {
      readonly kind: 'message';
      readonly channel: string;
      readonly message: unknown;
      readonly ports: number[];
    }
  | { readonly kind: 'port'; readonly nr: number; readonly data: unknown }
  | { readonly kind: 'port-closed'; readonly nr: number };

type Spoken = { readonly frame: Frame };

export class ElectronPage implements PageEnd {
  readonly page: Page;
  /** What the page tried and was kept from: 'navigate', 'window' or 'request', and the address. */
  readonly refused: string[] = [];
  readonly complaints: string[] = [];
  readonly #double: ElectronDouble;
  readonly #window: WindowDouble;
  readonly #ports = new Map<number, MessagePort>();
  readonly #waiting: Told[] = [];
  #flushing = false;
  #loading = true;
  #count = 0;

  constructor(page: Page, double: ElectronDouble, window: WindowDouble) {
    this.page = page;
    this.#double = double;
    this.#window = window;
  }

  async load(preload: string): Promise<void> {
    const { page } = this;
    page.on('pageerror', (e) => this.complaints.push(String(e)));
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
    page.on('popup', (popup) => void this.#opened(popup));
    // Windows that are opened all the same ask nobody either.
    await page.context().route('**/*', (route) => route.abort());
    await page.route('**/*', (route) => this.#answer(route));
    await page.exposeBinding('holdfastDouble', ({ frame }: Spoken, said: Said) => this.#said(frame, said));
    await page.addInitScript(worldOf(await readFile(preload, 'utf8'), this.#double.platform));
    this.#window.on('closed', () => void page.close());
    await page.goto(`${HERE}/`);
    this.#loading = false;
  }

  receive(channel: string, message: unknown, ports: readonly MainPortDouble[] = []): void {
    this.#tell({ kind: 'message', channel, message, ports: ports.map(({ port }) => this.#relay(port)) });
  }

  #relay(port: MessagePort): number {
    const nr = this.#count++;
    this.#ports.set(nr, port);
    port.on('message', (data: unknown) => this.#tell({ kind: 'port', nr, data }));
    port.on('close', () => this.#tell({ kind: 'port-closed', nr }));
    return nr;
  }

  /** In the order of what is told; what comes meanwhile goes together. */
  #tell(told: Told): void {
    this.#waiting.push(told);
    if (!this.#flushing) void this.#flush();
  }

  async #flush(): Promise<void> {
    this.#flushing = true;
    while (this.#waiting.length > 0 && !this.page.isClosed()) {
      const all = this.#waiting.splice(0);
      // A page that is just being loaded anew hears nothing, as in Electron.
      await this.page.evaluate(hear, all).catch(() => undefined);
    }
    this.#flushing = false;
  }

  async #said(frame: Frame, said: Said): Promise<unknown> {
    if (said.kind === 'port') return void this.#ports.get(said.nr)?.postMessage(said.data);
    if (said.kind === 'port-closed') return void this.#ports.get(said.nr)?.close();
    const { ipcMain } = this.#double.modules;
    const event = { senderFrame: this.#frameOf(frame), sender: this.#window.webContents };
    if (said.kind === 'invoke') return ipcMain.invoke(said.channel, event, said.input);
    return void ipcMain.emit(said.channel, event, said.input);
  }

  #frameOf(frame: Frame): FrameDouble {
    const { mainFrame } = this.#window.webContents;
    if (frame === this.page.mainFrame()) return mainFrame;
    return { url: there(frame.url()), parent: mainFrame };
  }

  async #answer(route: Route): Promise<void> {
    const request = route.request();
    const url = there(request.url());
    if (!(await this.#mayGo(request, url))) return this.#refuse(route, 'navigate', url);
    if (this.#isCancelled(url) || !url.startsWith(`${THERE}/`)) return this.#refuse(route, 'request', url);
    const { status, headers, body } = await this.#double.fetch(url);
    await route.fulfill({
      status,
      headers: Object.fromEntries(headers),
      ...(body ? { body: Buffer.from(await new Response(body).arrayBuffer()) } : {}),
    });
  }

  #refuse(route: Route, what: string, url: string): Promise<void> {
    this.refused.push(`${what} ${url}`);
    return route.abort('aborted');
  }

  /** As Electron asks before a page goes elsewhere. Loading it is no such thing. */
  async #mayGo(request: Request, url: string): Promise<boolean> {
    if (!request.isNavigationRequest() || this.#loading) return true;
    const inFrame = request.frame() !== this.page.mainFrame();
    let prevented = false;
    const preventDefault = () => {
      prevented = true;
    };
    const event = inFrame ? 'will-frame-navigate' : 'will-navigate';
    this.#window.webContents.emit(event, { url, preventDefault });
    return !prevented;
  }

  #isCancelled(url: string): boolean {
    let cancelled = false;
    this.#double.session.set.before?.({ url }, (answer: { readonly cancel?: boolean }) => {
      cancelled = answer.cancel === true;
    });
    return cancelled;
  }

  /** Other browsers open a window and tell; Electron asks first. */
  async #opened(popup: Page): Promise<void> {
    const { action } = this.#window.webContents.openHandler({ url: there(popup.url()) });
    if (action === 'allow') return;
    this.refused.push('window');
    await popup.close();
  }
}

function there(url: string): string {
  return url.startsWith(HERE) ? THERE + url.slice(HERE.length) : url;
}

/** Loads pages of a double into `context`; `onPage` gets each. */
export function loadInto(context: BrowserContext, onPage: (page: ElectronPage) => void): LoadPage {
  return async ({ double, window, preload }) => {
    const page = new ElectronPage(await context.newPage(), double, window);
    window.webContents.end = page;
    onPage(page);
    await page.load(preload);
  };
}

/** As much of the page's window as is used; the compiler's settings for tests know none. */
interface PageWindow {
  holdfastHear?(told: readonly Told[]): void;
  holdfastDouble(said: Said): Promise<unknown>;
}

interface PagePort {
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  postMessage(data: unknown): void;
  addEventListener(name: 'close', listener: () => void): void;
  close(): void;
}

/** Runs in the page. */
function hear(told: readonly Told[]): void {
  (globalThis as unknown as PageWindow).holdfastHear?.(told);
}

/** The script that makes the preload script's world, and runs it there. */
function worldOf(preload: string, platform: string): string {
  return `(${world.toString()})((require, process, module, exports) => {${preload}\n}, ${JSON.stringify(platform)})`;
}

type Preload = (
  require: (name: string) => unknown,
  process: unknown,
  module: unknown,
  exports: unknown,
) => void;

/** Runs in the page, so it may use nothing from here. */
function world(preload: Preload, platform: string): void {
  type Listener = (event: { readonly ports: readonly PagePort[] }, message: unknown) => void;
  const page = globalThis as unknown as PageWindow;
  const listeners = new Map<string, Set<Listener>>();
  const ports = new Map<number, PagePort>();
  const of = (channel: string) => {
    const known = listeners.get(channel) ?? new Set();
    listeners.set(channel, known);
    return known;
  };
  // Taken now: what the page does to its own functions later is not felt here.
  const say = page.holdfastDouble.bind(page);

  function arrived(nr: number): PagePort {
    const { port1, port2 } = new MessageChannel() as unknown as Record<'port1' | 'port2', PagePort>;
    ports.set(nr, port2);
    port2.onmessage = ({ data }) => void say({ kind: 'port', nr, data });
    port2.addEventListener('close', () => void say({ kind: 'port-closed', nr }));
    return port1;
  }

  page.holdfastHear = (told) => {
    for (const one of told) {
      if (one.kind === 'port') ports.get(one.nr)?.postMessage(one.data);
      else if (one.kind === 'port-closed') ports.get(one.nr)?.close();
      else {
        const event = { ports: one.ports.map(arrived) };
        for (const listener of [...of(one.channel)]) listener(event, one.message);
      }
    }
  };
  const ipcRenderer = {
    invoke: (channel: string, input: unknown) => say({ kind: 'invoke', channel, input }),
    send: (channel: string, input: unknown) => void say({ kind: 'send', channel, input }),
    on: (channel: string, listener: Listener) => void of(channel).add(listener),
    removeListener: (channel: string, listener: Listener) => void of(channel).delete(listener),
  };
  const contextBridge = {
    exposeInMainWorld: (name: string, api: object) =>
      Object.defineProperty(page, name, { value: Object.freeze(api) }),
  };
  const require = (name: string) => {
    if (name !== 'electron') throw new Error(`module not found: ${name}`);
    return { contextBridge, ipcRenderer };
  };
  const module = { exports: {} };
  preload(require, { platform }, module, module.exports);
}
