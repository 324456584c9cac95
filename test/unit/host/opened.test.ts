import { beforeEach, describe, expect, it } from 'vitest';
import { EngineError } from '../../../src/api/errors.ts';
import { OpenedRepositories } from '../../../src/host/opened.ts';
import type { IndexedRepository, Repository } from '../../../src/repository/repository.ts';
import { VirtualClock } from '../../helpers/virtual-clock.ts';

const MINUTE = 60_000;

describe('repositories that are kept open', () => {
  let clock: VirtualClock;
  let opened: OpenedRepositories;
  let said: string[];
  let failure: EngineError | undefined;

  /** Says what is done to it; nothing of a repository but that is asked for. */
  function repository(id: string): Repository {
    const repo: Partial<Repository> = {
      snapshots: async () => [],
      loadIndex: async () => {
        said.push(`index ${id}`);
        if (failure) throw failure;
        return {} as IndexedRepository;
      },
      close: async () => void said.push(`close ${id}`),
    };
    return repo as Repository;
  }

  beforeEach(() => {
    clock = new VirtualClock(0);
    said = [];
    failure = undefined;
    opened = new OpenedRepositories(async (id) => {
      said.push(`open ${id}`);
      if (failure) throw failure;
      return repository(id);
    }, clock);
  });

  it('are opened once, also for two who ask at once, and closed five minutes after the last', async () => {
    await Promise.all([opened.versions('a'), opened.versions('a'), opened.versions('b')]);
    expect(said).toEqual(['open a', 'open b']);
    await clock.advance(4 * MINUTE);
    await opened.versions('a');
    await clock.advance(2 * MINUTE);
    expect(said).toEqual(['open a', 'open b', 'close b']);
    await clock.advance(4 * MINUTE);
    expect(said).toEqual(['open a', 'open b', 'close b', 'close a']);
    await opened.versions('a');
    expect(said.at(-1)).toBe('open a');
    await opened.close();
    expect(said.at(-1)).toBe('close a');
    expect(clock.sleepers).toBe(0);
  });

  it('are not closed under who works with one for long', async () => {
    const versions = await opened.versions('a');
    for (let i = 0; i < 5; i++) {
      await clock.advance(4 * MINUTE);
      await versions.indexed();
    }
    expect(said).toEqual(['open a', 'index a']);
    await clock.advance(6 * MINUTE);
    expect(said.at(-1)).toBe('close a');
  });

  it('are not kept where opening failed', async () => {
    failure = new EngineError('unreachable', 'The disk is away.');
    await expect(opened.versions('a')).rejects.toBe(failure);
    failure = undefined;
    await opened.versions('a');
    expect(said).toEqual(['open a', 'open a']);
  });

  it('have their index read once, and again after a run or a failure', async () => {
    const versions = await opened.versions('a');
    expect(await versions.indexed()).toBe(await versions.indexed());
    opened.changed();
    await versions.indexed();
    expect(said.filter((one) => one === 'index a')).toHaveLength(2);
    opened.changed();
    failure = new EngineError('damaged', 'An index is damaged.');
    await expect(versions.indexed()).rejects.toBe(failure);
    failure = undefined;
    await versions.indexed();
    expect(said.filter((one) => one === 'index a')).toHaveLength(4);
  });

  it('are opened anew once they were dropped, and the old end does not close the new one', async () => {
    await opened.versions('a');
    await clock.advance(4 * MINUTE);
    await opened.drop('a');
    await opened.versions('a');
    await clock.advance(2 * MINUTE);
    expect(said).toEqual(['open a', 'close a', 'open a']);
    await opened.drop('never opened');
    await opened.close();
  });
});
