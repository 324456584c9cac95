/**
 * The contract over a Unix socket, or a named pipe on Windows, for the command line beside a running host. Who may open
 * the file may call: it is for its owner alone.
 */
import fs from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import type { AnyRouter } from '@orpc/server';
import { WebSocketServer } from 'ws';
import { EngineError, messageOf } from '../api/errors.ts';
import type { OnFault } from '../transport/errors.ts';
import { pipeServer } from '../transport/pipe-server.ts';
import { LARGEST_ANSWER, WEB_SOCKET_PATH, webSocketPipe } from '../transport/web-socket.ts';

export interface LocalSocketOptions {
  readonly router: AnyRouter;
  /** The socket's path; its folder is made if need be. On Windows `\\.\pipe\…`. */
  readonly path: string;
  readonly onFault: OnFault;
}

export interface LocalSocket {
  readonly path: string;
  /** Ends all connections; the file is gone afterwards. */
  close(): Promise<void>;
}

const isPipe = (path: string) => path.startsWith('\\\\');

/**
 * Starts to listen. Errors: 'conflict' when another host answers there, 'permission' when others may write to the folder,
 * 'usage' for a path that can be no socket.
 */
export async function startLocalSocket(options: LocalSocketOptions): Promise<LocalSocket> {
  const { path } = options;
  if (!isPipe(path)) await prepareFolder(dirname(path));
  const server = createServer((_, res) => void res.writeHead(404).end());
  const sockets = new WebSocketServer({
    server,
    path: WEB_SOCKET_PATH,
    maxPayload: LARGEST_ANSWER,
    perMessageDeflate: false,
  });
  sockets.on('error', () => {}); // told by the server beneath
  const serve = pipeServer(options.router, options);
  sockets.on('connection', (socket) => serve(webSocketPipe(socket)));
  await listenFresh(server, path);
  const close = async () => {
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets.clients) socket.terminate();
    server.closeAllConnections();
    await closed;
  };
  return { path, close };
}

/** A folder of our own, or one that is there, where nobody else can put a socket in the place of ours. */
async function prepareFolder(folder: string): Promise<void> {
  await fs.mkdir(folder, { recursive: true, mode: 0o700 });
  const { uid, mode } = await fs.stat(folder);
  const foreign = uid !== process.getuid?.() && uid !== 0;
  if (process.platform !== 'win32' && (foreign || (mode & 0o022) !== 0)) {
    throw new EngineError('permission', `Others may write to ${folder}, so it is no place for the socket.`, {
      hint: 'Take the folder away from others, or choose another data folder.',
      context: { path: folder },
    });
  }
}

/** Listens; a socket that a killed process left, so that nobody answers, is taken away first. */
async function listenFresh(server: Server, path: string): Promise<void> {
  const first = await tryListen(server, path);
  if (first === undefined) return;
  if (first.code !== 'EADDRINUSE') throw listenError(first, path);
  if (isPipe(path) || (await answers(path)) || !(await fs.lstat(path)).isSocket()) throw taken(path);
  await fs.rm(path, { force: true });
  const second = await tryListen(server, path);
  if (second) throw second.code === 'EADDRINUSE' ? taken(path) : listenError(second, path);
}

/** Under a mask that lets nobody else in even before the mode is set. */
async function tryListen(server: Server, path: string): Promise<NodeJS.ErrnoException | undefined> {
  const mask = process.umask(0o177);
  try {
    const problem = await new Promise<NodeJS.ErrnoException | undefined>((resolve) => {
      server.once('error', resolve);
      server.listen(path, () => {
        server.off('error', resolve);
        resolve(undefined);
      });
      process.umask(mask); // the file is there by now
    });
    if (!problem && !isPipe(path)) await fs.chmod(path, 0o600);
    return problem;
  } finally {
    process.umask(mask);
  }
}

/** Whether somebody listens: only a refusal proves that nobody does. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (e: NodeJS.ErrnoException) => resolve(e.code !== 'ECONNREFUSED'));
  });
}

const taken = (path: string) =>
  new EngineError('conflict', 'Holdfast is running already.', { context: { path } });

function listenError(e: NodeJS.ErrnoException, path: string): EngineError {
  const code = e.code === 'EACCES' || e.code === 'EPERM' ? 'permission' : 'usage';
  return new EngineError(
    code,
    `There can be no socket at ${path}: ${messageOf(e)}.`,
    { hint: 'The path may be too long; choose a data folder with a shorter one.', context: { path } },
    { cause: e },
  );
}
