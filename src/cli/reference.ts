/** Which plan, destination, channel or run somebody means: by name, or by the beginning of its id. */
import { EngineError } from '../api/errors.ts';
import type { Channel } from '../api/model/alert.ts';
import type { Destination } from '../api/model/destination.ts';
import type { PlanStatus } from '../api/model/plan.ts';
import type { Run } from '../api/model/run.ts';
import type { Client } from '../transport/client.ts';
import { suggestions } from './suggest.ts';

export interface Named {
  readonly id: string;
  readonly name: string;
}

/** How much of an id is shown, and enough to tell two apart. */
export const SHORT_ID = 8;

/**
 * The whole id wins, then the name as it is written, then the name in any case, then the beginning of an id. `what` is
 * 'plan', 'destination' or 'channel'. Errors: 'not-found' with what may be meant, 'ambiguous' with all that fit.
 */
export function findNamed<T extends Named>(items: readonly T[], reference: string, what: string): T {
  const lower = reference.trim().toLowerCase();
  const ways: readonly ((item: T) => boolean)[] = [
    (item) => item.id === lower,
    (item) => item.name === reference,
    (item) => item.name.toLowerCase() === lower,
    (item) => lower !== '' && item.id.startsWith(lower),
  ];
  for (const fits of ways) {
    const found = items.filter(fits);
    if (found.length > 1) throw ambiguous(found, reference, what);
    if (found[0] !== undefined) return found[0];
  }
  throw notFound(items, reference, what);
}

function ambiguous(found: readonly Named[], reference: string, what: string): EngineError {
  const list = found.map((item) => `${item.id.slice(0, SHORT_ID)} (${item.name})`).join(', ');
  return new EngineError('ambiguous', `"${reference}" fits more than one ${what}: ${list}.`, {
    hint: 'Give more of the id.',
  });
}

function notFound(items: readonly Named[], reference: string, what: string): EngineError {
  const words = what === 'channel' ? 'alerts channels' : `${what} list`;
  const near = items
    .map((item) => item.name)
    .filter((name) => suggestions(reference, [name.toLowerCase()]).length > 0);
  const hint =
    near.length > 0 ? `Did you mean ${near.join(' or ')}?` : `\`holdfast ${words}\` shows them all.`;
  return new EngineError('not-found', `There is no ${what} "${reference}".`, { hint });
}

export async function findPlan(client: Client, reference: string, signal: AbortSignal): Promise<PlanStatus> {
  const all = await client.plans.list(undefined, { signal });
  const { id } = findNamed(
    all.map(({ plan }) => plan),
    reference,
    'plan',
  );
  const found = all.find(({ plan }) => plan.id === id);
  if (found === undefined) throw notFound([], reference, 'plan');
  return found;
}

export async function findDestination(
  client: Client,
  reference: string,
  signal: AbortSignal,
): Promise<Destination> {
  return findNamed(await client.destinations.list(undefined, { signal }), reference, 'destination');
}

/** Errors: as `findNamed`. */
export async function findChannel(client: Client, reference: string, signal: AbortSignal): Promise<Channel> {
  return findNamed(await client.alerts.channels(undefined, { signal }), reference, 'channel');
}

const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;
/** Among so many of the newest runs the beginning of an id is looked for. */
const NEWEST = 500;

/** A run by its id, or by the beginning of one among the newest; `latest` is the newest of all. */
export async function findRun(client: Client, reference: string, signal: AbortSignal): Promise<Run> {
  if (UUID.test(reference)) return client.runs.get({ id: reference.toLowerCase() }, { signal });
  const newest = await client.runs.list({ limit: reference === 'latest' ? 1 : NEWEST }, { signal });
  const lower = reference.toLowerCase();
  const found = newest.filter((run) => reference === 'latest' || (lower !== '' && run.id.startsWith(lower)));
  if (found.length > 1) {
    throw ambiguous(
      found.map((run) => ({ id: run.id, name: `${run.task.kind}, ${run.state}` })),
      reference,
      'run',
    );
  }
  if (found[0] !== undefined) return found[0];
  throw new EngineError('not-found', `There is no run "${reference}" among the newest ${NEWEST}.`, {
    hint: '`holdfast runs list` shows them; an older one needs its whole id.',
  });
}
