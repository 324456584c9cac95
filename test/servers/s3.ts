/**
 * As much of an S3 service as storages use, in this process, with objects in memory. It checks sums and looks at no signature (the
 * tests against a real server do), and answers as it is told to: each request is first shown to the test's own `answer`.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface S3Seen {
  readonly method: string;
  readonly path: string;
  /** Of the object; '' for the bucket. */
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: http.IncomingHttpHeaders;
}

export type S3Answer =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string }
  /** The connection ends: before the body is heard, with the work done but no answer, or in the midst of the answer. */
  | 'cut at once'
  | 'cut when done'
  | 'cut midway';

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

/** An error in the words of S3. `more`: further elements. */
export function s3Error(status: number, code: string, more = '', headers: Record<string, string> = {}) {
  const body = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>So it is.</Message>${more}</Error>`;
  return { status, body, headers: { 'content-type': 'application/xml', ...headers } } satisfies S3Answer;
}

const xml = (body: string): Reply => ({
  status: 200,
  headers: { 'content-type': 'application/xml' },
  body: Buffer.from(body),
});
const plain = (status: number, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status,
  headers,
  body: Buffer.alloc(0),
});
const failed = (status: number, code: string): Reply => {
  const { body, headers } = s3Error(status, code);
  return { status, headers, body: Buffer.from(body) };
};

export class S3Server implements AsyncDisposable {
  readonly objects = new Map<string, Buffer>();
  readonly seen: S3Seen[] = [];
  /** undefined: as a service that works. */
  answer: (seen: S3Seen) => S3Answer | undefined = () => undefined;
  /** Objects on a page of a list. */
  pageSize = 1000;
  /** Whether a write with If-None-Match is carried out only if it may be. */
  conditions = true;
  readonly #server: http.Server;
  readonly #sockets = new Set<Socket>();
  readonly #parts = new Map<string, Buffer>();

  private constructor() {
    this.#server = http.createServer((request, response) => {
      this.#serve(request, response).catch(() => request.socket.destroy());
    });
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
  }

  static async start(): Promise<S3Server> {
    const made = new S3Server();
    made.#server.listen(0, '127.0.0.1');
    await once(made.#server, 'listening');
    return made;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What was asked, in short: "PUT config". */
  get calls(): readonly string[] {
    return this.seen.map(({ method, key, query }) => {
      const [name] = [...query.keys()].filter((n) => n !== 'x-id').sort();
      return `${method} ${key}${name === undefined ? '' : `?${name}`}`;
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '', this.endpoint);
    const [, , ...rest] = url.pathname.split('/');
    const { method = '', headers } = request;
    const { pathname: path, searchParams: query } = url;
    const seen: S3Seen = { method, path, key: decodeURIComponent(rest.join('/')), query, headers };
    this.seen.push(seen);
    const told = this.answer(seen);
    if (told === 'cut at once') return void request.socket.destroy();
    const heard: Buffer[] = [];
    for await (const bytes of request as AsyncIterable<Buffer>) heard.push(bytes);
    const body = Buffer.concat(heard);
    const reply = typeof told === 'object' ? replyOf(told) : this.#carryOut(seen, body);
    if (told === 'cut when done') return void request.socket.destroy();
    send(response, method, reply, told === 'cut midway');
  }

  #carryOut(seen: S3Seen, body: Buffer): Reply {
    const { method, key, query } = seen;
    if (key === '') return this.#ofBucket(seen);
    if (method === 'PUT') return this.#put(seen, body);
    if (method === 'POST') return this.#upload(seen);
    const kept = this.objects.get(key);
    if (method === 'DELETE') {
      if (!query.has('uploadId')) this.objects.delete(key);
      return plain(204);
    }
    if (kept === undefined) return failed(404, 'NoSuchKey');
    return method === 'HEAD' ? head(kept) : part(kept, seen.headers.range);
  }

  #ofBucket({ method, query }: S3Seen): Reply {
    if (method !== 'GET') return plain(200);
    if (query.has('versioning')) return xml('<VersioningConfiguration/>');
    if (query.has('object-lock')) return failed(404, 'ObjectLockConfigurationNotFoundError');
    return xml(this.#list(query));
  }

  #put({ key, query, headers }: S3Seen, body: Buffer): Reply {
    const sum = createHash('sha256').update(body);
    const [hex, base64] = [sum.copy().digest('hex'), sum.digest('base64')];
    if (headers['x-amz-content-sha256'] !== hex) return failed(400, 'XAmzContentSHA256Mismatch');
    if (headers['x-amz-checksum-sha256'] !== base64) return failed(400, 'BadDigest');
    if (query.has('partNumber')) {
      this.#parts.set(`${key} ${query.get('partNumber')}`, body);
      return plain(200, { etag: `"${hex}"`, 'x-amz-checksum-sha256': base64 });
    }
    const refused = this.conditions && headers['if-none-match'] === '*' && this.objects.has(key);
    if (refused) return failed(412, 'PreconditionFailed');
    this.objects.set(key, body);
    return plain(200, { etag: `"${hex}"`, 'x-amz-checksum-sha256': base64 });
  }

  #upload({ key, query }: S3Seen): Reply {
    if (query.has('uploads')) {
      return xml(
        `<InitiateMultipartUploadResult><Key>${key}</Key><UploadId>one</UploadId></InitiateMultipartUploadResult>`,
      );
    }
    const parts: Buffer[] = [];
    for (let n = 1; this.#parts.has(`${key} ${n}`); n++) parts.push(this.#parts.get(`${key} ${n}`)!);
    this.objects.set(key, Buffer.concat(parts));
    return xml('<CompleteMultipartUploadResult><ETag>"x"</ETag></CompleteMultipartUploadResult>');
  }

  #list(query: URLSearchParams): string {
    const prefix = query.get('prefix') ?? '';
    const after = query.get('continuation-token') ?? query.get('marker') ?? '';
    const left = [...this.objects.keys()].filter((key) => key.startsWith(prefix) && key > after).sort();
    const page = left.slice(0, this.pageSize);
    const cut = page.length < left.length;
    const objects = page.map((key) => {
      const size = this.objects.get(key)?.length;
      return `<Contents><Key>${key}</Key><Size>${size}</Size><LastModified>2026-01-02T03:04:05.000Z</LastModified></Contents>`;
    });
    const next = cut ? `<NextContinuationToken>${page.at(-1)}</NextContinuationToken>` : '';
    return `<ListBucketResult><IsTruncated>${cut}</IsTruncated>${next}${objects.join('')}</ListBucketResult>`;
  }
}

function replyOf(told: Exclude<S3Answer, string>): Reply {
  return { status: told.status, headers: told.headers ?? {}, body: Buffer.from(told.body ?? '') };
}

function head(kept: Buffer): Reply {
  const sum = createHash('sha256').update(kept).digest('base64');
  const headers = { 'content-length': String(kept.length), 'x-amz-checksum-sha256': sum };
  return plain(200, { ...headers, 'x-amz-checksum-type': 'FULL_OBJECT' });
}

function part(kept: Buffer, range: string | undefined): Reply {
  const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? '') ?? [];
  if (first === undefined) return { status: 200, headers: {}, body: kept };
  const from = Number(first);
  if (from >= kept.length) {
    return { ...failed(416, 'InvalidRange'), headers: { 'content-range': `bytes */${kept.length}` } };
  }
  const body = kept.subarray(from, last ? Number(last) + 1 : kept.length);
  const told = `bytes ${from}-${from + body.length - 1}/${kept.length}`;
  return { status: 206, headers: { 'content-range': told }, body };
}

function send(
  response: ServerResponse,
  method: string,
  { status, headers, body }: Reply,
  cut: boolean,
): void {
  const length = method === 'HEAD' || status === 204 ? {} : { 'content-length': String(body.length) };
  response.writeHead(status, { ...length, ...headers });
  if (!cut) return void response.end(method === 'HEAD' ? undefined : body);
  response.write(body.subarray(0, body.length / 2), () => response.socket?.destroy());
}
