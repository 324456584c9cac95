/** The system's own dialogs for folders and files. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { BaseWindow, OpenDialogOptions } from 'electron';
import type { z } from 'zod';
import type { ChooseRequest, SaveRequest } from '../src/api/shell.ts';
import type { ElectronModules } from './electron.ts';
import type { Texts } from './texts/shape.ts';

type Modules = Pick<ElectronModules, 'dialog'>;

/** Absolute paths; none: the person changed their mind. */
export async function choose(
  { dialog }: Modules,
  window: BaseWindow | undefined,
  texts: Texts,
  request: z.output<typeof ChooseRequest>,
): Promise<readonly string[]> {
  const folder = request.what === 'folder';
  const options: OpenDialogOptions = {
    title: request.title ?? (folder ? texts.chooseFolder : texts.chooseFile),
    ...(request.startAt === undefined ? {} : { defaultPath: request.startAt }),
    properties: [
      folder ? 'openDirectory' : 'openFile',
      'showHiddenFiles',
      'createDirectory',
      ...(request.several ? (['multiSelections'] as const) : []),
    ],
  };
  const { canceled, filePaths } = await (window
    ? dialog.showOpenDialog(window, options)
    : dialog.showOpenDialog(options));
  return canceled ? [] : filePaths;
}

/** Where it was saved, or is to be; null: the person changed their mind. */
export async function save(
  { dialog }: Modules,
  window: BaseWindow | undefined,
  texts: Texts,
  request: z.output<typeof SaveRequest>,
): Promise<string | null> {
  // A name alone: the page does not choose the folder.
  const options = { title: request.title ?? texts.save, defaultPath: path.basename(request.name) };
  const { canceled, filePath } = await (window
    ? dialog.showSaveDialog(window, options)
    : dialog.showSaveDialog(options));
  if (canceled || filePath === '') return null;
  // A recovery kit holds the key to everything.
  if (request.text !== undefined) await writeFile(filePath, request.text, { mode: 0o600 });
  return filePath;
}
