/**
 * Amazon's SDK over our own HTTP client: the SDK knows the calls, the signatures and the answers; how bytes travel is ours, or there
 * would be no pacing, no certain end of an aborted save, and two more copies of each pack.
 *
 * passage   what goes past the SDK with a call: the body down, the answer up. The SDK sees an empty body and the sum of the real one
 * way       a client for one region. Services tell the right region where ours is wrong; a new way replaces the old
 */
import { Readable } from 'node:stream';
import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3';
import { EngineError } from '../../api/errors.ts';
import type { Pace } from '../backend.ts';
import { throwIfAborted } from '../calls.ts';
import { createHttpClient, type HttpAnswer, type HttpClient } from '../http/client.ts';
import type { StorageSetting } from '../registry.ts';
import { type Asked, codeOf, failureOf } from './errors.ts';
import { identityOf, type S3Identity } from './login.ts';
import { amazonEndpoint, isPathStyle, regionOf, type S3Options, type S3Target } from './target.ts';

export interface Passage {
  readonly body?: readonly Uint8Array[];
  readonly signal?: AbortSignal | undefined;
  readonly pace?: Pace | undefined;
  /** A file is read: its bytes go past the SDK, which would copy them. */
  readonly file?: boolean;
  /** The last one; set while the call is carried out. */
  answer?: HttpAnswer;
}

/** To be handed to the SDK's `send`. */
export interface SendOptions {
  readonly requestTimeout?: number;
  readonly passage: Passage;
}

interface Way {
  readonly client: S3Client;
  readonly region: string;
}

/** What the SDK hands to those who send for it. */
interface SdkRequest {
  readonly method: string;
  readonly protocol: string;
  readonly hostname: string;
  readonly port?: number;
  readonly path: string;
  readonly query?: Readonly<Record<string, string | readonly string[] | null>>;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

const FIRST_REGION = 'us-east-1';
/** A wrong region and a wrong clock may come together. */
const MOST_TRIES = 3;

export class Wire {
  readonly #http: HttpClient;
  readonly #wayTo: (region: string) => Way;
  #way: Way;

  constructor(http: HttpClient, wayTo: (region: string) => Way, region: string) {
    this.#http = http;
    this.#wayTo = wayTo;
    this.#way = wayTo(region);
  }

  get region(): string {
    return this.#way.region;
  }

