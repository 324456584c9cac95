/**
 * The recovery kit: a page to print, which gets everything back on a new computer, with Holdfast or with restic alone.
 * It stands for itself: no scripts, nothing from elsewhere, and no text in it that was not escaped.
 */
import type { Instant } from '../api/model/common.ts';
import { escapeHtml, KIT_STYLE } from './recovery-kit-style.ts';

export interface RecoveryKitFacts {
  readonly destination: {
    readonly name: string;
    /** As on the command line, without secrets. */
    readonly location: string;
    /** 'local', 's3' … */
    readonly kind: string;
    readonly repositoryId: string;
  };
  /** The words, separated by single spaces. */
  readonly recoveryKey: string;
  readonly madeAt: Instant;
  readonly hostname: string;
  readonly plans: readonly { readonly name: string; readonly sources: readonly string[] }[];
  readonly hints?: SchemeHints;
  /** IANA name, for the date on the page; the computer's own if absent. */
  readonly timeZone?: string;
}

/** What a kind of storage adds. */
export interface SchemeHints {
  /** What restic calls the location (`-r`), where that is not what Holdfast calls it. */
  readonly resticRepository?: string;
  /** What has to be done before the storage can be reached, as sentences. */
  readonly before?: readonly string[];
  /** Variables that restic needs for this storage, with what belongs into each, in words. */
  readonly environment?: readonly { readonly name: string; readonly meaning: string }[];
  /** What else is needed to reach it, to be kept with the page: a login, a token. */
  readonly keep?: readonly string[];
}

const LOCAL: SchemeHints = {
  before: [
    'Connect the disk or the network drive with the backups. If it shows up under another path than the one on this page, use the path where you find the folder now.',
  ],
};

/** The whole page, as HTML. It holds the recovery key: to be shown and printed, never to be stored by us. */
export function recoveryKit(facts: RecoveryKitFacts): string {
  const hints = facts.hints ?? (facts.destination.kind === 'local' ? LOCAL : {});
  const title = `Recovery kit: ${facts.destination.name}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(title)}</title>
<style>${KIT_STYLE}</style>
</head>
<body>
<main>
${heading(facts)}
${whereSection(facts)}
${keySection(facts.recoveryKey)}
${careSection(hints)}
${holdfastSection(facts, hints)}
${resticSection(facts, hints)}
${contentSection(facts)}
${notesSection()}
</main>
</body>
</html>
`;
}

function heading(facts: RecoveryKitFacts): string {
  return `<header>
<p class="brand">Holdfast</p>
<h1>Recovery kit</h1>
<p class="lead">This page gets everything in <strong>${escapeHtml(facts.destination.name)}</strong> back, on any computer, even if the one it was made on is gone.</p>
</header>`;
}

function whereSection({ destination, hostname, madeAt, timeZone }: RecoveryKitFacts): string {
  const rows = [
    ['Place', `<code>${escapeHtml(destination.location)}</code>`],
    ['Kind', escapeHtml(kindText(destination.kind))],
    ['Computer', escapeHtml(hostname)],
    ['Made on', escapeHtml(dateText(madeAt, timeZone))],
    ['Repository', `<code class="fine">${escapeHtml(destination.repositoryId)}</code>`],
  ];
  return `<section>
<h2>Where the backups are</h2>
<dl>
${rows.map(([term, value]) => `<div><dt>${term}</dt><dd>${value}</dd></div>`).join('\n')}
<div class="write"><dt>Kept at</dt><dd>which drawer, which shelf, whose house</dd></div>
</dl>
</section>`;
}

function keySection(recoveryKey: string): string {
  const words = recoveryKey.split(' ').map((word) => `<li>${escapeHtml(word)}</li>`);
  return `<section class="key">
<h2>The recovery key</h2>
<ol class="words">
${words.join('\n')}
</ol>
<p>Wherever a password or a recovery key is asked for, type these words in this order: in lower case, with one space between them, without the numbers.</p>
</section>`;
}

function careSection(hints: SchemeHints): string {
  const items = [
    'This page: with your important papers, not in the bag with the computer and not taped to the disk.',
    'A second copy: in another house, with somebody you trust.',
    'The backups: where neither a thief nor a fire reaches them together with the computer.',
    ...(hints.keep ?? []),
  ];
  return `<section>
<h2>What to keep where</h2>
<ul class="boxes">
${items.map((item) => `<li>${escapeHtml(item)}</li>`).join('\n')}
</ul>
<p class="warning">Whoever holds this page <em>and</em> the backups can read every file in them. Without this key or the password nobody can, not even the makers of Holdfast: if both are lost with the computer, so are the backups.</p>
</section>`;
}

