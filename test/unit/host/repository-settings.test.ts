import { beforeEach, describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/api/errors.ts';
import type { Backend, Wrap } from '../../../src/backend/backend.ts';
import { createMemory } from '../../../src/backend/memory/memory.ts';
import {
  loadSettings,
  type RepositorySettings,
  saveSettings,
} from '../../../src/host/repository-settings.ts';
import { check, type Finding } from '../../../src/operations/check.ts';
import { changePassword } from '../../../src/operations/keys.ts';
import { openRepository, type Repository } from '../../../src/repository/repository.ts';
import { counting } from '../../helpers/counting.ts';
import { Crash, crashAfter, faulty } from '../../helpers/faulty.ts';
import { cloneBackend } from '../../helpers/history.ts';
import { destinationOf, planOf } from '../../helpers/host-values.ts';
import { alter, filesOf, flip } from '../../helpers/memory-damage.ts';
import { CHEAP_KDF, memoryRepository, PASSWORD } from '../../helpers/repo.ts';

const destination = destinationOf();
const settingsOf = (said: Partial<RepositorySettings> = {}): RepositorySettings => ({
  hostname: 'ann-laptop',
  destination,
  plans: [planOf({ name: 'Documents', destinations: [destination.id] })],
  savedAt: 1000,
  ...said,
});
/** Settings that differ from all others by the name of their plan. */
const numbered = (n: number, said: Partial<RepositorySettings> = {}) =>
  settingsOf({ plans: [planOf({ name: `plan ${n}` })], savedAt: 1000 + n, ...said });
const planNames = (all: readonly RepositorySettings[]) => all.map((s) => s.plans.map((p) => p.name));

let backend: Backend;
let repository: Repository;
beforeEach(async () => {
  backend = createMemory();
  repository = (await memoryRepository({ backend })).repository;
});

const reopened = (wrap: Wrap = (inner) => inner, of = backend): Promise<Repository> =>
  openRepository(wrap(of), { password: PASSWORD });

async function loaded(of: Repository = repository) {
  const problems: EngineError[] = [];
  const all = await loadSettings(of, { onProblem: (e) => problems.push(e) });
  return { all, problems };
}

describe('settings beside a repository', () => {
  it.each([1, 2] as const)('of version %i come back as they were', async (version) => {
    const fresh = await memoryRepository({ version });
    const settings = settingsOf();
    await saveSettings(fresh.repository, settings);
    expect(await loaded(await openRepository(fresh.repository.backend, { password: PASSWORD }))).toEqual({
      all: [settings],
      problems: [],
    });
  });

  it('are sealed', async () => {
    const id = await saveSettings(repository, settingsOf());
    const bytes = Buffer.from(await backend.load({ type: 'settings', name: id ?? '' })).toString('latin1');
    expect(bytes).not.toMatch(/laptop|Documents/);
  });

  it('are none at first', async () => {
    expect(await loaded()).toEqual({ all: [], problems: [] });
  });

  it('are the newest of each computer, the newest first', async () => {
    for (const n of [1, 2]) await saveSettings(repository, numbered(n));
    await saveSettings(repository, numbered(3, { hostname: 'bob-desktop' }));
    expect(planNames((await loaded()).all)).toEqual([['plan 3'], ['plan 2']]);
  });

  it('stay three for each computer', async () => {
    await saveSettings(repository, numbered(0, { hostname: 'bob-desktop' }));
    for (let n = 1; n <= 6; n++) await saveSettings(repository, numbered(n));
    expect(await filesOf(backend, 'settings')).toHaveLength(4);
    expect(planNames((await loaded()).all)).toEqual([['plan 6'], ['plan 0']]);
  });

  it('are the newest even if the clock was set back', async () => {
    for (let n = 1; n <= 5; n++) await saveSettings(repository, numbered(n, { savedAt: 10_000 - n }));
    expect(planNames((await loaded()).all)).toEqual([['plan 5']]);
  });

  it('are stored again only if they changed', async () => {
    const settings = settingsOf();
    const id = await saveSettings(repository, settings);
    const count = counting();
    const later = await reopened(count);
    const space = { free: 1, total: 2, at: 3 };
    const noticed = { ...settings, savedAt: 9000, destination: { ...destination, space, lastSeenAt: 5 } };
    expect(await saveSettings(later, noticed)).toBe(id);
    expect(count.writes).toEqual([]);
    expect(await saveSettings(later, { ...noticed, plans: [] })).not.toBe(id);
  });
});

describe('settings that are not as they should be', () => {
  it('give way to the ones before, and are reported', async () => {
    await saveSettings(repository, numbered(1));
    const id = await saveSettings(repository, numbered(2));
    await alter(backend, 'settings', id ?? '', flip(-1));
    const { all, problems } = await loaded();
    expect(planNames(all)).toEqual([['plan 1']]);
    expect(problems).toMatchObject([{ code: 'damaged', message: expect.stringContaining(id ?? '') }]);
    await saveSettings(repository, numbered(3));
    expect(planNames((await loaded()).all)).toEqual([['plan 3']]);
  });

  it.each(['', '{', '[]', '{"version":1}', '{"version":0}', 'null'])(
    'are no settings: %j',
    async (content) => {
      await repository.files.save('settings', Buffer.from(content));
      expect(await loaded()).toMatchObject({ all: [], problems: [{ code: 'damaged' }] });
    },
  );

  it('of a later version are reported and kept', async () => {
    await repository.files.save('settings', Buffer.from('{"version":2,"anything":true}'));
    for (let n = 1; n <= 5; n++) await saveSettings(repository, numbered(n));
    const { all, problems } = await loaded();
    expect(planNames(all)).toEqual([['plan 5']]);
    expect(problems).toMatchObject([{ code: 'unsupported' }]);
    expect(await filesOf(backend, 'settings')).toHaveLength(4);
  });

  it('cost only the plan that is not', async () => {
    const settings = settingsOf();
    const [plan] = settings.plans;
    const odd = { ...plan, name: 'Odd', schedule: { when: { kind: 'at-full-moon' } } };
    const json = { version: 1, ...settings, plans: [odd, plan, 7] };
    await repository.files.save('settings', Buffer.from(JSON.stringify(json)));
    const { all, problems } = await loaded();
    expect(planNames(all)).toEqual([['Documents']]);
    expect(problems.map((p) => p.message)).toEqual([
      expect.stringContaining('“Odd” of ann-laptop'),
      expect.stringContaining('“without a name”'),
    ]);
  });

  it('get what a later version has added, by default', async () => {
    const { plans, ...rest } = settingsOf();
    const { rules: _, options: __, hooks: ___, ...older } = plans[0]!;
    const json = { version: 1, ...rest, plans: [older] };
    await repository.files.save('settings', Buffer.from(JSON.stringify(json)));
    expect((await loaded()).all).toEqual([{ ...rest, plans }]);
  });
});

describe('settings and storages', () => {
  const failing = (
    operation: 'save' | 'list' | 'remove',
    code: 'unsupported' | 'permission' | 'unreachable',
  ) =>
    faulty([
      { kind: 'error', operation, type: 'settings', times: 1000, error: () => new EngineError(code, 'No.') },
    ]);

  it('that keep none are none the worse', async () => {
    const without = (inner: Backend) => failing('list', 'unsupported')(failing('save', 'unsupported')(inner));
    const poor = await reopened(without);
    expect(await saveSettings(poor, settingsOf())).toBeUndefined();
    expect(await loaded(poor)).toEqual({ all: [], problems: [] });
  });

  it('that never remove keep the old ones', async () => {
    const appendOnly = await reopened(failing('remove', 'permission'));
    for (let n = 1; n <= 5; n++) await saveSettings(appendOnly, numbered(n));
    expect(await filesOf(backend, 'settings')).toHaveLength(5);
    expect(planNames((await loaded()).all)).toEqual([['plan 5']]);
  });

  it('that do not answer say so', async () => {
    const away = await reopened(failing('list', 'unreachable'));
    await expect(loadSettings(away)).rejects.toMatchObject({ code: 'unreachable' });
    await expect(saveSettings(away, settingsOf())).rejects.toMatchObject({ code: 'unreachable' });
  });

  it('are there, old or new, wherever a save is stopped', async () => {
    for (let n = 1; n <= 3; n++) await saveSettings(repository, numbered(n));
    let crashed = 0;
    for (let writes = 0; ; writes++) {
      const copy = await cloneBackend(backend);
      const stopped = await reopened(crashAfter(writes), copy);
      const outcome = await saveSettings(stopped, numbered(4)).catch((e: unknown) => e);
      const after = planNames((await loaded(await reopened(undefined, copy))).all);
      expect([[['plan 3']], [['plan 4']]]).toContainEqual(after);
      if (!(outcome instanceof Crash)) break;
      crashed++;
    }
    expect(crashed).toBe(2);
  });

  it('stop at an abort', async () => {
    const signal = AbortSignal.abort();
    await expect(saveSettings(repository, settingsOf(), { signal })).rejects.toMatchObject({
      code: 'cancelled',
    });
    await expect(loadSettings(repository, { signal })).rejects.toMatchObject({ code: 'cancelled' });
    expect(await filesOf(backend, 'settings')).toEqual([]);
  });
});

describe('the rest of the engine', () => {
  it('opens them with a changed password, and finds nothing wrong', async () => {
    await saveSettings(repository, settingsOf());
    await changePassword(repository, 'another', { username: 'u', hostname: 'h', kdf: CHEAP_KDF });
    const later = await openRepository(backend, { password: 'another' });
    expect(planNames((await loaded(later)).all)).toEqual([['Documents']]);
    const findings: Finding[] = [];
    await check(later, { onFinding: (f) => findings.push(f) });
    expect(findings).toEqual([]);
  });
});
