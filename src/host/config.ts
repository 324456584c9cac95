/** The configuration as a document, out of the diary and into it. What the document does not name stays as it is. */
import { EngineError, isEngineError, needsSignIn } from '../api/errors.ts';
import type { Channel } from '../api/model/alert.ts';
import { Channel as ChannelSchema } from '../api/model/alert.ts';
import type { Destination, Login, NewDestination } from '../api/model/destination.ts';
import type { Plan } from '../api/model/plan.ts';
import { Settings } from '../api/model/settings.ts';
import type { Store } from '../store/store.ts';
import { type ConfigChannel, type ConfigDocument, type ConfigPlan, fromYaml, toYaml } from './config-file.ts';
import { type Added, normalize, updateDestination } from './destinations.ts';
import { createPlan, type PlanPorts, refuseNonsense, updatePlan } from './plans.ts';

export interface ConfigPorts extends PlanPorts {
  readonly store: Store;
  addDestination(
    input: NewDestination,
    password: string | undefined,
    o?: { readonly login?: Login | undefined; readonly signal?: AbortSignal },
  ): Promise<Added>;
  planChanged(planId: string, before?: readonly string[]): void;
  destinationChanged(destination: Destination): void;
}

/** Passwords and logins of new destinations, by their names. */
export interface ConfigInput {
  readonly yaml: string;
  readonly passwords: Readonly<Record<string, string>>;
  readonly logins: Readonly<Record<string, Login>>;
}

export interface Imported {
  readonly created: number;
  readonly updated: number;
}

/** Error: 'conflict' where two have one name. */
export function exportConfig({ store }: ConfigPorts): string {
  return toYaml({
    plans: store.plans.list(),
    destinations: store.destinations.list(),
    channels: store.channels.list(),
    settings: store.settings.get(),
  });
}

/**
 * Destinations first, since plans name them. A document that is wrong changes nothing; a destination that can't be added (its
 * disk is absent, its password missing) ends the import there, and what was imported before stays: importing once more
 * goes on. Errors: 'usage' with the line, those of adding destinations and of making plans.
 */
export async function importConfig(
  p: ConfigPorts,
  { yaml, passwords, logins }: ConfigInput,
  signal?: AbortSignal,
): Promise<Imported> {
  const { store } = p;
  const document = fromYaml(yaml, {
    destinations: store.destinations.list().map((d) => d.name),
    plans: store.plans.list().map((plan) => plan.name),
  });
  refuseImpossible(p, document);
  const count = new Count();
  for (const input of document.destinations) {
    const known = named(store.destinations.list(), input.name);
    count.add(known !== undefined);
    if (known) p.destinationChanged(updateDestination(store, known.id, input));
    else p.destinationChanged(await addNew(p, input, passwords[input.name], logins[input.name], signal));
  }
  for (const input of document.plans) count.add(importPlan(p, input));
  for (const input of document.channels) count.add(importChannel(p, input));
  importSettings(store, document);
  return count;
}

/** Errors: those of `addDestination`; where it wants a login, with the way to give it. */
async function addNew(
  p: ConfigPorts,
  input: NewDestination,
  password: string | undefined,
  login: Login | undefined,
  signal: AbortSignal | undefined,
): Promise<Destination> {
  try {
    return (await p.addDestination(input, password, { login, ...(signal ? { signal } : {}) })).destination;
  } catch (e) {
    // Some say 'usage' where nothing at all is given to get in with.
    const wantsLogin = isEngineError(e) && (needsSignIn(e) || (e.code === 'usage' && login === undefined));
    if (!wantsLogin) throw e;
    const hint = `Add “${input.name}” by itself, with its login, or give the login with the import; then import once more: it goes on where it stopped.`;
    throw new EngineError(
      e.code,
      `“${input.name}”: ${e.message}`,
      { context: e.context, hint },
      { cause: e },
    );
  }
}

/** What the shapes don't tell, before anything is changed. Error: 'usage', with the name of what is wrong. */
function refuseImpossible({ now }: ConfigPorts, { destinations, plans }: ConfigDocument): void {
  for (const { name, location } of destinations) naming(`Destination “${name}”`, () => normalize(location));
  for (const plan of plans) naming(`Plan “${plan.name}”`, () => refuseNonsense(plan, now()));
}

function naming(what: string, check: () => unknown): void {
  try {
    check();
  } catch (e) {
    if (!isEngineError(e, 'usage', 'unsupported')) throw e;
    throw new EngineError(e.code, `${what}: ${e.message}`, e.toWire(), { cause: e });
  }
}

class Count implements Imported {
  created = 0;
  updated = 0;

  add(wasKnown: boolean): void {
    if (wasKnown) this.updated++;
    else this.created++;
  }
}

function named<T extends { readonly name: string }>(items: readonly T[], name: string): T | undefined {
  return items.find((item) => item.name === name);
}

/** True: it was there already. */
function importPlan(p: ConfigPorts, input: ConfigPlan): boolean {
  const { store } = p;
  const destinations = input.destinations.map((name) => named(store.destinations.list(), name)?.id ?? name);
  const known = named(store.plans.list(), input.name);
  const said = { ...input, destinations };
  const plan: Plan = known ? updatePlan(p, known.id, said) : createPlan(p, said);
  p.planChanged(plan.id);
  return known !== undefined;
}

/** A secret that the channel has stays; a new channel has none yet. */
function importChannel({ store, newId }: ConfigPorts, input: ConfigChannel): boolean {
  const known = named(store.channels.list(), input.name);
  const channel: Channel = ChannelSchema.parse({
    ...input,
    target: targetOf(store, input.target),
    id: known?.id ?? newId(),
    hasSecret: known?.hasSecret ?? false,
    lastResult: known?.lastResult ?? null,
  });
  store.channels.put(channel);
  return known !== undefined;
}

function targetOf(store: Store, target: ConfigChannel['target']): Channel['target'] {
  if (target.kind !== 'monitor') return target;
  const planId = target.plan === null ? null : (named(store.plans.list(), target.plan)?.id ?? null);
  return { kind: 'monitor', url: target.url, planId };
}

function importSettings(store: Store, { settings }: ConfigDocument): void {
  if (Object.keys(settings).length > 0) {
    store.settings.set(Settings.parse({ ...store.settings.get(), ...settings }));
  }
}
