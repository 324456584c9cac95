import { EngineError } from '../../api/errors.ts';
import {
  type CheckCounters,
  type CheckOptions,
  type CheckPhase,
  type CheckReport,
  check,
  type Finding,
  newCheckCounters,
  type Subset,
} from '../../operations/check.ts';
import type { Repository } from '../../repository/repository.ts';
import { isEmptyFilter, selectSnapshots } from '../../repository/snapshot-filter.ts';
import { defineCommand } from '../command.ts';
import type { CommandContext } from '../context.ts';
import { flag, hidden, type ValuesOf, value } from '../options.ts';
import { countLine } from '../progress.ts';
import { type Session, withRepository } from '../session.ts';
import { snapshotFilter, snapshotFilterOptions } from '../snapshot-flags.ts';
import { printable } from '../text-width.ts';
import { formatBytes, parseSize, plural } from '../units.ts';

const options = {
  readData: flag('--read-data', 'read all packs and check every blob'),
  readDataSubset: value(
    '--read-data-subset subset',
    'read a part of the packs: n/t (part n of t), or a random x% or size such as 50G',
    parseSubset,
  ),
  remoteChecksums: flag('--remote-checksums', 'compare the packs with the checksums that the service keeps'),
  withCache: flag('--with-cache', 'use the local cache, instead of reading all from the repository'),
  checkUnused: hidden(flag('--check-unused', 'has no effect any more')),
  ...snapshotFilterOptions(),
};

export const command = defineCommand({
  usage: '[flags] [snapshotID …]',
  description: `Checks that the repository is whole: that its indexes, packs, snapshots and folders are there and fit
together. Nothing is changed. With --read-data all content is read and compared with its checksums as well;
--read-data-subset does that a part at a time.

With --remote-checksums, packs whose name, a SHA-256, is the checksum that the service itself keeps of them are proven whole
without being read; those that --read-data or --read-data-subset choose beside them are read. Few services keep that one.

With snapshots, or flags that select some, only what these need is checked.`,
  options,
  operands: { most: Number.POSITIVE_INFINITY },
  async run(context, operands, values) {
    const readData = subsetOf(values);
    let report: CheckReport | undefined;
    try {
      report = await withRepository(context, sessionOf(context, values), (session) =>
        runCheck(context, session, operands, values, readData),
      );
    } finally {
      if (context.globals.json) await context.json.write(summary(report));
    }
    if (report.errors > 0) throw new EngineError('damaged', 'The repository contains errors.');
    context.print.say('No errors were found.');
  },
});

type Values = ValuesOf<typeof options>;

/** What a cache kept from before says nothing about the repository itself. */
function sessionOf(context: CommandContext, { withCache }: Values) {
  const open = (): Promise<Repository> =>
    context.openRepository(context.globals.access, withCache ? {} : { cacheDir: null });
  return { lock: 'exclusive', open } as const;
}

async function runCheck(
  context: CommandContext,
  { repo, signal, snapshots }: Session,
  operands: readonly string[],
  values: Values,
  readData: Subset | undefined,
): Promise<CheckReport> {
  const filter = snapshotFilter(values, context.env);
  const filtered = operands.length > 0 || !isEmptyFilter(filter);
  const counters = newCheckCounters();
  const view = phases(context, counters);
  const o: CheckOptions = {
    signal,
    counters,
    onFinding: (finding) => tell(context, finding),
    onPhase: view.begin,
    ...(readData ? { readData } : {}),
    ...(values.remoteChecksums ? { remoteChecksums: true } : {}),
    ...(filtered ? { snapshots: async () => selectSnapshots(await snapshots(), operands, filter) } : {}),
  };
  try {
    const report = await check(repo, o);
    view.end();
    tellProven(context, report);
    advise(context, report);
    return report;
  } finally {
    view.end();
  }
}

const PHASES = {
  index: ['Checking the index.', 'index files'],
  packs: ['Checking that all packs are there.', 'packs'],
  snapshots: ['Checking snapshots and folders.', 'snapshots'],
  data: ['Reading packs.', 'packs'],
} as const satisfies Record<CheckPhase, readonly [string, string]>;

function phases(context: CommandContext, counters: CheckCounters) {
  let what = '';
  const line = (elapsed: number) => {
    const read = what === 'packs' && counters.bytes > 0 ? `, ${formatBytes(counters.bytes)}` : '';
    const trees = what === 'snapshots' ? `, ${plural(counters.trees, 'folder')}` : '';
    return `${countLine(elapsed, counters.done, counters.total, what)}${read}${trees}`;
  };
  const progress = context.startProgress({ lines: (elapsed) => (what === '' ? [] : [line(elapsed)]) });
  return {
    begin(phase: CheckPhase) {
      const [sentence, unit] = PHASES[phase];
      what = unit;
      context.print.say(sentence);
    },
    end: () => progress.stop(),
  };
}