  /** Carries out one call of the SDK. Errors: those of `failureOf` and of the HTTP client. */
  async ask<T>(
    asked: Asked,
    passage: Passage,
    send: (client: S3Client, o: SendOptions) => Promise<T>,
  ): Promise<T> {
    for (let tried = 1; ; tried++) {
      throwIfAborted(passage.signal);
      const way = this.#way;
      try {
        return await send(way.client, { passage });
      } catch (e) {
        if (tried < MOST_TRIES && this.#learnt(e, passage.answer, way, tried)) continue;
        throw failureOf(e, passage.answer, asked);
      }
    }
  }

  close(): void {
    this.#way.client.destroy();
    this.#http.close();
  }

  /** Whether the answer told something that makes the next try another one. */
  #learnt(e: unknown, answer: HttpAnswer | undefined, way: Way, tried: number): boolean {
    if (answer === undefined || e instanceof EngineError) return false;
    // The SDK signs by the clock of the service from then on.
    if (codeOf(e) === 'RequestTimeTooSkewed') return tried === 1;
    const region = regionTold(e, answer);
    if (region === undefined || region === way.region) return false;
    if (this.#way === way) this.#way = this.#wayTo(region);
    return true;
  }
}

const WRONG_REGION = [301, 307, 400, 403];

/** The bucket's region, in answers to those who have taken it for another. */
function regionTold(e: unknown, { status, headers }: HttpAnswer): string | undefined {
  if (!WRONG_REGION.includes(status)) return undefined;
  const named = e instanceof Error && 'Region' in e && typeof e.Region === 'string' ? e.Region : undefined;
  return headers['x-amz-bucket-region'] || named || undefined;
}

/** Errors: 'usage' for certificates, 'auth-expired' where no key is known. */
export async function openWire(target: S3Target, options: S3Options, o: StorageSetting): Promise<Wire> {
  const env = o.env ?? {};
  const identity = await identityOf(o);
  const http = await createHttpClient({ tls: o.tls, connections: options.connections, env });
  const region = regionOf(target, options, env) ?? identity.region ?? FIRST_REGION;
  // Amazon's hosts of one region can't serve another; elsewhere a region is a mere word.
  const endpointFor = (r: string) =>
    target.aws && (target.region === undefined || r !== region) ? amazonEndpoint(r) : target.endpoint;
  const wayTo = (r: string): Way => ({
    client: new S3Client({
      ...settled(identity),
      region: r,
      endpoint: endpointFor(r),
      forcePathStyle: isPathStyle(target, options),
      requestHandler: handlerOver(http),
    }),
    region: r,
  });
  return new Wire(http, withPayloadSums(wayTo), region);
}

/** Everything that the SDK would otherwise look for in the environment of the process. */
function settled({ key, profile }: S3Identity) {
  return {
    ...(key === undefined ? { profile } : { credentials: key }),
    maxAttempts: 1,
    retryMode: 'standard',
    defaultsMode: 'legacy',
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    expectContinueHeader: false,
    disableS3ExpressSessionAuth: true,
    disableMultiregionAccessPoints: true,
    useArnRegion: false,
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    // Names that Amazon would not allow are fine elsewhere.
    bucketEndpoint: false,
  } satisfies S3ClientConfig;
}

/** The sum of a body is part of what is signed; the SDK would take that of the empty one. */
function withPayloadSums(wayTo: (region: string) => Way): (region: string) => Way {
  return (region) => {
    const way = wayTo(region);
    way.client.middlewareStack.add(
      (next) => (args) => {
        const { input, request } = args;
        if ('Body' in input && 'ChecksumSHA256' in input && isSdkRequest(request)) {
          const sum = Buffer.from(input.ChecksumSHA256 ?? '', 'base64').toString('hex');
          const headers = { ...request.headers, 'x-amz-content-sha256': sum };
          return next({ ...args, request: Object.assign(request, { headers }) });
        }
        return next(args);
      },
      { step: 'build', name: 'payloadSums' },
    );
    return way;
  };
}

function isSdkRequest(request: unknown): request is SdkRequest {
  return typeof request === 'object' && request !== null && 'headers' in request && 'path' in request;
}

/** What the SDK sends with. Ways to a key use it as well, without a passage. */
function handlerOver(http: HttpClient) {
  return {
    metadata: { handlerProtocol: 'http/1.1' },
    async handle(request: SdkRequest, o?: { readonly passage?: Passage }) {
      const passage = o?.passage ?? {};
      const { method, headers } = request;
      const { signal, pace } = passage;
      const body = passage.body ?? bodyOf(request.body);
      const answer = await http.request({ method, url: urlOf(request), headers, body, signal, pace });
      passage.answer = answer;
      return {
        response: { statusCode: answer.status, headers: answer.headers, body: forSdk(passage, answer) },
      };
    },
    updateHttpClientConfig: () => undefined,
    httpHandlerConfigs: () => ({}),
    destroy: () => undefined,
  };
}

function bodyOf(body: unknown): readonly Uint8Array[] | undefined {
  if (typeof body === 'string') return [Buffer.from(body)];
  return body instanceof Uint8Array ? [body] : undefined;
}

function forSdk({ file = false }: Passage, { status, body }: HttpAnswer): Readable {
  const past = file && status < 300;
  return Readable.from(past || body.length === 0 ? [] : [body], { objectMode: false });
}

function urlOf({ protocol, hostname, port, path, query = {} }: SdkRequest): string {
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    value === null ? [escaped(name)] : [value].flat().map((text) => `${escaped(name)}=${escaped(text)}`),
  );
  const host = port === undefined ? hostname : `${hostname}:${port}`;
  return `${protocol}//${host}${path}${pairs.length === 0 ? '' : `?${pairs.join('&')}`}`;
}

/** As signatures want it: RFC 3986, with the few characters that JavaScript lets through. */
function escaped(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
