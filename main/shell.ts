/** The parts of the shell, put together: what one part tells, and which others it concerns. */

import { z } from 'zod';
import { messageOf } from '../src/api/errors.ts';
import type { Fix } from '../src/api/model/status.ts';
import {
  ChooseRequest,
  type FromHost,
  type HostState,
  type Place,
  PreferencesChange,
  SaveRequest,
  ShellPreferences,
  type ToHost,
} from '../src/api/shell.ts';
import { connectPort } from '../src/transport/browser.ts';
import type { Client } from '../src/transport/client.ts';
import { CHANNEL } from './channels.ts';
import { choose, save } from './dialogs.ts';
import type { ElectronModules, Log, Timers } from './electron.ts';
import { HostProcess } from './host-process.ts';
import { Ipc } from './ipc.ts';
import { askKeychain, hasKeychain } from './keychain.ts';
import { startAtLogin } from './login.ts';
import { MemoryFile } from './memory-file.ts';
import { appMenu } from './menu.ts';
import { Notes } from './notes.ts';
import { answerOpenUrl } from './open-url.ts';
import { webPort } from './port.ts';
import { Power } from './power.ts';
import type { Texts } from './texts/shape.ts';
import { textsIn } from './texts/texts.ts';
import { endOfPause, HoldfastTray, type TrayActions, type TrayIcon } from './tray.ts';
import { type Updater, Updates } from './updates.ts';
import { fractionOf, Watch } from './watch.ts';
import { MainWindow } from './window.ts';
import { WindowState } from './window-state.ts';

export interface ShellOptions {
  readonly electron: ElectronModules;
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly executable: string;
  readonly timers: Timers;
  readonly log: Log;
  readonly files: {
    /** The host's entry. */
    readonly host: string;
    readonly preload: string;
    readonly icon: string;
    readonly trayIcon: (icon: TrayIcon) => string;
    /** The folder for what the shell remembers. */
    readonly memory: string;
  };
  readonly metered: () => Promise<boolean | null>;
  /** undefined: this copy is not updated. */
  readonly updater: (() => Promise<Updater>) | undefined;
}

export class Shell {
  readonly #o: ShellOptions;
  readonly #host: HostProcess;
  readonly #watch: Watch;
  readonly #window: MainWindow;
  readonly #power: Power;
  readonly #notes: Notes;
  readonly #updates: Updates;
  readonly #preferences: MemoryFile<typeof ShellPreferences>;
  #tray: HoldfastTray | undefined;
  #client: Client | undefined;
  #hostEnded = () => {};
  /** The page has asked for a port and waits for a host. */
  #wantsPort = false;
  #asking = false;
  #ending: Promise<void> | undefined;
  #mayQuit = false;
  #menuLocale = '';

