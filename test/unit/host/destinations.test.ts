import * as fs from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Destination } from '../../../src/api/model/destination.ts';
import type { Plan } from '../../../src/api/model/plan.ts';
import { createAt, openAt } from '../../../src/host/binding.ts';
import { passwordName, recoveryName } from '../../../src/host/destinations.ts';
import { loadSettings, saveSettings } from '../../../src/host/repository-settings.ts';
import { destinationOf, planOf } from '../../helpers/host-values.ts';
import { RealHost } from '../../helpers/real-host.ts';
import { useSharedTemp } from '../../helpers/scope.ts';

const shared = useSharedTemp();
const code = (wanted: string) => expect.objectContaining({ code: wanted });

describe('destinations', () => {
  let place: RealHost;
  let first: { destination: Destination; recoveryKey: string | null };
  const PASSWORD = 'a password of nobody else';

  beforeAll(async () => {
    place = await new RealHost(shared).open();
    first = await place.client.destinations.add({
      name: 'usb',
      location: join(place.home, 'usb'),
      password: PASSWORD,
    });
  });
  afterAll(() => place.close());

  it('makes a repository that opens with the password and with the words', async () => {
    const { destination, recoveryKey } = first;
    expect(destination).toMatchObject({
      kind: 'local',
      embedded: false,
      problem: null,
      hasRecoveryKey: true,
    });
    expect(destination.space?.total).toBeGreaterThan(0);
    expect(recoveryKey?.split(' ').length).toBeGreaterThanOrEqual(12);
    for (const secret of [PASSWORD, recoveryKey!]) {
      const repository = await openAt(destination.location, secret, {});
      expect(repository.id).toBe(destination.repositoryId);
      await repository.close();
    }
    expect(place.events).toContainEqual({ kind: 'destination', destination });
  });

  it('is the same destination if it is added again, whatever it is called', async () => {
    const again = { name: 'other', location: join(place.home, 'usb', '..', 'usb'), password: PASSWORD };
    await expect(place.client.destinations.add(again)).rejects.toThrow(/the destination “usb” already/);
    await expect(place.client.destinations.add(again)).rejects.toEqual(code('conflict'));
    const twin = { name: 'usb', location: join(place.home, 'elsewhere') };
    await expect(place.client.destinations.add(twin)).rejects.toEqual(code('conflict'));
    expect(fs.existsSync(twin.location)).toBe(false);
    expect(await place.client.destinations.list()).toHaveLength(1);
  });

  it.each([
    ['a relative path', { location: 'backup' }, 'usage'],
    ['a kind of storage that is none', { location: 'ftp9:host/x' }, undefined],
    ['a wrong password', { location: 'usb', password: 'wrong' }, 'wrong-password'],
    ['no password for a repository that is there', { location: 'usb' }, 'wrong-password'],
  ])('refuses %s and leaves nothing behind', async (_what, given, wanted) => {
    const before = await place.host.secrets.names();
    const location = given.location === 'usb' ? join(place.home, 'usb') : given.location;
    const adding = place.client.destinations.add({ name: 'x', ...given, location });
    await expect(adding).rejects.toMatchObject(wanted ? { code: wanted } : { name: 'EngineError' });
    expect(await place.host.secrets.names()).toEqual(before);
    expect(await place.client.destinations.list()).toHaveLength(1);
  });

  it('says what stands in the way where nothing can be written', async () => {
    const before = await place.host.secrets.names();
    const location = join(place.write('taken', { file: 'no folder' }), 'file', 'repository');
    await expect(place.client.destinations.add({ name: 'x', location })).rejects.toMatchObject({
      name: 'EngineError',
      message: expect.stringContaining('file'),
    });
    expect(await place.client.destinations.list()).toHaveLength(1);
    const left = (await place.host.secrets.names()).length - before.length;
    expect(left).toBeLessThanOrEqual(2);
  });

  it('tests a connection in all cases, and leaves nothing there', async () => {
    const { client, home } = place;
    const usb = join(home, 'usb');
    const files = () => fs.readdirSync(usb, { recursive: true }).toSorted();
    const before = files();
    const test = (location: string, password?: string) =>
      client.destinations.test({ location, ...(password === undefined ? {} : { password }) });
    expect(await test(usb)).toMatchObject({ repository: true, writable: true, problem: null });
    expect(await test(usb, PASSWORD)).toMatchObject({ repository: true, writable: true, problem: null });
    expect(await test(usb, 'no')).toMatchObject({
      repository: true,
      writable: true,
      problem: { code: 'wrong-password' },
    });
    expect(await test(join(home, 'new', 'deep'))).toMatchObject({
      repository: false,
      writable: true,
      problem: null,
      space: { free: expect.any(Number) },
    });
    expect(fs.existsSync(join(home, 'new'))).toBe(false);
    expect(await test('relative')).toMatchObject({ repository: false, problem: { code: 'usage' } });
    expect(await test('nonsense:x')).toMatchObject({ repository: false, problem: expect.anything() });
    expect(files()).toEqual(before);
  });

  it('takes a repository that came with its own password as it is', async () => {
    const location = join(place.home, 'old');
    await (await createAt(location, 'its own', {})).close();
    const keys = () => fs.readdirSync(join(location, 'keys'));
    const before = keys();
    const added = await place.client.destinations.add({ name: 'old', location, password: 'its own' });
    expect(added).toMatchObject({
      recoveryKey: null,
      restoredPlans: 0,
      destination: { hasRecoveryKey: false },
    });
    expect(keys()).toEqual(before);
    expect(await place.client.destinations.test({ location, password: 'its own' })).toMatchObject({
      repository: true,
      problem: null,
    });
    const { html } = await place.client.destinations.recoveryKit({ id: added.destination.id });
    // It gets words when somebody wants to have them on paper.
    const words = (await place.host.secrets.get(recoveryName(added.destination.id)))!;
    for (const word of words.split(' ')) expect(html).toContain(`<li>${word}</li>`);
    await (await openAt(location, words, {})).close();
    expect(keys()).toHaveLength(before.length + 1);
    expect(place.events).toContainEqual({
      kind: 'destination',
      destination: { ...added.destination, hasRecoveryKey: true },
    });
    await place.client.destinations.remove({ id: added.destination.id });
    expect(fs.existsSync(join(location, 'config'))).toBe(true);
    expect(await place.host.secrets.get(passwordName(added.destination.id))).toBeUndefined();
    expect(place.events).toContainEqual({ kind: 'destination-removed', destinationId: added.destination.id });
    await expect(place.client.destinations.get({ id: added.destination.id })).rejects.toEqual(
      code('not-found'),
    );
  });

  it('keeps what a plan uses', async () => {
    const { client } = place;
    const { id } = first.destination;
    const plan = await client.plans.create({
      name: 'Uses it',
      sources: [{ kind: 'path', path: place.write('source', { a: 'a' }) }],
      destinations: [id],
      schedule: { when: { kind: 'manual' } },
    });
    await expect(client.destinations.remove({ id })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('“Uses it”'),
    });
    await client.plans.remove({ id: plan.id });
    expect(await place.host.secrets.get(passwordName(id))).toBe(PASSWORD);
  });

  it('changes what may be changed, and nothing else', async () => {
    const { client } = place;
    const { id, location, repositoryId } = first.destination;
    const changed = await client.destinations.update({ id, name: 'renamed', uploadLimit: 5000 });
    expect(changed).toMatchObject({ id, name: 'renamed', location, repositoryId, uploadLimit: 5000 });
    expect(await client.destinations.get({ id })).toEqual(changed);
    expect(place.events).toContainEqual({ kind: 'destination', destination: changed });
    await client.destinations.update({ id, name: 'usb' });
    const missing = { id: '00000000-0000-4000-8000-000000000000', name: 'x' };
    await expect(client.destinations.update(missing)).rejects.toEqual(code('not-found'));
  });

  it('prints the words in the recovery kit', async () => {
    const { html } = await place.client.destinations.recoveryKit({ id: first.destination.id });
    for (const word of first.recoveryKey!.split(' ')) expect(html).toContain(word);
    expect(html).toContain(first.destination.location);
    expect(html).not.toContain(PASSWORD);
  });

  it('finds the password again that a killed process had made, and the missing recovery key', async () => {
    const { host, client, home } = place;
    const location = join(home, 'half');
    const id = '11111111-1111-4111-8111-111111111111';
    // As `make` leaves it when the process ends after the repository was made.
    await host.secrets.set(passwordName(id), 'made at random');
    host.store.values.set(`pending-destination:${id}`, location);
    await (await createAt(location, 'made at random', {})).close();
    // And an earlier try, which had not come that far.
    const early = '22222222-2222-4222-8222-222222222222';
    await host.secrets.set(passwordName(early), 'never used');
    host.store.values.set(`pending-destination:${early}`, location);
    const { destination, recoveryKey } = await client.destinations.add({ name: 'half', location });
    expect(destination).toMatchObject({ id, hasRecoveryKey: true });
    await (await openAt(location, recoveryKey!, {})).close();
    expect(host.store.values.get(`pending-destination:${id}`)).toBeUndefined();
    expect(await host.secrets.get(passwordName(early))).toBeUndefined();
    expect(await host.secrets.get(recoveryName(id))).toBe(recoveryKey);
    await client.destinations.remove({ id });
  });

  it('makes one repository where two ask for it at once', async () => {
    const location = join(place.home, 'raced');
    const add = (name: string) => place.client.destinations.add({ name, location });
    const results = await Promise.allSettled([add('one'), add('two')]);
    const won = results.filter((r) => r.status === 'fulfilled');
    expect(won).toHaveLength(1);
    await (await openAt(location, won[0]!.value.recoveryKey!, {})).close();
    await place.client.destinations.remove({ id: won[0]!.value.destination.id });
  });
});

