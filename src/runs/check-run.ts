/**
 * A check of a destination, with a share of its data read.
 *
 * rotation  the packs are divided into groups by the first byte of their names; each check reads the next group, so that
 *           after as many checks as there are groups every pack has been read once. A check that did not get through does
 *           not count.
 */
import { EngineError } from '../api/errors.ts';
import type { Report } from '../api/model/run.ts';
import { type CheckPhase, check, type Finding, newCheckCounters, type Subset } from '../operations/check.ts';
import type { Store } from '../store/store.ts';
import type { Sample } from './progress.ts';
import { limitsOf, type RunContext, withRepository } from './session.ts';

type CheckReport = Extract<Report, { kind: 'check' }>;

export interface CheckOutcome {
  readonly report: CheckReport;
  /** What makes the check fail: damage was found. */
  readonly error: EngineError | null;
}

/** Groups by one byte: no more than there are bytes. */
const MOST_GROUPS = 256;
const MOST_FINDINGS = 1000;

const PHASES: Readonly<Record<CheckPhase, Pick<Sample, 'phase' | 'phaseCode'>>> = {
  index: { phaseCode: 'checking-index', phase: 'Checking the index' },
  packs: { phaseCode: 'checking-packs', phase: 'Checking that all packs are there' },
  snapshots: { phaseCode: 'checking-versions', phase: 'Checking the versions' },
  data: { phaseCode: 'reading-data', phase: 'Reading data' },
};

export interface Rotation {
  /** undefined: nothing is read. */
  readonly subset: Subset | undefined;
  /** To be called once the check has got through. */
  done(): void;
}

/** How many checks it takes to read everything. `percent` is above 0. */
export function groupsOf(percent: number): number {
  return Math.min(MOST_GROUPS, Math.ceil(100 / percent));
}

/** The share whose turn it is. Kept in the values of the store as `<groups> <next, from 1>`. */
export function nextShare(
  values: Pick<Store['values'], 'get' | 'set'>,
  destinationId: string,
  percent: number,
): Rotation {
  if (percent <= 0) return { subset: undefined, done: () => undefined };
  const groups = groupsOf(percent);
  if (groups === 1) return { subset: { kind: 'all' }, done: () => undefined };
  const key = `check-rotation:${destinationId}`;
  const [known, next] = (values.get(key) ?? '').split(' ').map(Number);
  const group = known === groups && next !== undefined && next >= 1 && next <= groups ? next : 1;
  return {
    subset: { kind: 'group', group, groups },
    done: () => values.set(key, `${groups} ${(group % groups) + 1}`),
  };
}

/** `percent` null: the next share by the destination's settings. Errors: the repository's, not damage. */
export async function runCheck(context: RunContext, percent: number | null): Promise<CheckOutcome> {
  const { ports, destination } = context;
  const rotation =
    percent === null
      ? nextShare(ports.store.values, destination.id, destination.maintenance.checkPercent)
      : { subset: asked(percent), done: () => undefined };
  // Shared: other computers may go on backing up meanwhile.
  const o = { exclusive: false, limits: limitsOf(ports, destination), measure: true, reads: true };
  const outcome = await withRepository(context, o, ({ repo, signal }) => {
    const findings = new Findings(context);
    const counters = newCheckCounters();
    const onPhase = (phase: CheckPhase) =>
      context.diary.show(() => ({
        ...PHASES[phase],
        filesDone: counters.done,
        filesTotal: counters.total,
        bytesDone: counters.bytes,
        bytesTotal: null,
        current: [],
      }));
    const { subset } = rotation;
    const options = { onFinding: findings.add, onPhase, counters, signal, remoteChecksums: true };
    return check(repo, { ...options, ...(subset ? { readData: subset } : {}) }).then((found) => {
      const { packs, packsCovered, packsProven = 0, errors } = found;
      const looked = subset !== undefined || packsProven > 0;
      const percentRead = !looked ? 0 : packs === 0 ? 100 : (100 * packsCovered) / packs;
      const report: CheckReport = {
        kind: 'check',
        percentRead,
        packs,
        packsProven,
        findings: findings.sentences(),
      };
      return { report, error: errors > 0 ? damage(errors) : null };
    });
  });
  rotation.done();
  return outcome;
}

function asked(percent: number): Subset | undefined {
  if (percent <= 0) return undefined;
  return percent >= 100 ? { kind: 'all' } : { kind: 'percent', percent };
}

class Findings {
  readonly #context: RunContext;
  readonly #kept: string[] = [];
  #more = 0;

  constructor(context: RunContext) {
    this.#context = context;
  }

  readonly add = ({ sentence, severity }: Finding): void => {
    if (this.#kept.length >= MOST_FINDINGS) {
      this.#more++;
      return;
    }
    this.#kept.push(sentence);
    this.#context.diary.log(severity === 'error' ? 'error' : 'info', sentence);
  };

  sentences(): string[] {
    return this.#more === 0 ? this.#kept : [...this.#kept, `… and ${this.#more} more.`];
  }
}

function damage(errors: number): EngineError {
  const what = errors === 1 ? 'One fault was' : `${errors} faults were`;
  return new EngineError('damaged', `The repository is damaged: ${what} found.`, {
    hint: 'The report names what is affected and how it is repaired. Do not clean up before that.',
    context: { errors },
  });
}
