/**
 * Errors on their way over a transport. At the host every failure becomes an ORPCError with the code ENGINE, whose data is
 * a WireError; at the client it becomes an EngineError again. What isn't an EngineError is a fault of Holdfast: it is told
 * to the host's log, and the client hears a sentence without details.
 */
import { ORPCError } from '@orpc/client';
import { ValidationError } from '@orpc/contract';
import { EngineError, type ErrorCode, type ErrorDetails } from '../api/errors.ts';
import { WireErrorSchema } from '../api/model/common.ts';
import { guarded, isAsyncIterator } from './iterator.ts';

/** Hears of faults in a call; `path` names it. Never gets the call's input or output. */
export type OnFault = (error: unknown, path: readonly string[]) => void;

/** What an interceptor gets to see of a call. */
interface Intercepted {
  readonly path: readonly string[];
  readonly signal?: AbortSignal | undefined;
  next(): Promise<unknown>;
}

/**
 * The outermost interceptor at the host: whatever a call or its stream of events fails with leaves as an ENGINE error.
 * When the client goes, a stream's source is told to return.
 */
export function wrapErrors(onFault: OnFault): (call: Intercepted) => Promise<unknown> {
  return async (call) => {
    const translate = (e: unknown) => toRemote(asTold(e, call, onFault));
    try {
      const output = await call.next();
      return isAsyncIterator(output) ? guarded(output, { signal: call.signal, translate }) : output;
    } catch (e) {
      throw translate(e);
    }
  };
}

/** The error as the client may know it. */
function asTold(e: unknown, call: Intercepted, onFault: OnFault): EngineError {
  if (e instanceof EngineError && !hidesForeign(e)) return e;
  const issues = issuesOf(e);
  if (issues && e instanceof ORPCError && e.code === 'BAD_REQUEST') return badInput(issues);
  if (call.signal?.aborted) return new EngineError('cancelled', 'The call was given up.');
  onFault(issues ? new Error(`the answer does not fit the contract: ${sentences(issues)}`) : e, call.path);
  return new EngineError('internal', `Holdfast failed at ${call.path.join('.')}. Its log says more.`);
}

/** `asEngineError` gives a foreign error's message to an 'internal' one; it may name anything. */
const hidesForeign = (e: EngineError) => e.code === 'internal' && e.cause !== undefined;

function toRemote(e: EngineError): ORPCError<'ENGINE', unknown> {
  return new ORPCError('ENGINE', {
    status: e.code === 'internal' ? 500 : 422,
    message: e.message,
    data: e.toWire(),
  });
}

interface Issue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

function issuesOf(e: unknown): readonly Issue[] | undefined {
  return e instanceof ORPCError && e.cause instanceof ValidationError ? e.cause.issues : undefined;
}

function sentences(issues: readonly Issue[]): string {
  const shown = issues.slice(0, 5).map((issue) => `${fieldOf(issue)}: ${issue.message}`);
  return shown.join('; ') + (issues.length > 5 ? `; and ${issues.length - 5} more` : '');
}

function fieldOf(issue: Issue): string {
  const names = (issue.path ?? []).map((part) => String(typeof part === 'object' ? part.key : part));
  return names.length === 0 ? 'input' : names.join('.').slice(0, 200);
}

function badInput(issues: readonly Issue[]): EngineError {
  return new EngineError('usage', `Not acceptable: ${sentences(issues)}.`, {
    context: { field: issues[0] ? fieldOf(issues[0]) : 'input' },
  });
}

const lost = (cause: unknown) =>
  new EngineError(
    'unreachable',
    'The connection to Holdfast was lost.',
    { transient: true, hint: 'Check that Holdfast is running, then try again.' },
    { cause },
  );

/** What the edges in front of the calls answer: the server's sign-in and limits, oRPC's decoding. */
const EDGE: Readonly<Record<string, readonly [ErrorCode, string, ErrorDetails?]>> = {
  BAD_REQUEST: ['usage', 'Holdfast could not read the call.'],
  UNAUTHORIZED: ['auth-expired', 'You are signed out.', { hint: 'Sign in again.' }],
  FORBIDDEN: ['permission', 'Holdfast refuses the call.'],
  NOT_FOUND: [
    'unsupported',
    'This host does not know the call.',
    { hint: 'Update Holdfast, so that both sides are of the same version.' },
  ],
  METHOD_NOT_SUPPORTED: ['usage', 'Calls are made with POST.'],
  PAYLOAD_TOO_LARGE: ['usage', 'The call is too large.'],
  TOO_MANY_REQUESTS: ['rate-limited', 'Too many tries; wait a moment.', { transient: true }],
  SERVICE_UNAVAILABLE: ['unreachable', 'Holdfast is not ready.', { transient: true }],
  BAD_GATEWAY: ['unreachable', 'Holdfast does not answer.', { transient: true }],
  GATEWAY_TIMEOUT: ['timeout', 'Holdfast answers too late.', { transient: true }],
};

/** Whatever a call failed with at the client, as an EngineError. `signal`: that of the call. */
export function fromRemote(e: unknown, signal?: AbortSignal): EngineError {
  if (e instanceof EngineError) return e;
  if (signal?.aborted) return asCancelled(signal.reason);
  if (!(e instanceof ORPCError)) return lost(e);
  const wire = e.code === 'ENGINE' ? WireErrorSchema.safeParse(e.data) : undefined;
  if (wire?.success) return EngineError.fromWire(wire.data);
  const edge = Object.hasOwn(EDGE, e.code) ? EDGE[e.code] : undefined;
  if (edge) return new EngineError(...edge);
  return new EngineError('internal', 'Holdfast gave an answer that cannot be read.', {}, { cause: e });
}

/** The reason of an aborted signal, as the error of the call that it ended. */
export function asCancelled(reason: unknown): EngineError {
  if (reason instanceof EngineError) return reason;
  return new EngineError('cancelled', 'The call was given up.', {}, { cause: reason });
}
