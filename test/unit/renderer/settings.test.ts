import { describe, expect, it } from 'vitest';
import {
  CHANNEL_KINDS,
  type ChannelDraft,
  draftOf,
  inputOf,
  missingOf,
  newDraft,
  placeOf,
} from '../../../renderer/screens/settings/channel-draft.ts';
import { outlineOf } from '../../../renderer/screens/settings/config-names.ts';
import { parseRate, rateText, unitFor } from '../../../renderer/screens/settings/rate.ts';
import { Channel, ChannelInput } from '../../../src/api/model/alert.ts';

const ID = '6f1c1f6e-7d7c-4a53-8f0e-0d6a3a5b1c11';
const MAIL: Partial<ChannelDraft> = {
  host: 'smtp.example.org',
  from: 'holdfast@example.org',
  to: 'ann@example.org; bob@example.org',
};

describe('a rate', () => {
  it.each([
    ['', 'MiB/s', 'empty'],
    ['  ', 'KiB/s', 'empty'],
    ['2', 'MiB/s', 2 * 1024 ** 2],
    ['0,5', 'MiB/s', 512 * 1024],
    ['16', 'Mbit/s', 2_000_000],
    ['0.0001', 'KiB/s', 1],
    ['0', 'MiB/s', 'wrong'],
    ['-3', 'MiB/s', 'wrong'],
    ['1e3', 'MiB/s', 'wrong'],
    ['fast', 'MiB/s', 'wrong'],
  ] as const)('"%s" in %s is understood', (text, unit, wanted) => {
    expect(parseRate(text, unit)).toBe(wanted);
  });

  it.each([[null], [1], [500 * 1024], [2 * 1024 ** 2], [2_500_000], [1234 * 1024]])(
    'of %s is written so that it reads back the same',
    (rate) => {
      const unit = unitFor(rate);
      const read = parseRate(rateText(rate, unit), unit);
      expect(read === 'empty' ? null : Math.abs(Number(read) - Number(rate)) <= 1).toBe(
        rate === null ? null : true,
      );
    },
  );
});

describe('the unit of a rate', () => {
  it.each([
    [null, 'MiB/s'],
    [2.5 * 1024 ** 2, 'MiB/s'],
    [2_000_000, 'Mbit/s'],
    [500 * 1024, 'KiB/s'],
    [1234 * 1024, 'KiB/s'],
    [1_500_001, 'MiB/s'],
  ] as const)('for %s is %s', (rate, unit) => {
    expect(unitFor(rate)).toBe(unit);
  });
});

describe('a channel as it is typed', () => {
  it.each(CHANNEL_KINDS)('of the kind %s comes back from what was saved', (kind) => {
    const typed = {
      ...newDraft(kind, 'Office'),
      ...MAIL,
      url: 'https://example.org/hook',
      planId: ID,
      user: 'ann',
    };
    const saved = Channel.parse({
      ...ChannelInput.parse(inputOf(typed)),
      id: ID,
      hasSecret: true,
      lastResult: null,
    });
    const again = draftOf(saved);
    expect(missingOf(again)).toBeUndefined();
    const { secret: _, ...rest } = inputOf(typed);
    // The secret is kept unless a new one is typed.
    expect(inputOf(again)).toEqual(rest);
  });

  it.each([
    [{ ...newDraft('email', ''), ...MAIL }, 'name'],
    [{ ...newDraft('email', 'Mail'), ...MAIL, host: ' ' }, 'host'],
    [{ ...newDraft('email', 'Mail'), ...MAIL, port: '70000' }, 'port'],
    [{ ...newDraft('email', 'Mail'), ...MAIL, port: 'smtp' }, 'port'],
    [{ ...newDraft('email', 'Mail'), ...MAIL, from: 'holdfast' }, 'from'],
    [{ ...newDraft('email', 'Mail'), ...MAIL, to: '' }, 'to'],
    [{ ...newDraft('email', 'Mail'), ...MAIL, to: 'ann@example.org, bob' }, 'to'],
    [{ ...newDraft('webhook', 'Hook'), url: 'ftp://example.org' }, 'url'],
    [{ ...newDraft('ntfy', 'Phone'), url: 'https://ntfy.sh/x', on: [] }, 'on'],
  ] as const)('says what is missing (%#)', (draft, field) => {
    expect(missingOf(draft)).toEqual({ field, key: `channel.missing.${field}` });
  });

  it('need not tell of anything where it is a monitor, which hears of every run', () => {
    expect(
      missingOf({ ...newDraft('monitor', 'Watch'), url: 'https://hc.example.org/1', on: [] }),
    ).toBeUndefined();
  });

  it('names of an address only the host: the rest may be a secret', () => {
    expect(placeOf({ kind: 'webhook', url: 'https://hooks.example.org/T0/s3cret' })).toBe(
      'hooks.example.org',
    );
  });
});

describe('a configuration', () => {
  it('is told by what it names', () => {
    const yaml = 'version: 1\ndestinations: [{name: USB, location: /mnt}]\nplans: [{name: A}, {name: B}]\n';
    expect(outlineOf(yaml)).toEqual({ destinations: ['USB'], plans: ['A', 'B'], channels: [] });
  });

  it.each(['', 'plans: [', 'plans: 3', '[]'])('that is none (%s) is left to the host to say why', (yaml) => {
    expect(outlineOf(yaml)).toBeNull();
  });
});
