import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { backupRunOf, planOf } from '../../helpers/host-values.ts';
import { useTemp } from '../../helpers/scope.ts';
import { behindItsBack, openDiary } from './diary.ts';

const temp = useTemp();
const newPath = () => join(temp.dir(), 'holdfast.db');

describe('an entry that makes no sense', () => {
  it('is left out and told of once; the others are there, as many as asked for', () => {
    const path = newPath();
    const first = openDiary(path);
    const [planId, destinationId] = [randomUUID(), randomUUID()];
    const runs = Array.from({ length: 6 }, (_, queuedAt) => backupRunOf(planId, destinationId, { queuedAt }));
    const plans = [planOf(), planOf(), planOf()];
    for (const run of runs) first.store.runs.put(run);
    for (const plan of plans) first.store.plans.put(plan);
    for (const at of [1, 2, 3]) first.store.runs.addLog(runs[0]!.id, { at, level: 'info', text: 'x' });
    first.store.settings.set({ ...first.store.settings.get(), historyDays: 30 });
    first.store.close();
    behindItsBack(path, (db) => {
      db.prepare("UPDATE runs SET json = 'no JSON' WHERE queued_at = 5").run();
      db.prepare("UPDATE runs SET json = json_set(json, '$.state', 'asleep') WHERE queued_at = 4").run();
      db.prepare("UPDATE plans SET json = json_remove(json, '$.sources') WHERE seq = 2").run();
      db.prepare("UPDATE logs SET json = '[]' WHERE n = 1").run();
      db.prepare("UPDATE settings SET json = json_set(json, '$.historyDays', -1)").run();
    });
    const { store, problems } = openDiary(path);
    const again = () => {
      expect(store.runs.list({ limit: 3 })).toEqual([runs[3], runs[2], runs[1]]);
      expect(store.runs.get(runs[4]!.id)).toBeUndefined();
      expect(store.runs.lastSuccess(planId, destinationId)).toEqual(runs[3]);
      expect(store.plans.list()).toEqual([plans[0], plans[2]]);
      expect(store.plans.get(plans[1]!.id)).toBeUndefined();
      expect(store.runs.log(runs[0]!.id).map((line) => line.at)).toEqual([1, 3]);
      expect(store.settings.get().historyDays).toBe(400);
    };
    again();
    again();
    expect(problems).toHaveLength(5);
    expect(problems[0]).toContain(`run ${runs[5]!.id} (not JSON)`);
    expect(problems[1]).toContain(`run ${runs[4]!.id} (state: `);
    expect(problems[2]).toContain(`plan ${plans[1]!.id} (sources: `);
    store.plans.put(plans[1]!);
    expect(store.plans.list()).toEqual(plans);
    store.close();
  });

  it('may be answered by writing at once', () => {
    const path = newPath();
    const first = openDiary(path);
    const run = backupRunOf(randomUUID(), randomUUID());
    first.store.runs.put(run);
    first.store.close();
    behindItsBack(path, (db) => db.exec("UPDATE runs SET json = ''"));
    const { store } = openDiary(path, { onProblem: (sentence) => store.values.set('told', sentence) });
    expect(store.runs.list({ limit: 1 })).toEqual([]);
    expect(store.values.get('told')).toContain(run.id);
    store.close();
  });
});

describe('an entry of an older Holdfast', () => {
  it('gets the defaults of what it does not say', () => {
    const path = newPath();
    const first = openDiary(path);
    const plan = planOf({ tags: ['kept'] });
    first.store.plans.put(plan);
    first.store.close();
    behindItsBack(path, (db) =>
      db.exec(
        "UPDATE plans SET json = json_remove(json, '$.options', '$.hooks', '$.rules.presets', '$.schedule.catchUp')",
      ),
    );
    const { store, problems } = openDiary(path);
    expect(store.plans.list()).toEqual([plan]);
    expect(problems).toEqual([]);
    store.close();
  });
});
