/** The application's menu and its shortcuts. On Windows and Linux it shows with Alt. */
import type { MenuItemConstructorOptions } from 'electron';
import { type Place, SCREENS } from '../src/api/shell.ts';
import type { Texts } from './texts/shape.ts';

export interface MenuActions {
  readonly backUp: () => void;
  readonly open: (place: Place) => void;
  readonly close: () => void;
  readonly quit: () => void;
}

export function appMenu(
  texts: Texts,
  platform: NodeJS.Platform,
  actions: MenuActions,
): MenuItemConstructorOptions[] {
  const mac = platform === 'darwin';
  return [
    ...(mac ? [appleMenu(texts, actions)] : []),
    { label: texts.menu.file, submenu: fileMenu(texts, mac, actions) },
    { label: texts.menu.edit, role: 'editMenu' },
    { label: texts.menu.view, submenu: viewMenu(texts, actions) },
    ...(mac ? [{ label: texts.menu.window, role: 'windowMenu' } as const] : []),
  ];
}

function settingsItem(texts: Texts, { open }: MenuActions): MenuItemConstructorOptions {
  const place = { kind: 'screen', screen: 'settings' } as const;
  return {
    id: 'settings',
    label: `${texts.screens.settings}…`,
    accelerator: 'CmdOrCtrl+,',
    click: () => open(place),
  };
}

function quitItem(texts: Texts, { quit }: MenuActions): MenuItemConstructorOptions {
  return { id: 'quit', label: texts.quit, accelerator: 'CmdOrCtrl+Q', click: quit };
}

/** What every program has in the menu of its name. */
function appleMenu(texts: Texts, actions: MenuActions): MenuItemConstructorOptions {
  return {
    label: 'Holdfast',
    submenu: [
      { role: 'about' },
      { type: 'separator' },
      settingsItem(texts, actions),
      { type: 'separator' },
      { role: 'services' },
      { role: 'hide' },
      { role: 'hideOthers' },
      { role: 'unhide' },
      { type: 'separator' },
      quitItem(texts, actions),
    ],
  };
}

function fileMenu(texts: Texts, mac: boolean, actions: MenuActions): MenuItemConstructorOptions[] {
  const restore = { kind: 'screen', screen: 'restore' } as const;
  return [
    { id: 'back-up', label: texts.backUpNow, accelerator: 'CmdOrCtrl+B', click: actions.backUp },
    {
      id: 'restore',
      label: texts.restoreFiles,
      accelerator: 'CmdOrCtrl+Shift+R',
      click: () => actions.open(restore),
    },
    { type: 'separator' },
    ...(mac ? [] : [settingsItem(texts, actions), { type: 'separator' } as const]),
    { id: 'close', label: texts.menu.close, accelerator: 'CmdOrCtrl+W', click: actions.close },
    ...(mac ? [] : [quitItem(texts, actions)]),
  ];
}

/** The screens by number, as tabs have it elsewhere. */
function viewMenu(texts: Texts, { open }: MenuActions): MenuItemConstructorOptions[] {
  const screens = SCREENS.map((screen, i) => ({
    id: `screen-${screen}`,
    label: texts.screens[screen],
    accelerator: `CmdOrCtrl+${i + 1}`,
    click: () => open({ kind: 'screen', screen }),
  }));
  return [
    ...screens,
    { type: 'separator' },
    { role: 'resetZoom' },
    { role: 'zoomIn' },
    { role: 'zoomOut' },
    { type: 'separator' },
    { role: 'togglefullscreen' },
  ];
}
