/** One try to send one message through one channel, whatever its kind. */
import { assertNever, EngineError, isEngineError } from '../api/errors.ts';
import type { Channel, Target } from '../api/model/alert.ts';
import { sendEmail } from './email.ts';
import { inTime, withoutSecret } from './network.ts';
import type { Delivery, Message, Note } from './note.ts';
import type { AlertPorts } from './ports.ts';
import { sendNtfy, sendPing, sendWebhook } from './web-channels.ts';

/**
 * Answers how it went, as a sentence. Waits 10 seconds at most.
 * Errors: EngineErrors whose message is a sentence to act on, free of the secret; 'cancelled' after an abort of `signal`.
 */
export async function sendThrough(
  ports: AlertPorts,
  channel: Channel,
  message: Message,
  signal: AbortSignal,
): Promise<string> {
  let secret: string | undefined;
  try {
    return await inTime({ clock: ports.clock, signal, where: whereOf(channel.target) }, async (timed) => {
      secret = await ports.secrets.get(`channel:${channel.id}`);
      return await send(ports, channel.target, message, { secret, hostname: ports.hostname, signal: timed });
    });
  } catch (e) {
    throw safe(e, secret);
  }
}

/** The error without the secret. What is none of ours may hold anything, so that only its kind is told. */
function safe(e: unknown, secret: string | undefined): EngineError {
  if (!isEngineError(e)) {
    const kind = e instanceof Error ? e.name : typeof e;
    return new EngineError('internal', `The message could not be sent: Holdfast has a fault (${kind}).`);
  }
  const { code, transient, context } = e;
  return new EngineError(code, withoutSecret(e.message, secret), { transient, context });
}

function whereOf(target: Target): string {
  switch (target.kind) {
    case 'desktop':
      return 'The desktop';
    case 'email':
      return `${target.host}:${target.port}`;
    default:
      return URL.canParse(target.url) ? new URL(target.url).host : 'The server';
  }
}

function send(ports: AlertPorts, target: Target, message: Message, d: Delivery): Promise<string> {
  if (target.kind === 'monitor') return sendPing(target.url, pingOf(message), d);
  if (message.kind === 'ping') throw new EngineError('internal', 'Only monitors take pings.');
  const { note } = message;
  switch (target.kind) {
    case 'desktop':
      return showNote(ports, note);
    case 'email':
      return sendEmail(target, note, d);
    case 'webhook':
      return sendWebhook(target.url, note, d);
    case 'ntfy':
      return sendNtfy(target.url, note, d);
    default:
      return assertNever(target);
  }
}

function pingOf(message: Message) {
  return message.kind === 'ping' ? message.ping : { phase: 'test' as const, text: message.note.text };
}

async function showNote(ports: AlertPorts, { title, text, alert, fix }: Note): Promise<string> {
  if (!ports.desktop) {
    throw new EngineError(
      'unsupported',
      'There is no desktop here. Notes appear only while the Holdfast app runs; choose another channel for this computer.',
    );
  }
  ports.desktop({ title, text, alert, fix });
  return 'The note was handed to the desktop.';
}
