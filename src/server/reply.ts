/** Answers. Every one carries the headers of guards.ts. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { type Duplex, finished } from 'node:stream';
import { HEADERS, type Refusal } from './guards.ts';
import { PAGE_HEADERS, problemPage } from './pages.ts';

type Headers = Readonly<Record<string, string>>;

export function setHeaders(res: ServerResponse, headers: Headers): void {
  for (const [name, value] of Object.entries(headers)) res.setHeader(name, value);
}

export function send(res: ServerResponse, status: number, body: string, headers: Headers = {}): void {
  setHeaders(res, { 'content-type': 'text/plain; charset=utf-8', ...headers });
  res.writeHead(status, { 'content-length': Buffer.byteLength(body) }).end(body);
}

export function sendPage(res: ServerResponse, status: number, html: string, headers: Headers = {}): void {
  send(res, status, html, { ...PAGE_HEADERS, ...headers });
}

/** 303: go there with GET. */
export function redirect(res: ServerResponse, to: string, headers: Headers = {}): void {
  send(res, 303, '', { ...headers, location: to });
}

/** Says no: to a person with a page, to a program with JSON. */
export function refuse(req: IncomingMessage, res: ServerResponse, refusal: Refusal): void {
  if (res.headersSent) return void res.destroy();
  if (wantsPage(req)) return sendPage(res, refusal.status, problemPage(refusal.message), refusal.headers);
  const body = JSON.stringify({ message: refusal.message });
  send(res, refusal.status, body, { 'content-type': 'application/json', ...refusal.headers });
}

export function wantsPage(req: IncomingMessage): boolean {
  return (req.headers.accept ?? '').includes('text/html');
}

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  421: 'Misdirected Request',
  503: 'Service Unavailable',
};

/** Says no to a request for a WebSocket, which has no response object, and hangs up. */
export function refuseUpgrade(socket: Duplex, status: number): void {
  finished(socket, () => socket.destroy());
  const headers = { ...HEADERS, connection: 'close', 'content-length': '0' };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${REASONS[status] ?? 'Refused'}\r\n${lines.join('')}\r\n`);
}
