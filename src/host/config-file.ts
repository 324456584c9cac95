/**
 * The configuration as a document that people can read, keep under version control and carry to another computer.
 *
 * document    plans, destinations, channels and settings, in YAML; secrets are not part of it
 * reference   plans name their destinations, and monitors their plan, by name: ids mean nothing elsewhere
 */
import { Document, isNode, LineCounter, parseDocument, visit, type YAMLError } from 'yaml';
import { z } from 'zod';
import { EngineError } from '../api/errors.ts';
import { type Channel, ChannelInput } from '../api/model/alert.ts';
import { Name } from '../api/model/common.ts';
import { type Destination, DestinationInput } from '../api/model/destination.ts';
import { type Plan, PlanInput } from '../api/model/plan.ts';
import { type Settings, SettingsChange } from '../api/model/settings.ts';
import { redactLocation } from '../backend/registry.ts';

const VERSION = 1;

const ConfigPlan = PlanInput.extend({ destinations: z.array(Name).min(1).max(20) });
/** A plan whose destinations are names. */
export type ConfigPlan = z.output<typeof ConfigPlan>;

const [desktop, email, webhook, ntfy, monitor] = ChannelInput.shape.target.options;
const ConfigTarget = z.discriminatedUnion('kind', [
  desktop,
  email,
  webhook,
  ntfy,
  monitor.omit({ planId: true }).extend({ plan: Name.nullable() }),
]);
const ConfigChannel = ChannelInput.omit({ secret: true }).extend({ target: ConfigTarget });
/** A channel whose monitor names its plan. */
export type ConfigChannel = z.output<typeof ConfigChannel>;

const ConfigDocument = z.object({
  version: z.literal(VERSION),
  destinations: z.array(DestinationInput).default([]),
  plans: z.array(ConfigPlan).default([]),
  channels: z.array(ConfigChannel).default([]),
  settings: SettingsChange.default({}),
});
export type ConfigDocument = z.output<typeof ConfigDocument>;

export interface HostConfig {
  readonly plans: readonly Plan[];
  readonly destinations: readonly Destination[];
  readonly channels: readonly Channel[];
  readonly settings: Settings;
}

const HEAD = ` What Holdfast backs up, where to, and whom it tells. Made by \`holdfast config export\`, read by
 \`holdfast config import\`, which finds plans and destinations again by their names.
 Passwords and tokens are not part of it.`;

/** The document as text. Error: 'conflict' where a name that others refer to is not unique. */
export function toYaml(config: HostConfig): string {
  const document = new Document(toDocument(config), { aliasDuplicateObjects: false });
  document.commentBefore = HEAD;
  return document.toString({ lineWidth: 0 });
}

/** What `fromYaml` reads back, but for the secrets that a location or an address held. */
export function toDocument({ plans, destinations, channels, settings }: HostConfig): ConfigDocument {
  refuseTwins(destinations, 'destinations');
  refuseTwins(plans, 'plans');
  const nameOf = (items: readonly { readonly id: string; readonly name: string }[], id: string) =>
    items.find((item) => item.id === id)?.name;
  return {
    version: VERSION,
    destinations: destinations.map((d) =>
      DestinationInput.parse({ ...d, location: redactLocation(d.location) }),
    ),
    plans: plans.map((plan) =>
      ConfigPlan.parse({
        ...plan,
        destinations: plan.destinations.map((id) => nameOf(destinations, id) ?? id),
      }),
    ),
    channels: channels.map((channel) => {
      const { target } = channel;
      return ConfigChannel.parse({
        ...channel,
        target: exportedTarget(target, (id) => nameOf(plans, id) ?? id),
      });
    }),
    settings,
  };
}

function exportedTarget(
  target: Channel['target'],
  planName: (id: string) => string,
): ConfigChannel['target'] {
  switch (target.kind) {
    case 'desktop':
    case 'email':
      return target;
    case 'webhook':
    case 'ntfy':
      return { ...target, url: withoutPassword(target.url) };
    case 'monitor': {
      const plan = target.planId === null ? null : planName(target.planId);
      return { kind: 'monitor', url: withoutPassword(target.url), plan };
    }
  }
}

/** The path of an address may be all the secret there is, but without it the channel would be none. */
function withoutPassword(address: string): string {
  const url = new URL(address);
  if (url.password === '') return address;
  url.password = '';
  return url.href;
}

function refuseTwins(items: readonly { readonly name: string }[], what: string): void {
  const seen = new Set<string>();
  for (const { name } of items) {
    if (seen.has(name)) {
      throw new EngineError(
        'conflict',
        `Two ${what} are called “${name}”, so a document could not tell them apart.`,
        {
          hint: 'Rename one of them.',
        },
      );
    }
    seen.add(name);
  }
}

/** Names that the document may refer to because they are there already. */
export interface KnownNames {
  readonly destinations: readonly string[];
  readonly plans: readonly string[];
}

