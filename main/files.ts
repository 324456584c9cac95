/**
 * The window's files under an address of their own, `app://holdfast/`: an origin that only they have, without a web server and
 * without the rights of `file:`.
 */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { isOwn, SCHEME } from './address.ts';
import type { ElectronModules } from './electron.ts';

/** Nothing from elsewhere, no script or style in a page itself, no frames. */
export const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "worker-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HEADERS = {
  'content-security-policy': POLICY,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'cache-control': 'no-store',
} as const;

const TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.webp': 'image/webp',
  '.woff2': 'font/woff2',
  '.wasm': 'application/wasm',
  '.webmanifest': 'application/manifest+json',
};

/** Before the app is ready. */
export function registerScheme({ protocol }: Pick<ElectronModules, 'protocol'>): void {
  const privileges = { standard: true, secure: true, supportFetchAPI: true };
  protocol.registerSchemesAsPrivileged([{ scheme: SCHEME, privileges }]);
}

/** Serves the files below `root`; an address that is no file's gets index.html. */
export function fileHandler(root: string): (request: Request) => Promise<Response> {
  return async (request) => {
    if (!isOwn(request.url)) return refuse(403);
    if (request.method !== 'GET' && request.method !== 'HEAD') return refuse(405);
    const name = nameOf(request.url);
    if (name === undefined) return refuse(400);
    const file = path.extname(name) === '' ? 'index.html' : name;
    const body = await readFile(path.join(root, file)).catch(() => undefined);
    if (!body) return refuse(404);
    const type = TYPES[path.extname(file)] ?? 'application/octet-stream';
    return new Response(body, { headers: { ...HEADERS, 'content-type': type } });
  };
}

/** The path below the root; undefined for one that would lead elsewhere. */
function nameOf(url: string): string | undefined {
  try {
    const name = decodeURIComponent(new URL(url).pathname).slice(1);
    const parts = name.split('/');
    const strange = parts.some((part) => part === '..' || part === '.') || /[\\:\0]/.test(name);
    return strange ? undefined : name;
  } catch {
    return undefined;
  }
}

function refuse(status: number): Response {
  return new Response(null, { status, headers: HEADERS });
}