describe('the destination in the data folder', () => {
  it('is there when the host serves, and takes a first backup at once', async () => {
    const place = await new RealHost(shared, { mode: 'serve' }).open();
    const [embedded, ...others] = await place.client.destinations.list();
    expect(others).toEqual([]);
    expect(embedded).toMatchObject({ embedded: true, hasRecoveryKey: true, problem: null });
    const plan = await place.client.plans.create({
      name: 'First',
      sources: [{ kind: 'path', path: place.write('documents', { 'a.txt': 'a' }) }],
      destinations: [embedded!.id],
      schedule: { when: { kind: 'manual' } },
    });
    const [run] = await place.client.plans.run({ id: plan.id });
    expect(await place.ended(run!)).toMatchObject({ state: 'succeeded', report: { filesNew: 1 } });
    await place.close();

    await place.open();
    expect(await place.client.destinations.list()).toMatchObject([{ id: embedded!.id }]);
    await place.close();

    // Its password lies beside it: even the loss of all else brings everything back by itself.
    for (const name of fs.readdirSync(place.data)) {
      if (/^(holdfast\.db|secrets)/.test(name)) fs.rmSync(join(place.data, name), { recursive: true });
    }
    await place.open();
    expect(await place.client.plans.list()).toMatchObject([
      { plan: { id: plan.id, enabled: true }, lastSuccess: [{ destinationId: embedded!.id }] },
    ]);
    await place.close();
  });
});

