import { describe, expect, it } from 'vitest';
import { phaseWords, waitingWords } from '../../../renderer/components/words.ts';
import { formatsOf } from '../../../renderer/format.ts';
import { sayer } from '../../../renderer/i18n/languages.ts';
import type { Progress } from '../../../src/api/model/run.ts';

function speech(language: 'en' | 'de') {
  return { language, say: sayer(language, language), format: formatsOf(language) };
}

const progress: Progress = {
  phase: 'Opening “USB disk”',
  phaseCode: 'opening',
  filesDone: 0,
  filesTotal: null,
  bytesDone: 0,
  bytesTotal: null,
  bytesPerSecond: 0,
  secondsLeft: null,
  current: [],
  problems: 0,
};

describe('what the host says', () => {
  it('of the work at hand is its own sentence in English, and one of the same meaning else', () => {
    expect(phaseWords(speech('en'), progress)).toBe('Opening “USB disk”');
    expect(phaseWords(speech('de'), progress)).toBe('Öffnet das Ziel');
    expect(phaseWords(speech('en'), { ...progress, phase: '', phaseCode: 'starting' })).toBe('Starting');
  });

  it('of a wait likewise; what only it knows is kept', () => {
    const waits = {
      waitingFor: 'It starts when the destination answers.',
      waitingCode: 'destination',
    } as const;
    expect(waitingWords(speech('en'), waits)).toBe(waits.waitingFor);
    expect(waitingWords(speech('de'), waits)).toBe('Beginnt, sobald das Ziel antwortet.');
    const fault = { waitingFor: "It can't be started: the disk is full", waitingCode: 'fault' } as const;
    expect(waitingWords(speech('de'), fault)).toContain('the disk is full');
    expect(waitingWords(speech('de'), { waitingFor: null, waitingCode: null })).toBeNull();
    // A run that an older version has noted.
    expect(waitingWords(speech('de'), { waitingFor: 'Waits.', waitingCode: null })).toBe('Waits.');
  });
});
