/** Texts: readable numbers, and names that do no harm. */
import { describe, expect, it } from 'vitest';
import { fixOf, pingText, runFailed, runSucceeded } from '../../../src/alerts/messages.ts';
import { connectionError, withoutSecret } from '../../../src/alerts/network.ts';
import { line, sentence, sizeText, spanText, timeText } from '../../../src/alerts/text.ts';
import { ERROR_CODES } from '../../../src/api/errors.ts';
import { backupRunOf } from '../../helpers/host-values.ts';

const ID = '6f2d8a52-3f9e-4c1e-9a53-0d7c1b6a2f10';
const run = backupRunOf(ID, ID);

describe('numbers', () => {
  it.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [1023, '1023 bytes'],
    [1024, '1.0 KiB'],
    [5 * 1024 ** 3, '5.0 GiB'],
    [1.5 * 1024 ** 4, '1.5 TiB'],
  ])('%d bytes read %s', (bytes, expected) => expect(sizeText(bytes)).toBe(expected));

  it.each([
    [-5, '0 seconds'],
    [1_000, '1 second'],
    [119_000, '1 minute'],
    [7_200_000, '2 hours'],
    [3 * 86_400_000, '3 days'],
  ])('%d ms read %s', (ms, expected) => expect(spanText(ms)).toBe(expected));

  it('times name their day and zone', () => {
    const instant = Date.parse('2026-11-24T10:48:00Z');
    expect(timeText(instant, 'Europe/Berlin')).toMatch(/^Tuesday,? 24 November 2026 at 11:48 (CET|GMT\+1)$/);
    expect(timeText(instant, 'UTC')).toContain('10:48 UTC');
  });
});

describe('a line', () => {
  it('holds no line break, control character or mark of direction, and is not too long', () => {
    expect(line(' a\r\n\u0000b\u202e\u2028c\ud800 ')).toBe('a b c\ufffd');
    expect(line('🙂'.repeat(20), 10)).toBe(`${'🙂'.repeat(9)}…`);
    expect(sentence('It failed')).toBe('It failed.');
    expect(sentence('Why?')).toBe('Why?');
  });
});

describe('messages', () => {
  it.each(ERROR_CODES)('of a failure by %s have three lines: what, what it means, what to do', (code) => {
    const error = { code, message: 'That went wrong', transient: false };
    const { title, text } = runFailed({ ...run, state: 'failed', error });
    expect(title).toBe('The backup of “Documents” to “USB disk” failed');
    const lines = text.split('\n');
    expect(lines).toHaveLength(3);
    for (const one of lines) expect(one).toMatch(/^[A-Z“].*[.!?]$/);
  });

  it("prefer the error's own hint", () => {
    const error = { code: 'io', message: 'No.', transient: true, hint: 'Plug it in' } as const;
    expect(runFailed({ ...run, error }).text).toMatch(
      /The cause may pass by itself\. If it does not: Plug it in\.$/,
    );
  });

  it('tell what a backup did', () => {
    const report = {
      kind: 'backup',
      snapshotId: null,
      filesNew: 1,
      filesChanged: 2,
      filesUnmodified: 3,
      bytesProcessed: 1,
      bytesAdded: 1,
      bytesStored: 2048,
    } as const;
    const ended = { ...run, startedAt: 0, endedAt: 125_000, report };
    expect(runSucceeded(ended).text.split('\n')[0]).toBe(
      'The backup of “Documents” to “USB disk” went well in 2 minutes. 1 new file, 2 changed, 3 as before; 2.0 KiB stored.',
    );
    expect(pingText({ ...ended, state: 'warnings', problemCount: 1 })).toBe(
      'The backup of “Documents” to “USB disk” ended with 1 problem. 1 new file, 2 changed, 3 as before; 2.0 KiB stored.',
    );
  });

  it('have a button', () => {
    const alert = { id: ID, title: '', text: '', startedAt: 0, endedAt: null, runId: null };
    expect(fixOf({ ...alert, kind: 'no-backup', subject: `plan:${ID}` })).toEqual({
      kind: 'run-plan',
      planId: ID,
    });
    expect(fixOf({ ...alert, kind: 'space-low', subject: `destination:${ID}` })).toEqual({
      kind: 'open-destination',
      destinationId: ID,
    });
    expect(fixOf({ ...alert, kind: 'run-failed', subject: `plan:${ID}`, runId: ID })).toEqual({
      kind: 'open-run',
      runId: ID,
    });
  });
});

describe('connection errors', () => {
  it.each([
    ['ECONNREFUSED', true, /^h:1 refuses the connection/],
    ['ENOTFOUND', true, /^There is no server called h:1, or/],
    ['EHOSTUNREACH', true, /^The connection to h:1 failed \(EHOSTUNREACH\)/],
    [undefined, true, /^The connection to h:1 failed\. /],
    ['CERT_HAS_EXPIRED', false, /certificate of h:1 has expired, so nothing was sent/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', false, /certificate of h:1 is for another name/],
    ['SELF_SIGNED_CERT_IN_CHAIN', false, /is not trusted by this computer/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', false, /is not trusted by this computer/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', false, /does not speak TLS/],
  ] as const)('%s', (code, transient, expected) => {
    expect(connectionError(code, 'h:1')).toMatchObject({
      transient,
      message: expect.stringMatching(expected),
    });
  });
});

describe('withoutSecret', () => {
  it('takes out every form in which it could come back', () => {
    const plain = Buffer.from('\0ann\0a b+c').toString('base64');
    const text = `a b+c ${Buffer.from('a b+c').toString('base64')} a%20b%2Bc ${plain} fine`;
    expect(withoutSecret(text, 'a b+c', 'ann')).toBe('*** *** *** *** fine');
    expect(withoutSecret('fine', undefined)).toBe('fine');
    expect(withoutSecret('fine', '')).toBe('fine');
  });
});