function tell({ globals, print, terminal }: CommandContext, finding: Finding): void {
  const sentence = printable(finding.sentence);
  if (finding.severity === 'error') {
    if (globals.json) terminal.error(JSON.stringify({ message_type: 'error', message: finding.sentence }));
    else print.problem(sentence);
  } else if (finding.kind === 'pack-orphaned') print.more(sentence);
  else print.say(sentence);
}

function tellProven({ print }: CommandContext, { packs, packsProven, readPacks }: CheckReport): void {
  if (packsProven === undefined) return;
  const rest = packs - packsProven;
  print.say(`The service's checksums prove ${packsProven} of ${plural(packs, 'pack')}.`);
  if (rest > 0 && readPacks === undefined)
    print.say(`Of ${plural(rest, 'pack')} it keeps none that could: --read-data reads these.`);
}

/** What to do next, in the order in which it is to be done. */
function advise({ globals, print }: CommandContext, report: CheckReport): void {
  const tellThem = (lines: readonly string[]) => {
    if (!globals.json) for (const line of lines) (report.errors > 0 ? print.problem : print.say)(line);
  };
  if (report.errors === 0) return tellThem(adviceOnHints(report));
  tellThem(['', 'What to do, after a copy of the repository was made if there is room for one:']);
  if (report.suggestRepairIndex) tellThem(['  holdfast repair index']);
  if (report.brokenPacks.length > 0) tellThem([`  holdfast repair packs ${report.brokenPacks.join(' ')}`]);
  if (report.brokenPacks.length > 0 || report.suggestRepairSnapshots) {
    tellThem([`  holdfast repair snapshots ${['--forget', ...report.brokenSnapshots].join(' ')}`]);
    tellThem([
      'Before the last step, a new backup of the same folders may bring back what is missing.',
      'What keeps breaking points to a failing disk, cable or memory.',
    ]);
  }
  tellThem(['']);
}

function adviceOnHints({ orphanedPacks, suggestRepairIndex, suggestPrune }: CheckReport): string[] {
  return [
    ...(orphanedPacks > 0
      ? [`${plural(orphanedPacks, 'pack')} in no index: probably left by a backup that was stopped.`]
      : []),
    ...(suggestRepairIndex ? ['Nothing is lost; `holdfast repair index` puts the index in order.'] : []),
    ...(suggestPrune ? ['Nothing is lost; `holdfast prune` puts the packs in order.'] : []),
  ];
}

/** restic's fields. A check that came to no report counts as one error. */
function summary(report: CheckReport | undefined) {
  return {
    message_type: 'summary',
    num_errors: report?.errors ?? 1,
    broken_packs: report?.brokenPacks.length ? report.brokenPacks : null,
    suggest_repair_index: report?.suggestRepairIndex ?? false,
    suggest_prune: report?.suggestPrune ?? false,
    ...(report?.packsProven === undefined
      ? {}
      : { packs_proven: report.packsProven, packs_unproven: report.packs - report.packsProven }),
  };
}

function subsetOf({ readData, readDataSubset }: Values): Subset | undefined {
  if (readData && readDataSubset) {
    throw new EngineError('usage', '--read-data and --read-data-subset exclude each other.');
  }
  return readData ? { kind: 'all' } : readDataSubset;
}

/** As many groups as the first byte of an id has values. */
const MOST_GROUPS = 256;

/** `3/10`, `2.5%` or `500M`. Error: 'usage'. */
export function parseSubset(text: string): Subset {
  const part = /^(\d+)\/(\d+)$/.exec(text);
  if (part) return parseGroup(Number(part[1]), Number(part[2]));
  const share = /^(\d+(?:\.\d*)?|\.\d+)%$/.exec(text);
  if (share) return parsePercent(Number(share[1]));
  const bytes = parseSize(text);
  if (bytes === 0) throw new EngineError('usage', 'the size must be above 0');
  return { kind: 'bytes', bytes };
}

function parseGroup(group: number, groups: number): Subset {
  if (group < 1 || group > groups || groups > MOST_GROUPS) {
    throw new EngineError('usage', `n/t needs 1 ≤ n ≤ t ≤ ${MOST_GROUPS}, such as 1/10`);
  }
  return { kind: 'group', group, groups };
}

function parsePercent(percent: number): Subset {
  if (percent <= 0 || percent > 100) {
    throw new EngineError('usage', 'the share must be above 0% and at most 100%');
  }
  return { kind: 'percent', percent };
}
