import { describe, expect, it } from 'vitest';
import { PRESETS, type Preset, Rules } from '../../../src/api/model/plan.ts';
import { presetLines } from '../../../src/rules/presets.ts';
import { compileRules } from '../../../src/rules/rule-set.ts';

type Place = readonly [platform: NodeJS.Platform, source: string, path: string, preset: Preset | undefined];

const LINUX_HOME = '/home/me';
const MAC_HOME = '/Users/me';
const WINDOWS_HOME = 'C:\\Users\\me';

/** What each leaves out; undefined: what all presets together must leave alone. */
const PLACES: readonly Place[] = [
  ['linux', LINUX_HOME, '/home/me/.cache/thumbnails/x.png', 'caches'],
  ['linux', LINUX_HOME, '/home/me/.config/Slack/Cache/x', 'caches'],
  ['linux', '/', '/var/cache/apt/x', 'caches'],
  ['linux', '/var', '/var/cache/apt/x', 'caches'],
  ['linux', LINUX_HOME, '/home/me/var/cache/x', undefined],
  ['linux', LINUX_HOME, '/home/me/.mozilla/firefox/p.default/places.sqlite', undefined],
  ['linux', LINUX_HOME, '/home/me/.config/google-chrome/Default/Bookmarks', undefined],
  [
    'linux',
    LINUX_HOME,
    '/home/me/.config/google-chrome/Default/Service Worker/CacheStorage/x',
    'browser-caches',
  ],
  ['linux', LINUX_HOME, '/home/me/.cache/mozilla/firefox/p/cache2/x', 'browser-caches'],
  ['linux', LINUX_HOME, '/home/me/report.tmp', 'temporary-files'],
  ['linux', LINUX_HOME, '/home/me/work.tmp/report.odt', undefined],
  ['linux', LINUX_HOME, '/home/me/~$letter.docx', 'temporary-files'],
  ['linux', LINUX_HOME, '/home/me/.~lock.letter.odt#', 'temporary-files'],
  ['linux', LINUX_HOME, '/home/me/tmp/x', undefined],
  ['linux', '/', '/tmp/x', 'temporary-files'],
  ['linux', '/tmp', '/tmp/x', undefined],
  ['linux', LINUX_HOME, '/home/me/.local/share/Trash/files/x', 'trash'],
  ['linux', '/mnt/disk', '/mnt/disk/.Trash-1000/files/x', 'trash'],
  ['linux', '/mnt/disk', '/mnt/disk/$RECYCLE.BIN/x', 'trash'],
  ['linux', '/mnt/disk', '/mnt/disk/#recycle/x', 'trash'],
  ['linux', LINUX_HOME, '/home/me/site/node_modules/react/index.js', 'node-modules'],
  ['linux', LINUX_HOME, '/home/me/tool/.venv/bin/python', 'node-modules'],
  ['linux', LINUX_HOME, '/home/me/go/pkg/mod/x', 'node-modules'],
  ['linux', LINUX_HOME, '/home/me/pkg/mod/x', undefined],
  ['linux', LINUX_HOME, '/home/me/vendor/contract.pdf', undefined],
  ['linux', LINUX_HOME, '/home/me/venv/holiday.jpg', undefined],
  ['linux', LINUX_HOME, '/home/me/tool/target/debug/tool', 'build-output'],
  ['linux', LINUX_HOME, '/home/me/app/target/classes/A.bin', 'build-output'],
  ...['build', 'target', 'dist', 'out', 'bin', 'obj', 'Debug'].map(
    (name): Place => ['linux', LINUX_HOME, `/home/me/${name}/plan.odt`, undefined],
  ),
  ['linux', LINUX_HOME, '/home/me/chair.obj', undefined],
  ['linux', LINUX_HOME, '/home/me/protein.pdb', undefined],
  ['linux', LINUX_HOME, '/home/me/main.o', 'build-output'],
  ['linux', LINUX_HOME, '/home/me/vms/win.qcow2', 'virtual-machines'],
  ['linux', LINUX_HOME, '/home/me/card.img', undefined],
  ['linux', '/', '/proc/1/mem', 'system'],
  ['linux', '/', '/proc', undefined],
  ['linux', '/', '/dev/sda', 'system'],
  ['linux', '/', '/swapfile', 'system'],
  ['linux', LINUX_HOME, '/home/me/proc/x', undefined],
  ['linux', LINUX_HOME, '/home/me/swapfile', undefined],
  ['linux', LINUX_HOME, '/home/me/Library/Caches/x', undefined],
  ['darwin', MAC_HOME, '/Users/me/Library/Caches/com.apple.Safari/x', 'browser-caches'],
  ['darwin', MAC_HOME, '/Users/me/Library/Caches/other/x', 'caches'],
  ['darwin', MAC_HOME, '/Users/me/Library/Safari/Bookmarks.plist', undefined],
  ['darwin', MAC_HOME, '/Users/me/Library/Application Support/Firefox/Profiles/p/places.sqlite', undefined],
  ['darwin', MAC_HOME, '/Users/me/.Trash/x', 'trash'],
  ['darwin', MAC_HOME, '/Users/me/Parallels/Win.pvm/config.pvs', 'virtual-machines'],
  ['darwin', '/', '/private/var/vm/sleepimage', 'system'],
  ['darwin', '/', '/System/Volumes/Data/Users/me/x', 'system'],
  ['win32', WINDOWS_HOME, 'C:\\Users\\me\\AppData\\Local\\Temp\\x', 'temporary-files'],
  ['win32', WINDOWS_HOME, 'C:\\Users\\me\\AppData\\Local\\Slack\\Cache\\x', 'caches'],
  [
    'win32',
    WINDOWS_HOME,
    'C:\\Users\\me\\AppData\\Local\\Google\\Chrome\\User Data\\Default\\Cache\\x',
    'browser-caches',
  ],
  [
    'win32',
    WINDOWS_HOME,
    'C:\\Users\\me\\AppData\\Local\\Google\\Chrome\\User Data\\Default\\Bookmarks',
    undefined,
  ],
  ['win32', WINDOWS_HOME, 'C:\\Users\\me\\Documents\\Temp\\x', undefined],
  ['win32', 'D:\\', 'D:\\$recycle.bin\\x', 'trash'],
  ['win32', 'C:\\', 'C:\\hiberfil.sys', 'system'],
  ['win32', 'C:\\', 'C:\\System Volume Information\\x', 'system'],
];

