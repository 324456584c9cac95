/** The one window: made when it is first wanted, hidden rather than closed while there is a tray. */
import type { BrowserWindow, MessagePortMain, WebContents } from 'electron';
import type { Place } from '../src/api/shell.ts';
import { START } from './address.ts';
import { CHANNEL } from './channels.ts';
import type { ElectronModules, Log, Timers } from './electron.ts';
import type { MemoryFile } from './memory-file.ts';
import { LEAST, placed, type WindowState } from './window-state.ts';

export interface MainWindowOptions {
  readonly electron: Pick<ElectronModules, 'BrowserWindow' | 'screen' | 'nativeTheme'>;
  readonly preload: string;
  /** Of the window; undefined on macOS, where the bundle has it. */
  readonly icon: string | undefined;
  readonly memory: MemoryFile<typeof WindowState>;
  /** What closing does. Asked each time. */
  readonly onClose: () => 'hide' | 'quit';
  readonly quit: () => void;
  readonly developerTools: boolean;
  /** Shown or hidden; also before it is gone. */
  readonly onVisible: (visible: boolean) => void;
  /** Windows is about to end the person's session; it tells windows alone. */
  readonly onSessionEnd: (event: { preventDefault(): void }) => void;
  readonly timers: Timers;
  readonly log: Log;
}

const PAPER = { light: '#f7f8fa', dark: '#14181d' } as const;

/** A page that dies so often within a minute is not loaded again by itself. */
const MOST_RELOADS = 3;
const MINUTE_MS = 60_000;

export class MainWindow {
  readonly #o: MainWindowOptions;
  #window: BrowserWindow | undefined;
  #quitting = false;
  #deaths: number[] = [];
  /** What the page is to show as soon as it listens. */
  #wanted: Place | undefined;

  constructor(o: MainWindowOptions) {
    this.#o = o;
  }

  get window(): BrowserWindow | undefined {
    return this.#window;
  }

  get isVisible(): boolean {
    return this.#window?.isVisible() ?? false;
  }

  /** Brings it to the front, at `place` if given. */
  show(place?: Place): void {
    if (place) this.#wanted = place;
    const window = this.#window ?? this.#make();
    if (window.isMinimized()) window.restore();
    window.show();
    window.focus();
    if (place && !window.webContents.isLoading()) this.listening();
  }

  /** The page listens now. */
  listening(): void {
    if (this.#wanted) this.send(CHANNEL.navigate, this.#wanted);
    this.#wanted = undefined;
  }

  send(channel: string, message: unknown): void {
    this.#window?.webContents.send(channel, message);
  }

  /** Hands a port to the page. */
  givePort(port: MessagePortMain): void {
    if (this.#window) this.#window.webContents.postMessage(CHANNEL.port, null, [port]);
    else port.close();
  }

  /** @param fraction 0 to 1; null: it is not known how far; undefined: nothing is done. */
  progress(fraction: number | null | undefined): void {
    if (fraction === undefined) this.#window?.setProgressBar(-1);
    else if (fraction === null) this.#window?.setProgressBar(2, { mode: 'indeterminate' });
    else this.#window?.setProgressBar(fraction, { mode: 'normal' });
  }

  /** From now on closing closes. */
  quitting(): void {
    this.#quitting = true;
    this.#remember();
  }

  #make(): BrowserWindow {
    const { electron, icon, preload, developerTools, memory } = this.#o;
    const { workAreas, dark } = surroundings(electron);
    const { maximized, ...bounds } = placed(memory.read(), workAreas);
    const window = new electron.BrowserWindow({
      ...bounds,
      minWidth: LEAST.width,
      minHeight: LEAST.height,
      show: false,
      title: 'Holdfast',
      autoHideMenuBar: true,
      backgroundColor: dark ? PAPER.dark : PAPER.light,
      ...(icon === undefined ? {} : { icon }),
      webPreferences: {
        preload,
        sandbox: true,
        contextIsolation: true,
        nodeIntegration: false,
        webSecurity: true,
        webviewTag: false,
        navigateOnDragDrop: false,
        spellcheck: false,
        devTools: developerTools,
      },
    });
    this.#window = window;
    if (maximized) window.maximize();
    this.#listen(window);
    void window
      .loadURL(START)
      .catch((e: unknown) => this.#o.log('error', `The window can't load: ${String(e)}`));
    return window;
  }

  #listen(window: BrowserWindow): void {
    const { onVisible, onSessionEnd, onClose, quit } = this.#o;
    window.on('close', (event) => {
      this.#remember();
      if (this.#quitting) return;
      event.preventDefault();
      if (onClose() === 'hide') window.hide();
      else quit();
    });
    window.on('closed', () => {
      this.#window = undefined;
      onVisible(false);
    });
    window.on('show', () => onVisible(true));
    window.on('hide', () => onVisible(false));
    window.on('query-session-end', onSessionEnd);
    window.on('session-end', onSessionEnd);
    window.webContents.on('render-process-gone', (_event, { reason }) =>
      this.#died(window.webContents, reason),
    );
  }

  #died(contents: WebContents, reason: string): void {
    if (reason === 'clean-exit' || this.#quitting) return;
    this.#o.log('error', `The window's page ended: ${reason}`);
    const now = this.#o.timers.now();
    this.#deaths = [...this.#deaths.filter((at) => now - at < MINUTE_MS), now];
    if (this.#deaths.length <= MOST_RELOADS) contents.reload();
  }

  #remember(): void {
    const window = this.#window;
    if (!window) return;
    this.#o.memory.write({ ...window.getNormalBounds(), maximized: window.isMaximized() });
  }
}

function surroundings({ screen, nativeTheme }: Pick<ElectronModules, 'screen' | 'nativeTheme'>) {
  const main = screen.getPrimaryDisplay();
  const others = screen.getAllDisplays().filter(({ id }) => id !== main.id);
  return {
    workAreas: [main, ...others].map(({ workArea }) => workArea),
    dark: nativeTheme.shouldUseDarkColors,
  };
}
