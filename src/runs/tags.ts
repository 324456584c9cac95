/**
 * How snapshots name what made them: `plan:<id>` for the plan, `source:<file name>` for a command whose output is the
 * snapshot. Files and folders of a plan are one snapshot, each command's output is one of its own.
 */
import type { Plan } from '../api/model/plan.ts';
import type { Snapshot } from '../format/types.ts';

const PLAN_TAG = /^plan:([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;
const SOURCE_TAG = 'source:';

/** The plan that a snapshot's tags name. */
export function planOfSnapshot(snapshot: Pick<Snapshot, 'tags'>): string | null {
  for (const tag of snapshot.tags ?? []) {
    const id = PLAN_TAG.exec(tag)?.[1];
    if (id !== undefined) return id;
  }
  return null;
}

/** The file name of the command whose output a snapshot is; null for one of files and folders. */
export function commandOfSnapshot(snapshot: Pick<Snapshot, 'tags'>): string | null {
  const tag = snapshot.tags?.find((t) => t.startsWith(SOURCE_TAG));
  return tag === undefined ? null : tag.slice(SOURCE_TAG.length);
}

export function tagsOf(plan: Pick<Plan, 'id' | 'tags'>, fileName?: string): string[] {
  const source = fileName === undefined ? [] : [SOURCE_TAG + fileName];
  // A person's own tags must not make a snapshot look like that of another plan or command.
  const own = plan.tags.filter((tag) => !PLAN_TAG.test(tag) && !tag.startsWith(SOURCE_TAG));
  return [...new Set([`plan:${plan.id}`, ...source, ...own])];
}
