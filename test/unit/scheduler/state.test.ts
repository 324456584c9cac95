import { describe, expect, it } from 'vitest';
import { decodeJobState, encodeJobState } from '../../../src/scheduler/state.ts';

describe('the state of a job as text', () => {
  it('comes back as it was', () => {
    const again = { at: 5, trigger: 'retry', attempt: 2, previousRunId: null } as const;
    const state = { handled: 3, retry: again, started: { ...again, previousRunId: 'run' } };
    expect(decodeJobState(encodeJobState(state))).toEqual(state);
  });

  it('is unknown where the text is none of it', () => {
    for (const text of [undefined, '', 'null', '{"handled":-1}', '{"handled":1,"retry":{}}']) {
      expect(decodeJobState(text)).toBeUndefined();
    }
  });

  it('takes what an older text lacks for nothing', () => {
    expect(decodeJobState('{"handled":1}')).toEqual({ handled: 1, retry: null, started: null });
  });
});
