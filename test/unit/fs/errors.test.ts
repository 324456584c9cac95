import { constants } from 'node:os';
import { describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/api/errors.ts';
import { errnoName, SystemError, showPath, translateFsError } from '../../../src/fs/errors.ts';
import { fromText } from '../../../src/util/byte-string.ts';
import { bytes, windows } from './scratch.ts';

const path = fromText('/a/ü');
const translate = (name: keyof typeof constants.errno) =>
  translateFsError(new SystemError(constants.errno[name], 'open'), path, 'read');

describe.skipIf(windows)('translateFsError', () => {
  it.each([
    ['ENOENT', 'not-found', false],
    ['EACCES', 'permission', false],
    ['EPERM', 'permission', false],
    ['ENOSPC', 'no-space', false],
    ['EDQUOT', 'no-space', false],
    ['EROFS', 'read-only', false],
    ['EEXIST', 'conflict', false],
    ['ENOTSUP', 'unsupported', false],
    ['EIO', 'io', false],
    ['EMFILE', 'io', true],
    ['ESTALE', 'unreachable', true],
    ['EXDEV', 'io', false],
  ] as const)('gives %s the code %s', (name, code, transient) => {
    expect(translate(name)).toMatchObject({ code, transient, context: { path: '/a/ü', errno: name } });
  });

  it('says what could not be done to which file, and why', () => {
    expect(translate('ENOSPC').message).toBe('Could not read "/a/ü": the disk is full.');
  });

  it('names an errno that Node has no name for', () => {
    const e = Object.assign(new Error('?'), { errno: -constants.errno.EDQUOT, code: 'Unknown system error' });
    expect(errnoName(e)).toBe('EDQUOT');
  });

  it('passes an EngineError unchanged and calls anything else a fault of the system', () => {
    const e = new EngineError('timeout', 'late');
    expect(translateFsError(e, path, 'read')).toBe(e);
    expect(translateFsError(new Error('odd'), path, 'read')).toMatchObject({ code: 'io' });
  });
});

describe('showPath', () => {
  it('escapes what would steer a terminal or turn the text around', () => {
    expect(showPath(fromText('a\n\x1b[31m\u202eb'))).toBe('"a\\u{a}\\u{1b}[31m\\u{202e}b"');
  });

  it('marks bytes that are not UTF-8', () => {
    expect(showPath(bytes(0x61, 0xff))).toBe('"a\ufffd"');
  });
});