/**
 * The configuration that a text holds, with defaults where it says nothing. Error: 'usage', which names the first line that
 * is wrong: no YAML, unknown fields, values that don't fit, names that are there twice or not at all.
 */
export function fromYaml(text: string, known: KnownNames = { destinations: [], plans: [] }): ConfigDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  const [broken] = [...document.errors, ...document.warnings];
  if (broken !== undefined) {
    const start = openQuote(document, broken) ?? broken.pos[0];
    throw wrong(lines.linePos(start).line, broken.message.split(/ at line |:\n/)[0] ?? broken.message);
  }
  const at = (path: Path) => lineOf(document, lines, path);
  const value = plainValue(document);
  const result = ConfigDocument.safeParse(value);
  if (!result.success) throw firstIssue(result.error.issues, at);
  refuseUnknown(value, result.data, [], at);
  refuseReferences(result.data, known, at);
  return result.data;
}

type Path = readonly PropertyKey[];
type LineOf = (path: Path) => number;

/** A quote that is never closed is noticed at the end of the text; where it opens helps more. */
function openQuote(document: Document.Parsed, { code, pos }: YAMLError): number | undefined {
  let start: number | undefined;
  if (code !== 'MISSING_CHAR') return undefined;
  visit(document, {
    Scalar(_, { type, range }) {
      const quoted = type === 'QUOTE_DOUBLE' || type === 'QUOTE_SINGLE';
      if (quoted && range && range[0] < pos[0] && range[1] >= pos[0]) start = range[0];
    },
  });
  return start;
}

function plainValue(document: Document.Parsed): unknown {
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (e) {
    // A document that refers to itself until memory ends.
    throw new EngineError('usage', 'The document refers to itself too often.', {}, { cause: e });
  }
}

/** The line of what stands at the path, or of what should hold it. */
function lineOf(document: Document.Parsed, lines: LineCounter, path: Path): number {
  for (let length = path.length; length >= 0; length--) {
    const node = document.getIn(path.slice(0, length), true);
    const start = isNode(node) ? node.range?.[0] : undefined;
    if (start !== undefined) return lines.linePos(start).line;
  }
  return 1;
}

interface Issue {
  readonly path: Path;
  readonly message: string;
}

function firstIssue(issues: readonly Issue[], at: LineOf): EngineError {
  const sorted = issues.map((issue) => ({ ...issue, line: at(issue.path) })).sort((a, b) => a.line - b.line);
  const [first] = sorted;
  if (first === undefined) return new EngineError('internal', 'an error without an issue');
  return wrong(first.line, `${place(first.path)}${first.message}`);
}

function place(path: Path): string {
  if (path.length === 0) return '';
  return `${path
    .map((key) => (typeof key === 'number' ? `[${key}]` : `.${String(key)}`))
    .join('')
    .replace(/^\./, '')}: `;
}

/** The schemas drop what they don't know; a misspelt field must not be dropped in silence. */
function refuseUnknown(given: unknown, understood: unknown, path: Path, at: LineOf): void {
  if (typeof given !== 'object' || given === null || typeof understood !== 'object' || understood === null)
    return;
  for (const [key, value] of Object.entries(given)) {
    const below = [...path, Array.isArray(given) ? Number(key) : key];
    if (!Object.hasOwn(understood, key)) {
      throw wrong(at(below), `${place(path)}there is no field “${key}”`);
    }
    refuseUnknown(value, Reflect.get(understood, key), below, at);
  }
}

function refuseReferences(document: ConfigDocument, known: KnownNames, at: LineOf): void {
  const destinations = namesIn(document.destinations, 'destinations', at);
  const plans = namesIn(document.plans, 'plans', at);
  for (const [i, plan] of document.plans.entries()) {
    for (const [j, name] of plan.destinations.entries()) {
      if (destinations.has(name) || known.destinations.includes(name)) continue;
      throw wrong(at(['plans', i, 'destinations', j]), `there is no destination “${name}”`);
    }
  }
  for (const [i, { target }] of document.channels.entries()) {
    if (target.kind !== 'monitor' || target.plan === null) continue;
    if (plans.has(target.plan) || known.plans.includes(target.plan)) continue;
    throw wrong(at(['channels', i, 'target', 'plan']), `there is no plan “${target.plan}”`);
  }
}

function namesIn(items: readonly { readonly name: string }[], key: string, at: LineOf): ReadonlySet<string> {
  const names = new Set<string>();
  for (const [i, { name }] of items.entries()) {
    if (names.has(name)) throw wrong(at([key, i, 'name']), `${key} has “${name}” twice`);
    names.add(name);
  }
  return names;
}

function wrong(line: number, what: string): EngineError {
  return new EngineError('usage', `Line ${line}: ${what.replace(/\.$/, '')}.`, {
    hint: 'Nothing was changed. Correct the line and import it again.',
    context: { line },
  });
}