function holdfastSection({ destination }: RecoveryKitFacts, hints: SchemeHints): string {
  const repository = shellWord(destination.location);
  const steps = [
    ...(hints.before ?? []).map(escapeHtml),
    'Install Holdfast and start it.',
    `Choose <b>Destinations</b>, then <b>Add destination</b>, and give the place from the first page. When it asks for the password, type the recovery key.`,
    'The plans are back, and so are all versions. Choose <b>Restore</b>, then what you want and where it should go.',
  ];
  return `<section class="page">
<h2>Everything back with Holdfast</h2>
<ol class="steps">
${steps.map((step) => `<li>${step}</li>`).join('\n')}
</ol>
${commands([['or on a command line', `holdfast -r ${repository} restore latest --target restored`]])}
</section>`;
}

function resticSection({ destination, hostname }: RecoveryKitFacts, hints: SchemeHints): string {
  const repository = shellWord(hints.resticRepository ?? destination.location);
  const restore = `restic -r ${repository} restore`;
  return `<section>
<h2>Everything back without Holdfast</h2>
<p>The backups are in the format of <b>restic</b>, a free program for every system (restic.net, or your system’s packages). It asks for the password of the repository: type the recovery key.</p>
${environmentText(hints)}
${commands([
  ['see the versions; each has an ID', `restic -r ${repository} snapshots`],
  ['restore one of them', `${restore} ID --target restored`],
  ['or the newest of this computer', `${restore} latest --host ${shellWord(hostname)} --target restored`],
  ['or only one folder of it', `${restore} ID --include /the/folder --target restored`],
  ['see whether all of it is whole', `restic -r ${repository} check --read-data`],
])}
<p>Everything comes to lie in the new folder <code>restored</code>. Nothing in the backups is changed by any of this.</p>
</section>`;
}

function environmentText(hints: SchemeHints): string {
  const variables = hints.environment ?? [];
  if (variables.length === 0) return '';
  const items = variables.map((v) => `<li><code>${escapeHtml(v.name)}</code> ${escapeHtml(v.meaning)}</li>`);
  return `<p>Set these variables first:</p>\n<ul class="variables">\n${items.join('\n')}\n</ul>`;
}

function contentSection({ plans, madeAt, timeZone }: RecoveryKitFacts): string {
  if (plans.length === 0) return '';
  const items = plans.map(({ name, sources }) => {
    const paths = sources.map((source) => `<code>${escapeHtml(source)}</code>`);
    return `<div><dt>${escapeHtml(name)}</dt><dd>${paths.join('<br>')}</dd></div>`;
  });
  return `<section>
<h2>What was backed up here on ${escapeHtml(dateText(madeAt, timeZone))}</h2>
<dl>
${items.join('\n')}
</dl>
</section>`;
}

function notesSection(): string {
  return `<section class="notes">
<h2>Notes</h2>
<div class="lines"><i></i><i></i><i></i></div>
</section>`;
}

function commands(list: readonly (readonly [meaning: string, command: string])[]): string {
  const items = list.map(([meaning, command]) => {
    // A line must not end between the hyphens of a flag and its name.
    const code = escapeHtml(command).replace(/(?<= )--?[a-z-]+/g, '<b>$&</b>');
    return `<li><span>${escapeHtml(meaning)}</span><code>${code}</code></li>`;
  });
  return `<ul class="commands">\n${items.join('\n')}\n</ul>`;
}

function kindText(kind: string): string {
  return kind === 'local'
    ? 'a folder on a disk or network drive, in the format of restic'
    : `${kind}, in the format of restic`;
}

function dateText(at: Instant, timeZone: string | undefined): string {
  return new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', ...(timeZone ? { timeZone } : {}) }).format(
    at,
  );
}

/** As a shell of the system that the path is of takes it: whole, and as it is. */
function shellWord(text: string): string {
  if (/^[\w@%+=:,./-]+$/.test(text) && !text.startsWith('-')) return text;
  const windows = /^[A-Za-z]:[\\/]|^\\\\/.test(text);
  return windows ? `"${text}"` : `'${text.replaceAll("'", "'\\''")}'`;
}