const PRINT_FILE = 'process.stdout.write(fs.readFileSync(process.argv[1]))';

describe('secrets', () => {
  it('are in no answer, event, log or database', async () => {
    const place = await new RealHost(shared).open();
    const { client, home, host } = place;
    const password = 'the-password-to-look-for';
    const answers: unknown[] = [];
    const { recoveryKey, ...added } = await client.destinations.add({
      name: 'usb',
      location: join(home, 'usb'),
      password,
    });
    const { recoveryKey: words2, ...second } = await client.destinations.add({
      name: 'disk',
      location: join(home, 'disk'),
    });
    const random = (await host.secrets.get(passwordName(second.destination.id)))!;
    const channel = await client.alerts.addChannel({
      name: 'mail',
      target: { kind: 'webhook', url: 'http://127.0.0.1:1/hook' },
      secret: 'the-token-to-look-for',
    });
    // A command that gives everything away.
    const said = place.write('said', { 'said.txt': `${password} ${recoveryKey} ${random}\n` });
    const plan = await client.plans.create({
      name: 'Says them all',
      sources: [{ kind: 'path', path: place.write('source', { a: 'a' }) }],
      destinations: [added.destination.id, second.destination.id],
      schedule: { when: { kind: 'manual' } },
      hooks: {
        before: [{ command: [process.execPath, '-e', PRINT_FILE, join(said, 'said.txt')] }],
      },
    });
    const runs = await client.plans.run({ id: plan.id });
    for (const run of runs) answers.push(await place.ended(run), await client.runs.log({ id: run.id }));
    const wrong = { name: 'y', location: join(home, 'usb'), password: 'the-wrong-one-to-look-for' };
    answers.push(await client.destinations.add(wrong).catch((e: unknown) => JSON.stringify(e) + String(e)));
    answers.push(await client.destinations.test(wrong));
    answers.push(added, second, channel, await client.alerts.testChannel({ id: channel.id }));
    answers.push(await client.destinations.list(), await client.alerts.channels(), await client.plans.list());
    answers.push(await client.config.export(), await client.runs.list(), await client.system.status());
    answers.push(await client.settings.get(), await client.alerts.list());
    for (const { id } of [added.destination, second.destination]) {
      answers.push(await client.versions.list({ destinationId: id }));
    }
    await place.quiet();
    const text = JSON.stringify([answers, place.events, place.log]);
    await place.close();
    const bytes = RealHost.bytesBelow(place.data);
    const secrets = [password, recoveryKey!, words2!, random, 'the-token-to-look-for', wrong.password];
    for (const secret of secrets) {
      expect(secret.length).toBeGreaterThan(15);
      expect(text).not.toContain(secret);
      expect(bytes.includes(secret)).toBe(false);
    }
    expect(bytes.includes('Says them all')).toBe(true);
    expect(text).toContain('[secret] [secret] [secret]');
  });
});

