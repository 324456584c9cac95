import { describe, expect, it } from 'vitest';
import { type RecoveryKitFacts, recoveryKit } from '../../../src/secrets/recovery-kit.ts';

const KEY = 'legal winner thank year wave sausage worth useful legal winner thank yellow';

function kitOf(said: Partial<RecoveryKitFacts> & { readonly location?: string } = {}): string {
  const { location = '/media/usb/backup', ...facts } = said;
  return recoveryKit({
    destination: { name: 'USB disk', location, kind: 'local', repositoryId: 'ab'.repeat(32) },
    recoveryKey: KEY,
    madeAt: Date.parse('2026-11-24T23:30:00Z'),
    timeZone: 'Europe/Berlin',
    hostname: 'ann-laptop',
    plans: [{ name: 'Documents', sources: ['/home/ann/documents'] }],
    ...facts,
  });
}

/** What a person reads. */
function textOf(html: string): string {
  return html
    .replace(/<style>[\s\S]*?<\/style>/, '')
    .replace(/<[^>]*>/g, '')
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&amp;', '&');
}

describe('the recovery kit', () => {
  it('holds all that is needed', () => {
    const text = textOf(kitOf());
    for (const fact of [
      'USB disk',
      '/media/usb/backup',
      'ab'.repeat(32),
      'ann-laptop',
      // Half past midnight of the next day, there.
      '25 November 2026',
      'Documents',
      '/home/ann/documents',
      'restic -r /media/usb/backup snapshots',
      'restic -r /media/usb/backup restore ID --target restored',
      'restic -r /media/usb/backup restore latest --host ann-laptop --target restored',
      'holdfast -r /media/usb/backup restore latest --target restored',
    ]) {
      expect(text).toContain(fact);
    }
  });

  it('shows the words in their order', () => {
    const list = /<ol class="words">([\s\S]*?)<\/ol>/.exec(kitOf())?.[1] ?? '';
    expect([...list.matchAll(/<li>([a-z]+)<\/li>/g)].map((m) => m[1]).join(' ')).toBe(KEY);
  });

  it('needs nothing from elsewhere and runs nothing', () => {
    const html = kitOf();
    expect(html).not.toMatch(/<(script|link|img|iframe|object|form|a)\b/i);
    expect(html).not.toMatch(/\b(src|href|on\w+)=/i);
    expect(html).not.toMatch(/url\(|@import|https?:/i);
    expect(html).toContain("default-src 'none'");
  });

  it('escapes whatever it is told', () => {
    const evil = '</code><script>alert("1")</script>&\'';
    const html = recoveryKit({
      destination: { name: evil, location: evil, kind: evil, repositoryId: evil },
      recoveryKey: evil,
      madeAt: 0,
      hostname: evil,
      plans: [{ name: evil, sources: [evil] }],
      hints: {
        resticRepository: evil,
        before: [evil],
        environment: [{ name: evil, meaning: evil }],
        keep: [evil],
      },
    });
    expect(html).not.toContain('<script');
    expect(html).not.toContain('alert("1")');
    expect(textOf(html)).toContain(`Recovery kit: ${evil}`);
  });

  it('shows characters that nobody sees, or that turn others round', () => {
    const html = kitOf({ location: '/media/\u202egnp.exe\u200b\n' });
    expect(html).toContain('/media/[U+202E]gnp.exe[U+200B][U+000A]');
  });

  it.each([
    ['/media/a b', "'/media/a b'"],
    ["/media/ann's", "'/media/ann'\\''s'"],
    ['/media/$(rm)', "'/media/$(rm)'"],
    ['-rf', "'-rf'"],
    ['s3:https://example.org/bucket', 's3:https://example.org/bucket'],
    ['D:\\My Backups', '"D:\\My Backups"'],
    ['\\\\nas\\share', '"\\\\nas\\share"'],
  ])('gives %s to a shell as %s', (location, word) => {
    expect(textOf(kitOf({ location }))).toContain(`restic -r ${word} snapshots`);
  });

  it('says what a storage needs', () => {
    const text = textOf(
      kitOf({
        hints: {
          resticRepository: 'sftp:ann@nas:/backup',
          before: ['Switch the NAS on.'],
          environment: [{ name: 'AWS_ACCESS_KEY_ID', meaning: 'the name of the access key' }],
          keep: ['The login of the NAS.'],
        },
      }),
    );
    for (const said of [
      'restic -r sftp:ann@nas:/backup snapshots',
      'Switch the NAS on.',
      'The login of the NAS.',
    ]) {
      expect(text).toContain(said);
    }
    expect(text).toContain('AWS_ACCESS_KEY_ID the name of the access key');
  });

  it('does without plans', () => {
    expect(textOf(kitOf({ plans: [] }))).not.toContain('What was backed up here');
  });
});
