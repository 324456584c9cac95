/** The window's address, and what counts as its own. */
import type { WebFrameMain } from 'electron';

export const SCHEME = 'app';
export const ORIGIN = `${SCHEME}://holdfast`;
export const START = `${ORIGIN}/`;

/** Whether an address is one of the window's own files. */
export function isOwn(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, host, username, password } = new URL(url);
  return protocol === `${SCHEME}:` && host === 'holdfast' && username === '' && password === '';
}

/** Whether a frame is the window itself: no frame inside it, nothing from elsewhere. */
export function isOwnFrame(frame: Pick<WebFrameMain, 'url' | 'parent'> | null): boolean {
  return frame !== null && frame.parent === null && isOwn(frame.url);
}
