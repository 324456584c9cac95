/** Start at login, hidden. Linux has no call for it but a folder of start files (the XDG autostart rules). */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ElectronModules } from './electron.ts';

export const HIDDEN_FLAG = '--hidden';

export interface LoginOptions {
  readonly electron: Pick<ElectronModules, 'app'>;
  readonly platform: NodeJS.Platform;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly home: string;
  /** Of this program. */
  readonly executable: string;
}

/** Errors: those of the file system, on Linux. */
export function startAtLogin(o: LoginOptions, wanted: boolean): void {
  if (o.platform !== 'linux') {
    return o.electron.app.setLoginItemSettings({ openAtLogin: wanted, args: [HIDDEN_FLAG] });
  }
  const file = autostartFile(o);
  if (!wanted) return rmSync(file, { force: true });
  mkdirSync(path.dirname(file), { recursive: true });
  // An AppImage runs from a folder that is gone at the next login.
  writeFileSync(file, desktopEntry(o.env.APPIMAGE ?? o.executable));
}

export function autostartFile({ env, home }: Pick<LoginOptions, 'env' | 'home'>): string {
  const config = env.XDG_CONFIG_HOME;
  const folder = config !== undefined && path.isAbsolute(config) ? config : path.join(home, '.config');
  return path.join(folder, 'autostart', 'holdfast.desktop');
}

function desktopEntry(program: string): string {
  // In quotes these four are escaped; a backslash once more, by the rules for strings of the file; % begins a code.
  const quoted = program
    .replace(/["`$\\]/g, (c) => (c === '\\' ? '\\\\\\\\' : `\\\\${c}`))
    .replaceAll('%', '%%');
  return `[Desktop Entry]
Type=Application
Name=Holdfast
Comment=Runs backups in the background
Exec="${quoted}" ${HIDDEN_FLAG}
Icon=holdfast
Terminal=false
X-GNOME-Autostart-enabled=true
`;
}

/** Whether this start is one of the system's, for which nobody waits. */
export function startsHidden(
  argv: readonly string[],
  { app }: Pick<ElectronModules, 'app'>,
  platform: NodeJS.Platform,
) {
  if (argv.includes(HIDDEN_FLAG)) return true;
  return platform === 'darwin' && app.getLoginItemSettings().wasOpenedAtLogin;
}
