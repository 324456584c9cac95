/** The system's browser, for pages that people sign in at. The one place that hands something to another program. */
import { z } from 'zod';
import { CHANNEL } from './channels.ts';
import type { ElectronModules } from './electron.ts';
import type { Ipc } from './ipc.ts';

/**
 * An address that the system's browser may be given, as a URL writes it: https alone, since other schemes start other programs,
 * and without a name or password in it. Longer ones than 8192 characters no browser needs.
 */
const OutsideUrl = z
  .string()
  .max(8192)
  .transform((text, context) => {
    const url = /^https:\/\/[^\s\\]+$/.test(text) ? URL.parse(text) : null;
    const fits = url?.protocol === 'https:' && url.username === '' && url.password === '';
    if (fits && url.href.length <= 8192) return url.href;
    context.addIssue({ code: 'custom', message: 'not an address that the browser may open' });
    return z.NEVER;
  });

/** What gets past the schema is opened, and nothing else ever. */
export function answerOpenUrl(ipc: Ipc, { shell }: Pick<ElectronModules, 'shell'>): void {
  ipc.handle(CHANNEL.openUrl, OutsideUrl, (url) => shell.openExternal(url));
}