describe('a lost database', () => {
  it('comes back with the destination: versions, plans and history', async () => {
    const old = await new RealHost(shared).open();
    const location = join(old.home, 'usb');
    const added = await old.client.destinations.add({ name: 'usb', location });
    const other = await old.client.destinations.add({ name: 'disk', location: join(old.home, 'disk') });
    const create = (name: string, said: Partial<Plan> = {}) =>
      old.client.plans.create({
        name,
        sources: [{ kind: 'path', path: old.write(name, { 'a.txt': name }) }],
        destinations: [added.destination.id, other.destination.id],
        schedule: { when: { kind: 'daily', at: ['12:00'] } },
        ...said,
      });
    const plain = await create('plain');
    const hooked = await create('hooked', {
      destinations: [added.destination.id],
      hooks: {
        before: [],
        after: [{ command: ['true'], timeoutSeconds: 5, required: false }],
        onFailure: [],
      },
    });
    const dump = await create('dump', {
      destinations: [added.destination.id],
      sources: [{ kind: 'command', fileName: 'dump.sql', command: ['echo', 'data'] }],
    });
    const runs = [];
    for (const { id } of [plain, hooked, dump]) {
      for (const run of await old.client.plans.run({ id })) runs.push(await old.ended(run));
    }
    expect(runs.map((run) => run.state)).toEqual(Array(4).fill('succeeded'));
    await old.quiet();
    const versions = await old.client.versions.list({ destinationId: added.destination.id });
    await old.close();

    // What another computer keeps in the same repository.
    const theirs = destinationOf({ name: 'theirs', repositoryId: added.destination.repositoryId });
    const foreign = planOf({ name: 'foreign', destinations: [theirs.id] });
    const namesake = planOf({ name: 'plain', destinations: [theirs.id] });
    const repository = await openAt(location, added.recoveryKey!, {});
    const settings = {
      hostname: 'elsewhere',
      destination: theirs,
      plans: [foreign, namesake, { ...plain, enabled: false }],
    };
    await saveSettings(repository, { ...settings, savedAt: Date.now() + 1000 });
    await repository.close();

    const fresh = await new RealHost(shared).open();
    const { client } = fresh;
    const back = await client.destinations.add({ name: 'again', location, password: added.recoveryKey! });
    expect(back).toMatchObject({
      recoveryKey: null,
      restoredPlans: 5,
      destination: { hasRecoveryKey: true },
    });
    expect(back.destination.id).toBe(added.destination.id);
    const plans = (await client.plans.list()).map(({ plan }) => plan);
    const named = (name: string) => plans.find((plan) => plan.name === name);
    expect(named('plain')).toEqual(plain);
    expect(named('hooked')).toEqual({ ...hooked, enabled: false });
    expect(named('dump')).toEqual({ ...dump, enabled: false });
    expect(named('foreign')).toEqual({ ...foreign, enabled: false, destinations: [back.destination.id] });
    expect(named('plain (elsewhere)')).toMatchObject({ id: namesake.id, enabled: false });
    expect(await client.versions.list({ destinationId: back.destination.id })).toEqual(versions);
    const history = await client.runs.list({ destinationId: back.destination.id });
    expect(history.map((run) => [run.planName, run.state]).toSorted()).toEqual([
      ['dump', 'succeeded'],
      ['hooked', 'succeeded'],
      ['plain', 'succeeded'],
    ]);
    const { lastSuccess } = await client.plans.get({ id: plain.id });
    expect(lastSuccess).toMatchObject([{ snapshotId: versions.find((v) => v.planName === 'plain')!.id }]);
    for (const plan of plans) expect(fresh.events).toContainEqual({ kind: 'plan', plan });

    // The plan's other destination is not there yet: the backup goes to the one that is.
    const [run, ...none] = await client.plans.run({ id: plain.id });
    expect(none).toEqual([]);
    expect(await fresh.ended(run!)).toMatchObject({
      state: 'succeeded',
      report: { filesUnmodified: 1, filesNew: 0 },
    });
    const second = await client.destinations.add({
      name: 'disk',
      location: other.destination.location,
      password: other.recoveryKey!,
    });
    expect(second).toMatchObject({ restoredPlans: 0, destination: { id: other.destination.id } });
    expect((await client.plans.get({ id: plain.id })).lastSuccess).toHaveLength(2);
    await fresh.quiet();

    // Both computers' words stay beside the repository.
    const kept = await openAt(location, added.recoveryKey!, {});
    expect((await loadSettings(kept)).map((one) => one.hostname).toSorted()).toEqual(
      [fresh.host.status().hostname, 'elsewhere'].toSorted(),
    );
    await kept.close();
    await fresh.close();
  });
});