  constructor(o: ShellOptions) {
    this.#o = o;
    const { log, timers } = o;
    const memory = <S extends z.ZodType>(name: string, schema: S) =>
      new MemoryFile(`${o.files.memory}/${name}`, schema, log);
    this.#preferences = memory('preferences.json', ShellPreferences);
    this.#watch = new Watch({ onChange: () => this.#changed(), log });
    this.#host = this.#makeHost();
    this.#window = this.#makeWindow(memory('window.json', WindowState));
    this.#notes = this.#makeNotes();
    this.#power = this.#makePower();
    this.#updates = new Updates({
      load: o.updater ?? (() => Promise.reject(new Error('not updatable'))),
      timers,
      log,
      onState: (state) => this.#window.send(CHANNEL.update, state),
    });
  }

  /** After the app is ready. `hidden`: only the tray. */
  begin(hidden: boolean): void {
    this.#listenToPage();
    this.#listenToApp();
    this.#tray = this.#makeTray();
    this.#changed();
    this.#host.start();
    this.#power.start();
    this.#notes.start();
    if (this.#o.updater)
      void this.#updates.start().catch((e: unknown) => this.#o.log('warning', messageOf(e)));
    // Without a tray a hidden program could not be found.
    if (!hidden || !this.#tray) this.show();
  }

  show(place?: Place): void {
    this.#window.show(place);
  }

  /** Asks first while something is under way. */
  async quit(): Promise<void> {
    if (this.#asking || this.#ending) return;
    this.#asking = true;
    try {
      if (!(await this.#mayEnd())) return this.#window.window?.hide();
    } finally {
      this.#asking = false;
    }
    await this.end();
  }

  /** Without asking: the system shuts down, or the person has answered. */
  end(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async #end(): Promise<void> {
    this.#window.quitting();
    this.#power.stop();
    await this.#host.stop();
    this.#tray?.destroy();
    this.#mayQuit = true;
    this.#o.electron.app.quit();
  }

  async #mayEnd(): Promise<boolean> {
    if (fractionOf(this.#watch.known) === undefined) return true;
    const { dialog } = this.#o.electron;
    const { quitAnyway, quitDetail, quitQuestion, quitStay } = this.#texts;
    const options = {
      type: 'question' as const,
      message: quitQuestion,
      detail: quitDetail,
      buttons: [quitStay, quitAnyway],
      defaultId: 0,
      cancelId: 0,
      noLink: true,
    };
    const { window } = this.#window;
    const { response } = await (window && this.#window.isVisible
      ? dialog.showMessageBox(window, options)
      : dialog.showMessageBox(options));
    return response === 1;
  }

  get #texts(): Texts {
    return textsIn(this.#watch.known.language, this.#o.electron.app.getLocale());
  }

  /** Shows what is known everywhere it shows. */
  #changed(): void {
    const { electron, platform, timers } = this.#o;
    const { known } = this.#watch;
    const texts = this.#texts;
    this.#tray?.show({ known, host: this.#host.state, texts, now: timers.now() });
    this.#window.progress(fractionOf(known));
    if (this.#menuLocale === texts.locale) return;
    this.#menuLocale = texts.locale;
    const menu = appMenu(texts, platform, {
      backUp: () => this.#backUp(undefined),
      open: (place) => this.show(place),
      close: () => this.#window.window?.close(),
      quit: () => void this.quit(),
    });
    electron.Menu.setApplicationMenu(electron.Menu.buildFromTemplate(menu));
  }

  // ---- the host

  #makeHost(): HostProcess {
    const { electron, files, log, platform, timers } = this.#o;
    return new HostProcess({
      fork: () => {
        const child = electron.utilityProcess.fork(files.host, [], {
          serviceName: 'Holdfast host',
          stdio: ['ignore', 'ignore', 'pipe'],
        });
        child.stderr?.on('data', (data: Buffer) =>
          log('error', `host: ${data.toString().slice(0, 4000).trimEnd()}`),
        );
        return child;
      },
      timers,
      version: electron.app.getVersion(),
      log,
      keychain: () => hasKeychain(electron, platform),
      onMessage: (message, answer) => this.#hostSaid(message, answer),
      onState: (state) => this.#hostIs(state),
    });
  }

  #hostSaid(message: FromHost, answer: (message: ToHost) => void): void {
    switch (message.kind) {
      case 'log':
        return this.#o.log(message.level, message.text);
      case 'note':
        return this.#notes.show(message.note);
      case 'seal':
      case 'unseal':
        return answer(askKeychain(this.#o.electron, message));
      default:
    }
  }

  #hostIs(state: HostState): void {
    if (state.state === 'running') this.#hostRuns();
    else this.#hostRests();
    this.#window.send(CHANNEL.host, state);
    this.#changed();
  }

  #hostRuns(): void {
    const { port1, port2 } = new this.#o.electron.MessageChannelMain();
    this.#host.connect(port2);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#hostEnded = resolve;
    this.#client = connectPort(webPort(port1), promise).client;
    this.#watch.follow(this.#client);
    this.#power.again();
    this.#givePort();
  }

  #hostRests(): void {
    if (this.#client) this.#window.send(CHANNEL.portEnded, null);
    this.#client = undefined;
    // Calls under way fail now, and are told.
    this.#hostEnded();
    this.#watch.lost();
  }

  #givePort(): void {
    if (!this.#wantsPort || this.#host.state.state !== 'running') return;
    this.#wantsPort = false;
    const { port1, port2 } = new this.#o.electron.MessageChannelMain();
    if (this.#host.connect(port2)) this.#window.givePort(port1);
    else port1.close();
  }

  // ---- what people ask for outside the window

  /** A failure is told as a note: there may be no window. */
  async #act(work: (client: Client) => Promise<unknown>): Promise<void> {
    const client = this.#client;
    if (!client) return this.show();
    try {
      await work(client);
    } catch (e) {
      this.#notes.show({ title: this.#texts.notStarted, text: messageOf(e), fix: null });
    }
  }

  #backUp(planId: string | undefined): void {
    const plans = this.#watch.known.plans.filter((plan) => plan.enabled);
    const ids = planId === undefined ? plans.map(({ id }) => id) : [planId];
    for (const id of ids) void this.#act((client) => client.plans.run({ id }));
  }

  #mend(fix: Fix): void {
    switch (fix.kind) {
      case 'run-plan':
        return this.#backUp(fix.planId);
      case 'check-destination':
        return void this.#act((client) =>
          client.destinations.check({ id: fix.destinationId, percent: null }),
        );
      case 'resume':
        return void this.#act((client) => client.system.resume());
      default:
        return this.show({ kind: 'fix', fix });
    }
  }

  #makeTray(): HoldfastTray | undefined {
    const { electron, files, log, platform, timers } = this.#o;
    const actions: TrayActions = {
      backUp: (planId) => this.#backUp(planId),
      pause: (how) =>
        void this.#act((client) => client.system.pause({ until: endOfPause(how, timers.now()) })),
      resume: () => void this.#act((client) => client.system.resume()),
      restore: () => this.show({ kind: 'screen', screen: 'restore' }),
      open: () => this.show(),
      quit: () => void this.quit(),
    };
    try {
      return new HoldfastTray({ electron, iconFile: files.trayIcon, platform, actions });
    } catch (e) {
      log('warning', `There is no tray: ${messageOf(e)}`);
      return undefined;
    }
  }

  #makeNotes(): Notes {
    const { electron, files } = this.#o;
    return new Notes({
      electron,
      icon: this.#o.platform === 'darwin' ? undefined : files.icon,
      texts: () => this.#texts,
      platform: this.#o.platform,
      onOpen: (fix) => this.show(fix ? { kind: 'fix', fix } : undefined),
      onFix: (fix) => this.#mend(fix),
    });
  }

  #makePower(): Power {
    const { electron, log, metered, timers } = this.#o;
    const tell = (work: (client: Client) => Promise<unknown>) => {
      if (this.#client) work(this.#client).catch((e: unknown) => log('warning', messageOf(e)));
    };
    return new Power({
      electron,
      timers,
      metered,
      onConditions: (conditions) => tell((client) => client.system.setConditions(conditions)),
      onWake: () => tell((client) => client.system.wake()),
      onShutdown: (event) => this.#systemEnds(event),
    });
  }

  /** The system shuts down or the person signs out: it waits as long as it likes to, while the host stops. */
  #systemEnds(event: { preventDefault(): void }): void {
    if (this.#mayQuit) return;
    event.preventDefault();
    void this.end();
  }

  // ---- the window

  #makeWindow(memory: MemoryFile<typeof WindowState>): MainWindow {
    const { electron, files, log, platform, timers } = this.#o;
    return new MainWindow({
      electron,
      preload: files.preload,
      icon: platform === 'darwin' ? undefined : files.icon,
      memory,
      onClose: () => (platform === 'darwin' || (this.#tray && this.#wishes.closeToTray) ? 'hide' : 'quit'),
      quit: () => void this.quit(),
      developerTools: !electron.app.isPackaged,
      onVisible: (visible) => this.#windowIs(visible),
      onSessionEnd: (event) => this.#systemEnds(event),
      timers,
      log,
    });
  }

  /** On macOS a program without a window is not in the dock. */
  #windowIs(visible: boolean): void {
    const { dock } = this.#o.electron.app;
    if (visible) void dock?.show();
    else if (!this.#ending) dock?.hide();
    if (!this.#window.window) this.#wantsPort = false;
  }

  get #wishes(): ShellPreferences {
    return this.#preferences.read() ?? ShellPreferences.parse({});
  }

  #listenToPage(): void {
    const { electron, log } = this.#o;
    const ipc = new Ipc(electron, log);
    const parent = () => (this.#window.isVisible ? this.#window.window : undefined);
    ipc.on(CHANNEL.connect, () => {
      this.#wantsPort = true;
      this.#givePort();
    });
    ipc.on(CHANNEL.subscribe, (channel) => this.#subscribed(channel));
    ipc.handle(CHANNEL.choose, ChooseRequest, (o) => choose(electron, parent(), this.#texts, o));
    ipc.handle(CHANNEL.save, SaveRequest, (o) => save(electron, parent(), this.#texts, o));
    ipc.handle(CHANNEL.reveal, z.string().min(1).max(4096), (file) => electron.shell.showItemInFolder(file));
    answerOpenUrl(ipc, electron);
    ipc.handle(CHANNEL.preferences, z.undefined(), () => this.#wishes);
    ipc.handle(CHANNEL.setPreferences, PreferencesChange, (change) => this.#setWishes(change));
    ipc.handle(CHANNEL.retryHost, z.undefined(), () => this.#host.start());
    ipc.handle(CHANNEL.installUpdate, z.undefined(), () => this.#installUpdate());
  }

  /** The first message comes at once. */
  #subscribed(channel: unknown): void {
    if (channel === CHANNEL.host) this.#window.send(CHANNEL.host, this.#host.state);
    if (channel === CHANNEL.update) this.#window.send(CHANNEL.update, this.#updates.state);
    if (channel === CHANNEL.navigate) this.#window.listening();
  }

  #setWishes(change: z.output<typeof PreferencesChange>): ShellPreferences {
    const { electron, env, executable, platform } = this.#o;
    const before = this.#wishes;
    const wishes = {
      openAtLogin: change.openAtLogin ?? before.openAtLogin,
      closeToTray: change.closeToTray ?? before.closeToTray,
    };
    if (change.openAtLogin !== undefined) {
      const home = electron.app.getPath('home');
      startAtLogin({ electron, platform, env, home, executable }, wishes.openAtLogin);
    }
    this.#preferences.write(wishes);
    return wishes;
  }

  async #installUpdate(): Promise<void> {
    if (this.#updates.state.state !== 'ready' || !(await this.#mayEnd())) return;
    this.#window.quitting();
    await this.#host.stop();
    this.#mayQuit = true;
    this.#updates.install();
  }

  #listenToApp(): void {
    const { app } = this.#o.electron;
    app.on('second-instance', (_event, argv) => {
      if (!argv.includes('--hidden')) this.show();
    });
    app.on('activate', () => this.show());
    // A listener, so that Electron does not quit by itself.
    app.on('window-all-closed', () => {});
    app.on('before-quit', (event) => {
      if (this.#mayQuit) return;
      event.preventDefault();
      void this.quit();
    });
  }
}