const FILE = { kind: 'file', size: 1 } as const;

function verdict(presets: readonly Preset[], [platform, path, asked]: Place) {
  const rules = Rules.parse({ presets, excludeCaches: false });
  return compileRules([{ kind: 'path', path }], rules, { platform }).verdict(asked, FILE);
}

describe('presets', () => {
  it.each(PLACES)('%s, %s: %s → %s', (...place) => {
    const preset = place[3];
    const all = verdict(PRESETS, place);
    expect(all.included, `${all.preset}: ${all.rule}`).toBe(preset === undefined);
    if (preset === undefined) return;
    expect(verdict([preset], place)).toMatchObject({ included: false, origin: 'preset', preset });
  });

  it('hold lines for each platform, each line once and in a form that fits something', () => {
    for (const platform of ['linux', 'darwin', 'win32'] as const) {
      for (const preset of PRESETS) {
        const lines = presetLines(preset, platform);
        expect(lines.length).toBeGreaterThan(0);
        expect(new Set(lines.map((l) => l.line)).size).toBe(lines.length);
        for (const { line, from } of lines) {
          expect(line).toMatch(from === 'root' ? /^\/[^/]/ : /^(?!\/|#| ).*\S$/);
          // A slash in the middle would tie the line to the source's top, which no preset of this kind means.
          if (from === 'source') expect(line).toMatch(/^(\*\*\/|[^/]+\/?$)/);
        }
      }
    }
  });

  it('does not depend on the order in which presets are chosen', () => {
    const place: Place = ['linux', LINUX_HOME, '/home/me/.cache/mozilla/x', undefined];
    expect(verdict(['caches', 'browser-caches'], place)).toEqual(
      verdict(['browser-caches', 'caches'], place),
    );
  });
});
