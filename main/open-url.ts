/** The system's browser, for pages that people sign in at. The one place that hands something to another program. */
import { OutsideUrl } from '../src/api/shell.ts';
import { CHANNEL } from './channels.ts';
import type { ElectronModules } from './electron.ts';
import type { Ipc } from './ipc.ts';

/** What gets past the schema is opened, and nothing else ever. */
export function answerOpenUrl(ipc: Ipc, { shell }: Pick<ElectronModules, 'shell'>): void {
  ipc.handle(CHANNEL.openUrl, OutsideUrl, (url) => shell.openExternal(url));
}
