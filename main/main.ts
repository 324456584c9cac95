/**
 * The desktop app's main process.
 *
 * shell  this process: window, tray, notifications, dialogs, keychain. It holds no data and knows no repository
 * host   another process, in which plans run; src/host/utility.ts
 * page   what the window shows; it is trusted with nothing but the contract and `window.holdfast`
 */

import path from 'node:path';
import process from 'node:process';
import * as electron from 'electron';
import { SCHEME } from './address.ts';
import type { Timers } from './electron.ts';
import { fileHandler, registerScheme } from './files.ts';
import { hardenPages, hardenSession } from './hardening.ts';
import { startsHidden } from './login.ts';
import { fileLog, keepCrashes, noteFaults } from './logs.ts';
import { isMetered, runProgram } from './metered.ts';
import { Shell } from './shell.ts';
import type { TrayIcon } from './tray.ts';
import { isUpdatable, type Updater } from './updates.ts';

const { app } = electron;
const { platform, env } = process;

const timers: Timers = {
  now: () => Date.now(),
  after: (ms, work) => {
    const timer = setTimeout(work, ms);
    return () => clearTimeout(timer);
  },
};

/** Beside this file, as scripts/build-main.ts lays it out. What threads and native modules load lies outside the archive. */
const beside = (...names: readonly string[]) => path.join(__dirname, ...names);
const unpacked = (file: string) => file.replace(/app\.asar(?=[/\\])/, 'app.asar.unpacked');

/** Not the data folder: what Chromium keeps is of no use to anybody. */
function memoryFolder(): string {
  const chosen = env.HOLDFAST_DATA_DIR;
  return chosen ? path.resolve(chosen, 'window') : path.join(app.getPath('appData'), 'Holdfast', 'Window');
}

/** Each system has its own size and kind; `@2x` files beside them are found by Electron. */
function trayIcon(icon: TrayIcon): string {
  if (platform === 'darwin') return beside('assets', 'tray', `${icon}Template.png`);
  return beside('assets', 'tray', platform === 'win32' ? `${icon}.ico` : `${icon}.png`);
}

async function loadUpdater(): Promise<Updater> {
  const { autoUpdater } = await import('electron-updater');
  return autoUpdater;
}

async function start(memory: string): Promise<void> {
  const log = fileLog(path.join(memory, 'logs'), timers.now);
  keepCrashes(electron, log);
  noteFaults(process, log);
  registerScheme(electron);
  hardenPages(electron, log);
  await app.whenReady();
  hardenSession(electron.session.defaultSession);
  electron.protocol.handle(SCHEME, fileHandler(beside('window')));
  const shell = new Shell({
    electron,
    platform,
    env,
    executable: process.execPath,
    timers,
    log,
    files: {
      host: unpacked(beside('host.mjs')),
      preload: beside('preload.cjs'),
      icon: beside('assets', 'icon.png'),
      trayIcon,
      memory,
    },
    metered: () => isMetered(platform, runProgram),
    updater: isUpdatable(app.isPackaged, process.resourcesPath) ? loadUpdater : undefined,
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => void shell.end());
  shell.begin(startsHidden(process.argv, electron, platform));
}

const memory = memoryFolder();
app.setPath('userData', memory);
app.setName('Holdfast');
if (platform === 'win32') app.setAppUserModelId('app.holdfast.desktop');

if (app.requestSingleInstanceLock()) void start(memory);
else app.quit();
