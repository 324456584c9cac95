/** The window's files. They are looked up anew each time: an update may replace them while the host runs. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import sirv from 'sirv';
import { send } from './reply.ts';

export type ServeFile = (req: IncomingMessage, res: ServerResponse) => void;

/** Names that hold a hash of the content, as bundlers give them, never change their meaning. */
const HASHED = /[.-][A-Za-z0-9_-]{8,}\.[a-z0-9]+$/;

/** Serves `folder`; an address that is no file's gets index.html. Paths have been checked by `pathOf`. */
export function fileServer(folder: string | undefined): ServeFile {
  if (folder === undefined) return (_, res) => send(res, 404, 'This Holdfast has no window.\n');
  const serve = sirv(folder, {
    dev: true,
    etag: true,
    single: true,
    setHeaders: (res, path) => {
      const forEver = path.startsWith('/assets/') && HASHED.test(path);
      res.setHeader('cache-control', forEver ? 'private, max-age=31536000, immutable' : 'no-cache');
    },
  });
  return (req, res) => {
    delete req.headers.range; // nothing here is large
    // A file that can't be read after all would otherwise end the host.
    res.on('pipe', (file) => file.on('error', () => res.destroy()));
    serve(req, res, () => send(res, 404, 'There is no such file.\n'));
  };
}
