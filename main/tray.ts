/** The tray: what its icon shows, its one line, and its menu. The picture is computed, then shown. */
import type { MenuItemConstructorOptions } from 'electron';
import type { Status } from '../src/api/model/status.ts';
import type { HostState } from '../src/api/shell.ts';
import type { ElectronModules } from './electron.ts';
import type { Texts } from './texts/shape.ts';
import { fractionOf, type Known } from './watch.ts';

export type TrayIcon = 'idle' | 'working' | 'attention' | 'paused';

export interface TrayView {
  readonly known: Known;
  readonly host: HostState;
  readonly texts: Texts;
  /** Milliseconds since the epoch. */
  readonly now: number;
}

export interface TrayActions {
  /** undefined: all plans. */
  readonly backUp: (planId: string | undefined) => void;
  readonly pause: (how: 'hour' | 'tomorrow' | 'open') => void;
  readonly resume: () => void;
  readonly restore: () => void;
  readonly open: () => void;
  readonly quit: () => void;
}

const HOUR_MS = 3_600_000;

/** What is wrong comes first, then what is done, then what is not done. */
export function trayIcon({ known: { status }, host }: TrayView): TrayIcon {
  if (host.state === 'failed' || host.state === 'restarting') return 'attention';
  if (!status) return 'idle';
  if (status.running.length > 0) return 'working';
  if (status.pause) return 'paused';
  return status.verdict.state === 'protected' ? 'idle' : 'attention';
}

/** The state in one line. */
export function trayLine(view: TrayView): string {
  const { known, host, texts } = view;
  if (host.state === 'failed') return texts.hostFailed;
  if (host.state === 'restarting') return texts.restarting;
  if (!known.status) return texts.starting;
  const fraction = fractionOf(known);
  if (fraction !== undefined) return texts.running(fraction === null ? null : Math.floor(fraction * 100));
  return statusLine(known.status, view);
}

function statusLine({ pause, verdict, lastBackupAt }: Status, view: TrayView): string {
  const { texts } = view;
  if (pause) return pause.until === null ? texts.paused : texts.pausedUntil(timeOf(pause.until, view));
  if (verdict.state === 'attention') return verdict.reasons[0]?.sentence ?? texts.attention;
  if (verdict.state === 'none') return texts.notProtected;
  return lastBackupAt === null ? texts.protected : texts.protectedSince(timeOf(lastBackupAt, view));
}

/** The time alone on the same day: the menu may hang there for hours, so nothing relative. */
function timeOf(at: number, { texts, now }: TrayView): string {
  const sameDay = new Date(at).toDateString() === new Date(now).toDateString();
  const shape = sameDay ? { timeStyle: 'short' } : { dateStyle: 'medium', timeStyle: 'short' };
  return new Intl.DateTimeFormat(texts.locale, shape as Intl.DateTimeFormatOptions).format(at);
}

/** When a pause ends; "tomorrow" is the next midnight by the computer's clock. null: when somebody resumes. */
export function endOfPause(how: 'hour' | 'tomorrow' | 'open', now: number): number | null {
  if (how === 'open') return null;
  if (how === 'hour') return now + HOUR_MS;
  const day = new Date(now);
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + 1).getTime();
}

export function trayMenu(view: TrayView, actions: TrayActions): MenuItemConstructorOptions[] {
  const { texts } = view;
  return [
    { id: 'state', label: trayLine(view), enabled: false },
    { type: 'separator' },
    backUpItem(view, actions),
    pauseItem(view, actions),
    { id: 'restore', label: texts.restoreFiles, click: actions.restore },
    { type: 'separator' },
    { id: 'open', label: texts.open, click: actions.open },
    { id: 'quit', label: texts.quit, click: actions.quit },
  ];
}

function backUpItem({ known, texts }: TrayView, { backUp }: TrayActions): MenuItemConstructorOptions {
  const plans = known.plans.filter((plan) => plan.enabled);
  const enabled = known.status !== undefined && plans.length > 0;
  const item = { id: 'back-up', label: texts.backUpNow, enabled };
  if (plans.length < 2) return { ...item, click: () => backUp(undefined) };
  const submenu: MenuItemConstructorOptions[] = [
    { id: 'back-up-all', label: texts.allPlans, click: () => backUp(undefined) },
    { type: 'separator' },
    ...plans.map(({ id, name }) => ({ id: `back-up-${id}`, label: escaped(name), click: () => backUp(id) })),
  ];
  return { ...item, submenu };
}

/** In menus `&` marks the letter to press. */
const escaped = (label: string) => label.replaceAll('&', '&&');

function pauseItem({ known: { status }, texts }: TrayView, actions: TrayActions): MenuItemConstructorOptions {
  if (status?.pause) return { id: 'resume', label: texts.resume, click: actions.resume };
  return {
    id: 'pause',
    label: texts.pause,
    enabled: status !== undefined,
    submenu: [
      { id: 'pause-hour', label: texts.pauseHour, click: () => actions.pause('hour') },
      { id: 'pause-tomorrow', label: texts.pauseTomorrow, click: () => actions.pause('tomorrow') },
      { id: 'pause-open', label: texts.pauseOpen, click: () => actions.pause('open') },
    ],
  };
}

export interface TrayOptions {
  readonly electron: Pick<ElectronModules, 'Tray' | 'Menu' | 'nativeImage'>;
  /** The file of an icon; beside it lies the one for finer screens (`@2x`). */
  readonly iconFile: (icon: TrayIcon) => string;
  /** On macOS icons are masks, and a click opens the menu. */
  readonly platform: NodeJS.Platform;
  readonly actions: TrayActions;
}

export class HoldfastTray {
  readonly #o: TrayOptions;
  readonly #tray: InstanceType<ElectronModules['Tray']>;
  readonly #images = new Map<TrayIcon, ReturnType<ElectronModules['nativeImage']['createFromPath']>>();
  #shown = '';
  #icon: TrayIcon = 'idle';

  constructor(o: TrayOptions) {
    this.#o = o;
    this.#tray = new o.electron.Tray(this.#image('idle'));
    if (o.platform !== 'darwin') this.#tray.on('click', () => o.actions.open());
  }

  /** Shows only what differs: a menu that is open would close. */
  show(view: TrayView): void {
    const icon = trayIcon(view);
    if (icon !== this.#icon) this.#tray.setImage(this.#image(icon));
    this.#icon = icon;
    const menu = trayMenu(view, this.#o.actions);
    const shown = JSON.stringify(menu);
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.#tray.setToolTip(`Holdfast – ${trayLine(view)}`);
    this.#tray.setContextMenu(this.#o.electron.Menu.buildFromTemplate(menu));
  }

  destroy(): void {
    this.#tray.destroy();
  }

  #image(icon: TrayIcon) {
    const known = this.#images.get(icon);
    if (known) return known;
    const image = this.#o.electron.nativeImage.createFromPath(this.#o.iconFile(icon));
    if (this.#o.platform === 'darwin') image.setTemplateImage(true);
    this.#images.set(icon, image);
    return image;
  }
}
