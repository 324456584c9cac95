/**
 * What the shell (Electron's main process) says to its neighbours, beside the contract: the process of the host, with which it
 * trades messages, and the window, to which it gives `window.holdfast`.
 *
 * shell   the main process: window, tray, notifications, dialogs, keychain
 * place   what the window should show
 * bridge  what the window may ask of the shell; absent in a browser
 */
import { z } from 'zod';
import { WireErrorSchema } from './model/common.ts';
import { Fix } from './model/status.ts';

/** From the shell to the host's process. `connect` comes with a message port, on which the contract is served. */
export const ToHost = z.discriminatedUnion('kind', [
  /** The first one. `keychain`: whether the system has one that seals. */
  z.object({ kind: z.literal('start'), version: z.string(), keychain: z.boolean() }),
  z.object({ kind: z.literal('connect') }),
  /** The answer to `seal` or `unseal`. */
  z.object({ kind: z.literal('sealed'), nr: z.int(), text: z.string() }),
  z.object({ kind: z.literal('refused'), nr: z.int(), message: z.string() }),
  /** End what is under way as soon as it safely can, then exit. */
  z.object({ kind: z.literal('stop') }),
]);
export type ToHost = z.infer<typeof ToHost>;

export const Note = z.object({ title: z.string(), text: z.string(), fix: Fix.nullable() });
export type Note = z.infer<typeof Note>;

/** From the host's process to the shell. */
export const FromHost = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('ready') }),
  /** It could not be opened; the shell ends the process. */
  z.object({ kind: z.literal('failed'), error: WireErrorSchema }),
  z.object({ kind: z.literal('log'), level: z.enum(['info', 'warning', 'error']), text: z.string() }),
  z.object({ kind: z.literal('note'), note: Note }),
  z.object({ kind: z.literal('seal'), nr: z.int(), text: z.string() }),
  z.object({ kind: z.literal('unseal'), nr: z.int(), text: z.string() }),
]);
export type FromHost = z.infer<typeof FromHost>;

/** How it stands with the host's process. */
export const HostState = z.discriminatedUnion('state', [
  z.object({ state: z.literal('starting') }),
  z.object({ state: z.literal('running') }),
  /** It ended by itself and is being started again. */
  z.object({ state: z.literal('restarting') }),
  /** It cannot start; it is tried again every now and then. */
  z.object({ state: z.literal('failed'), error: WireErrorSchema }),
  z.object({ state: z.literal('stopped') }),
]);
export type HostState = z.infer<typeof HostState>;

export const SCREENS = [
  'home',
  'plans',
  'destinations',
  'restore',
  'activity',
  'disks',
  'recovery',
  'settings',
] as const;

/** What the window should show: a screen, or what mends something. */
export const Place = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('screen'), screen: z.enum(SCREENS) }),
  z.object({ kind: z.literal('fix'), fix: Fix }),
]);
export type Place = z.infer<typeof Place>;

export const UpdateState = z.discriminatedUnion('state', [
  /** Not packaged, or without a place to look. */
  z.object({ state: z.literal('none') }),
  z.object({ state: z.literal('current') }),
  z.object({ state: z.literal('loading'), version: z.string() }),
  /** It is put in place when Holdfast quits. */
  z.object({ state: z.literal('ready'), version: z.string() }),
  z.object({ state: z.literal('failed'), message: z.string() }),
]);
export type UpdateState = z.infer<typeof UpdateState>;

/** What the shell itself remembers. */
export const ShellPreferences = z.object({
  openAtLogin: z.boolean().default(false),
  closeToTray: z.boolean().default(true),
});
export type ShellPreferences = z.output<typeof ShellPreferences>;

/** Of `ShellPreferences`; not its `partial()`, which would fill in the defaults. */
export const PreferencesChange = z.object({
  openAtLogin: z.boolean().optional(),
  closeToTray: z.boolean().optional(),
});
export type PreferencesChange = z.input<typeof PreferencesChange>;

export const ChooseRequest = z.object({
  what: z.enum(['folder', 'file']),
  title: z.string().max(200).optional(),
  /** Where to begin. Absolute. */
  startAt: z.string().max(4096).optional(),
  several: z.boolean().default(false),
});
export type ChooseRequest = z.input<typeof ChooseRequest>;

export const SaveRequest = z.object({
  title: z.string().max(200).optional(),
  /** Without a folder. */
  name: z.string().min(1).max(255),
  /** Written there if given; else only the place is chosen. */
  text: z.string().max(16_000_000).optional(),
});
export type SaveRequest = z.input<typeof SaveRequest>;

/** What the page's window hears as a `message` event, from itself: `port` comes with a message port. */
export interface PortMessage {
  readonly holdfast: 'port' | 'port-ended';
}

/** Ends listening. */
export type Unlisten = () => void;

/** `window.holdfast`. Calls reject with an Error whose message is a sentence. */
export interface ShellBridge {
  /** As Node names it: 'linux', 'darwin', 'win32'. */
  readonly platform: string;
  /**
   * Asks for a port to the host. It comes as a PortMessage `port` as soon as a host runs; when that host ends, `port-ended`
   * follows, and another one has to be asked for.
   */
  requestPort(): void;
  /** The system's dialog for one folder; null: the person chose none. */
  pickFolder(): Promise<string | null>;
  /** Calls `listener` at once with how it stands, and then whenever that changes. */
  onHost(listener: (state: HostState) => void): Unlisten;
  onNavigate(listener: (place: Place) => void): Unlisten;
  onUpdate(listener: (state: UpdateState) => void): Unlisten;
  /** Absolute paths; none: the person changed their mind. */
  choose(request: ChooseRequest): Promise<readonly string[]>;
  /** The absolute path; null: the person changed their mind. */
  save(request: SaveRequest): Promise<string | null>;
  /** Shows it in the system's file manager; nothing is opened or run. */
  reveal(path: string): Promise<void>;
  /** Opens it in the system's browser. https alone, without a name or password in it. */
  openUrl(url: string): Promise<void>;
  preferences(): Promise<ShellPreferences>;
  setPreferences(change: PreferencesChange): Promise<ShellPreferences>;
  /** Tries to start a host that failed, now. */
  retryHost(): Promise<void>;
  /** Quits and puts the update in place. */
  installUpdate(): Promise<void>;
}
