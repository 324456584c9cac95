/** The whole of Holdfast in a few lines: the verdict, why, and what to do. */
import { assertNever } from '../api/errors.ts';
import type { PlanStatus } from '../api/model/plan.ts';
import type { Run } from '../api/model/run.ts';
import type { Fix, Status, Verdict } from '../api/model/status.ts';
import { formatMoment } from './ago.ts';
import { asleepLines, pauseText } from './pause.ts';
import { SHORT_ID } from './reference.ts';
import { statusLine } from './run-text.ts';
import { labelled } from './table.ts';
import { printable } from './text-width.ts';

const VERDICTS: Readonly<Record<Verdict['state'], string>> = {
  protected: 'Everything is protected.',
  attention: 'Something needs your attention.',
  none: 'Nothing is protected yet.',
};

export interface StatusFacts {
  readonly status: Status;
  readonly plans: readonly PlanStatus[];
  /** No host is running but the command's own. */
  readonly own: boolean;
  /** Of plans and destinations, by id. */
  readonly names: ReadonlyMap<string, string>;
  /** Those that are running or wait. */
  readonly runs: readonly Run[];
  readonly now: number;
}

export function statusText({ status, plans, own, names, runs, now }: StatusFacts): readonly string[] {
  const { pause, verdict } = status;
  const reasons = verdict.reasons.flatMap(({ level, sentence, fix }) => [
    `${level === 'problem' ? '!' : '-'} ${printable(sentence)}`,
    ...(fix === null ? [] : [`    ${fixText(fix, names)}`]),
  ]);
  const paused = pause === null ? [] : [`${pauseText(pause, now)}; \`holdfast resume\` ends it`];
  return [
    VERDICTS[verdict.state],
    ...reasons,
    ...asleepLines(own, plans).map((line) => `! ${line}`),
    ...labelled([
      ['Last backup', [formatMoment(status.lastBackupAt, now, 'none yet')]],
      ['Next backup', [formatMoment(status.nextBackupAt, now, 'none planned')]],
      ['Paused', paused],
      ['Now', runs.map((run) => statusLine(run, now))],
    ]),
  ];
}

/** What the button of a screen would do, as a command or as a sentence. */
function fixText(fix: Fix, names: ReadonlyMap<string, string>): string {
  const word = (id: string) =>
    names.get(id)?.replace(/^(?=.*[^\w.-]).*$/s, () => id.slice(0, SHORT_ID)) ?? id;
  switch (fix.kind) {
    case 'create-plan':
      return 'holdfast plan add --help';
    case 'add-destination':
      return 'holdfast destination add --help';
    case 'run-plan':
      return `holdfast plan run ${word(fix.planId)}`;
    case 'edit-plan':
      return `holdfast plan edit ${word(fix.planId)}`;
    case 'open-run':
      return `holdfast runs show ${fix.runId.slice(0, SHORT_ID)}`;
    case 'check-destination':
      return `holdfast destination check ${word(fix.destinationId)}`;
    case 'open-destination':
      return `holdfast destination test ${word(fix.destinationId)}`;
    case 'sign-in':
      return `holdfast destination sign-in ${word(fix.destinationId)}`;
    case 'resume':
      return 'holdfast resume';
    default:
      return assertNever(fix);
  }
}
