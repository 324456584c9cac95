import { execFileSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { describe, expect, it } from 'vitest';
import { gidOf, groupName, uidOf, userName } from '../../../src/fs/users.ts';
import { windows } from './scratch.ts';

const UNUSED = 3_999_999_997;

describe.skipIf(windows)('users and groups', () => {
  it('are known by name and by number', () => {
    expect(userName(0)).toBe('root');
    expect(uidOf('root')).toBe(0);
    const rootGroup = groupName(0);
    expect(rootGroup).toMatch(/^(root|wheel)$/);
    expect(gidOf(rootGroup)).toBe(0);
  });

  it('include who runs this', () => {
    const me = userInfo();
    expect(userName(me.uid)).toBe(me.username);
    expect(uidOf(me.username)).toBe(me.uid);
    const group = execFileSync('id', ['-gn'], { encoding: 'utf8' }).trim();
    expect(groupName(process.getgid!())).toBe(group);
  });

  it('may be unknown', () => {
    for (let round = 0; round < 2; round++) {
      expect(userName(UNUSED)).toBe('');
      expect(groupName(UNUSED)).toBe('');
      expect(uidOf('nobody-has-this-name')).toBeUndefined();
      expect(gidOf('nobody-has-this-name')).toBeUndefined();
    }
    expect(uidOf('')).toBeUndefined();
    expect(uidOf('root\0x')).toBeUndefined();
  });
});
