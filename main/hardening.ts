/** What no page may do, whatever it is: leave, open windows, reach the network, use devices. */
import type { Session, WebContents } from 'electron';
import { isOwn, isOwnFrame, ORIGIN } from './address.ts';
import type { ElectronModules, Log } from './electron.ts';

/** The only thing that a page may ask for: to put text into the clipboard (the recovery key, a path). */
const GRANTED = 'clipboard-sanitized-write';

/** For every page that ever comes to be. */
export function hardenPages({ app }: Pick<ElectronModules, 'app'>, log: Log): void {
  app.on('web-contents-created', (_event, contents) => hardenPage(contents, log));
}

function hardenPage(contents: WebContents, log: Log): void {
  contents.setWindowOpenHandler(({ url }) => {
    log('warning', `A window for ${originOf(url)} was refused.`);
    return { action: 'deny' };
  });
  const stay = (details: { readonly url: string; preventDefault(): void }) => {
    if (isOwn(details.url)) return;
    details.preventDefault();
    log('warning', `A way to ${originOf(details.url)} was refused.`);
  };
  contents.on('will-navigate', stay);
  contents.on('will-frame-navigate', stay);
  contents.on('will-redirect', stay);
  contents.on('will-attach-webview', (event) => event.preventDefault());
}

/** An address may hold anything after its origin. */
function originOf(url: string): string {
  return URL.canParse(url) ? new URL(url).protocol : 'an address';
}

export function hardenSession(session: Session): void {
  const granted = (permission: string, frame: Parameters<typeof isOwnFrame>[0]) =>
    permission === GRANTED && isOwnFrame(frame);
  session.setPermissionRequestHandler((contents, permission, answer) =>
    answer(granted(permission, contents.mainFrame)),
  );
  session.setPermissionCheckHandler(
    (contents, permission, origin) =>
      origin.replace(/\/$/, '') === ORIGIN && granted(permission, contents?.mainFrame ?? null),
  );
  session.setDevicePermissionHandler(() => false);
  // Beyond the content policy: also what no policy covers.
  session.webRequest.onBeforeRequest(({ url }, answer) => answer({ cancel: !isLocal(url) }));
  session.on('will-download', (event, item) => {
    if (!item.getURL().startsWith(`blob:${ORIGIN}/`)) event.preventDefault();
  });
}

/** The developer tools are pages of their own. */
function isLocal(url: string): boolean {
  return isOwn(url) || /^(devtools:|data:|blob:)/.test(url);
}
