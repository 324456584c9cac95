/** Channels that are told by HTTP: webhook, ntfy, monitor. */
import { encodeWord } from 'nodemailer/lib/mime-funcs';
import { isEngineError } from '../api/errors.ts';
import type { AlertKind } from '../api/model/alert.ts';
import { addressOf, sendHttp } from './http.ts';
import type { Delivery, Note, Ping } from './note.ts';
import { cut, line } from './text.ts';

/** What a webhook gets, as JSON by POST. Fields are added in later versions, never taken away. */
export interface WebhookBody {
  readonly version: 1;
  readonly event: Note['event'];
  /** The same for the beginning and the end of an alert. */
  readonly id: string;
  readonly kind: AlertKind | 'test';
  /** What it is about: a text that is the same each time the same thing goes wrong. */
  readonly subject: string;
  readonly title: string;
  /** Lines: what happened, what it means for the data, the next step. */
  readonly text: string;
  readonly hostname: string;
  /** ISO 8601, UTC; null for a test. */
  readonly startedAt: string | null;
  /** null: it still holds. */
  readonly endedAt: string | null;
  readonly runId: string | null;
}

const iso = (instant: number | null | undefined): string | null =>
  instant === null || instant === undefined ? null : new Date(instant).toISOString();

function bodyOf(note: Note, hostname: string): WebhookBody {
  return {
    version: 1,
    event: note.event,
    id: note.id,
    kind: note.alert?.kind ?? 'test',
    subject: note.alert?.subject ?? 'test',
    title: note.title,
    text: note.text,
    hostname,
    startedAt: iso(note.alert?.startedAt),
    endedAt: iso(note.alert?.endedAt),
    runId: note.alert?.runId ?? null,
  };
}

export async function sendWebhook(url: string, note: Note, d: Delivery): Promise<string> {
  const body = JSON.stringify(bodyOf(note, d.hostname));
  const headers = { 'content-type': 'application/json' };
  await sendHttp({ url, headers, body, token: d.secret, signal: d.signal });
  return `${addressOf(url).host} has taken the message.`;
}

/** 5 is the most urgent; 3 is ntfy's usual. */
const PRIORITY = {
  'check-failed': 5,
  'run-failed': 4,
  'no-backup': 4,
  'destination-unreachable': 4,
  'space-low': 3,
  'run-warnings': 3,
  'run-succeeded': 2,
} satisfies Record<AlertKind, number>;

/** In code points. ntfy keeps messages of up to 4096 bytes; what is longer becomes an attachment. */
const MOST_TEXT = 1000;

/** See docs.ntfy.sh/publish: the text is the body, everything else goes into headers. */
export async function sendNtfy(url: string, note: Note, d: Delivery): Promise<string> {
  const bad = note.event === 'alert' && note.alert?.kind !== 'run-succeeded';
  const priority = bad && note.alert ? PRIORITY[note.alert.kind] : note.event === 'alert' ? 2 : 3;
  const headers = {
    'content-type': 'text/plain; charset=utf-8',
    title: headerText(`${line(d.hostname, 60)}: ${note.title}`),
    priority: String(priority),
    tags: note.event === 'test' ? 'bell' : bad ? 'warning' : 'white_check_mark',
  };
  await sendHttp({ url, headers, body: cut(note.text, MOST_TEXT), token: d.secret, signal: d.signal });
  return `${addressOf(url).host} has taken the message.`;
}

/** One line that a header can hold; what is not ASCII as encoded words (RFC 2047), which ntfy reads. */
function headerText(text: string): string {
  const one = line(text, 200);
  // A text that looks like an encoded word would be read as one.
  return /^[\x20-\x7e]*$/.test(one) && !one.includes('=?') ? one : encodeWord(one, 'B', 52);
}

/** What the address ends in at each phase, as healthchecks.io and those like it have it. */
const PATHS = { start: '/start', success: '', fail: '/fail', test: '/log' } satisfies Record<
  Ping['phase'],
  string
>;

/**
 * A POST with a few words, or a GET where the monitor takes no POST (405). A test goes where it is written down without effect;
 * a monitor that has no such place (404) is told of a success, and the answer says so.
 */
export async function sendPing(url: string, ping: Ping, d: Delivery): Promise<string> {
  const { host } = addressOf(url);
  try {
    await postOrGet(pingAddress(url, ping.phase), ping.text, d);
  } catch (e) {
    if (ping.phase !== 'test' || !isEngineError(e, 'not-found')) throw e;
    await postOrGet(pingAddress(url, 'success'), ping.text, d);
    return `${host} has taken the test, which it may count as a backup that went well.`;
  }
  return `${host} has taken the ping.`;
}

function pingAddress(url: string, phase: Ping['phase']): string {
  const address = addressOf(url);
  const path = PATHS[phase];
  if (path !== '') address.pathname = address.pathname.replace(/\/$/, '') + path;
  return address.href;
}

async function postOrGet(url: string, text: string, d: Delivery): Promise<void> {
  const message = { url, token: d.secret, signal: d.signal };
  try {
    const headers = { 'content-type': 'text/plain; charset=utf-8' };
    await sendHttp({ ...message, headers, body: cut(text, MOST_TEXT) });
  } catch (e) {
    if (!isEngineError(e, 'unsupported') || e.context.status !== 405) throw e;
    await sendHttp({ ...message, method: 'GET' });
  }
}
