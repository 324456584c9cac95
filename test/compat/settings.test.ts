/** What lies beside a repository stays out of restic's way, and out of our own. */
import * as fs from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { loadSettings, saveSettings } from '../../src/host/repository-settings.ts';
import { addRecoveryKey } from '../../src/secrets/recovery-key.ts';
import { recoveryKit } from '../../src/secrets/recovery-kit.ts';
import { newRecoveryWords } from '../../src/secrets/recovery-words.ts';
import type { CliPlace, ResticCli } from '../helpers/cli.ts';
import { createOnDisk, withOnDisk } from '../helpers/disk-repository.ts';
import { Holdfast } from '../helpers/holdfast.ts';
import { destinationOf, planOf } from '../helpers/host-values.ts';
import { expectCode, run } from '../helpers/process.ts';
import { CHEAP_KDF } from '../helpers/repo.ts';
import { Restic } from '../helpers/restic.ts';
import { useTemp } from '../helpers/scope.ts';
import { hasTool, requireTool } from '../helpers/tools.ts';

const temp = useTemp();
beforeEach((context) => requireTool(context, 'restic'));

const destination = destinationOf();
const settings = {
  hostname: 'ann-laptop',
  destination,
  plans: [planOf({ destinations: [destination.id] })],
  savedAt: 1,
};

async function place(version: 1 | 2): Promise<CliPlace> {
  const home = temp.dir('home');
  // A name that a shell would take apart.
  const made = { home, repository: join(home, "Ann's $HOME backup") };
  await createOnDisk(made, version);
  return made;
}

/** Two snapshots of which one needs data that the other has not, settings, and a recovery key. */
async function filled(version: 1 | 2): Promise<{ readonly at: CliPlace; readonly words: string }> {
  const [at, folder] = [await place(version), temp.dir('source')];
  for (const n of [1, 2]) {
    fs.writeFileSync(join(folder, 'file'), `text ${n}\n`.repeat(50_000));
    await new Restic(at).backup(['.'], { cwd: folder });
  }
  const words = newRecoveryWords();
  await withOnDisk(at, async (repository) => {
    await saveSettings(repository, settings);
    await addRecoveryKey(repository, words, { kdf: CHEAP_KDF });
  });
  return { at, words };
}

/** Names and bytes of what lies in the folder of settings. */
function lying(at: CliPlace): readonly (readonly [name: string, content: string])[] {
  const folder = join(at.repository, 'holdfast');
  return fs.readdirSync(folder).map((name) => [name, fs.readFileSync(join(folder, name), 'base64')]);
}

/** All that goes over a whole repository; `repairs` are called otherwise by restic before version 0.16. */
const work = (repairs: readonly (readonly string[])[]): readonly (readonly string[])[] => [
  ['check', '--read-data'],
  ['forget', '--keep-last', '1', '--prune'],
  ...repairs,
  ['check', '--read-data'],
];
const REPAIRS = [
  ['repair', 'index'],
  ['repair', 'snapshots', '--forget'],
];
const HANDS: readonly (readonly [string, (at: CliPlace) => ResticCli, readonly (readonly string[])[]])[] = [
  ['restic', (at) => new Restic(at), [['rebuild-index']]],
  ['Holdfast', (at) => new Holdfast(at), REPAIRS],
  ...(hasTool('restic-new')
    ? [['a newer restic', (at: CliPlace) => Restic.newer(at), REPAIRS] as const]
    : []),
];

async function expectUntouched(at: CliPlace, before: ReturnType<typeof lying>): Promise<void> {
  expect(before).toHaveLength(1);
  expect(lying(at)).toEqual(before);
  await withOnDisk(at, async (repository) => {
    expect(await loadSettings(repository)).toEqual([settings]);
  });
}

describe.each([1, 2] as const)('settings beside a repository of version %i', (version) => {
  it.each(HANDS)('are left alone by %s, which does not speak of them', async (_, cliOf, repairs) => {
    const { at } = await filled(version);
    const [before, cli] = [lying(at), cliOf(at)];
    for (const args of work(repairs)) {
      const { stdout, stderr } = await cli.call(args);
      expect(`${stdout}${stderr}`).not.toMatch(/holdfast\/|unknown|unexpected|warning|error:/i);
    }
    await expectUntouched(at, before);
  });

  it.each([
    ['restic', 'RESTIC', (at: CliPlace): ResticCli => new Restic(at)],
    ['Holdfast', 'HOLDFAST', (at: CliPlace): ResticCli => new Holdfast(at)],
  ])('stay where they are when %s copies', async (_, prefix, cliOf) => {
    const { at } = await filled(version);
    const [to, before] = [await place(2), lying(at)];
    const cli = cliOf(to);
    const env = {
      [`${prefix}_FROM_REPOSITORY`]: at.repository,
      [`${prefix}_FROM_PASSWORD`]: new Restic(at).password,
    };
    await cli.call(['copy'], { env });
    await new Restic(to).check();
    expect(await new Restic(to).snapshots()).toHaveLength(2);
    expect(fs.existsSync(join(to.repository, 'holdfast'))).toBe(false);
    await expectUntouched(at, before);
  });

  it('open with the words of the recovery key in restic, in place of the password', async () => {
    const { at, words } = await filled(version);
    const restic = new Restic({ ...at, password: words });
    expect(await restic.snapshots()).toHaveLength(2);
    const keys = await restic.json(['key', 'list']);
    expect(keys.map((key) => key.userName).sort()).toEqual(['recovery', 'user']);
    const target = temp.dir('restored');
    await restic.restore('latest', target);
    expect(fs.readFileSync(join(target, 'file'), 'utf8')).toBe('text 2\n'.repeat(50_000));
  });
});

/** The command lines on the kit's page that call restic, as a person copies them. */
function commandsOf(html: string): readonly string[] {
  const texts = [...html.matchAll(/<code>(restic .*?)<\/code>/g)].map(([, code = '']) => code);
  return texts.map((t) =>
    t
      .replace(/<[^>]*>/g, '')
      .replaceAll('&#39;', "'")
      .replaceAll('&amp;', '&'),
  );
}

describe('the recovery kit', () => {
  it('holds commands that work as they stand, with the recovery key for the password', async () => {
    const { at, words } = await filled(2);
    const [version] = await new Restic(at).snapshots();
    const html = recoveryKit({
      destination: { ...destination, location: at.repository },
      recoveryKey: words,
      madeAt: 0,
      hostname: version!.hostname,
      plans: settings.plans.map(({ name }) => ({ name, sources: [] })),
    });
    const commands = commandsOf(html);
    expect(commands).toHaveLength(5);
    const env = { PATH: process.env.PATH ?? '', RESTIC_PASSWORD: words, HOME: temp.dir('another-home') };
    for (const command of commands) {
      const cwd = temp.dir('another-computer');
      const line = command.replace(' ID ', ` ${version!.id} `).replace('/the/folder', '/file');
      expectCode(await run('sh', ['-c', line], { cwd, env }), 0);
      if (!line.includes(' restore ')) continue;
      const n = line.includes('latest') ? 2 : 1;
      expect(fs.readFileSync(join(cwd, 'restored', 'file'), 'utf8')).toBe(`text ${n}\n`.repeat(50_000));
    }
  });
});
