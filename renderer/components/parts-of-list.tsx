/**
 * Long lists a part at a time: some at first, more by a button, and a field that finds by name. An office with hundreds of plans
 * opens its screens as fast as everybody else.
 */
import { Button, TextInput } from '@mantine/core';
import { IconSearch } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { useSpeech } from '../i18n/speech.tsx';

export interface PartOfList<T> {
  readonly shown: readonly T[];
  /** A field to find by name; null where the list is short. */
  readonly find: ReactNode;
  /** A button that shows more; null where all are shown. */
  readonly more: ReactNode;
}

export interface PartOptions<T> {
  /** How many are shown at first, and come by each press of the button. */
  readonly step: number;
  /** By what an item is found; without it there is no field. */
  readonly nameOf?: (item: T) => string;
  /** One that must be among those shown, wherever it is. */
  readonly must?: (item: T) => boolean;
}

export function usePartOfList<T>(all: readonly T[], o: PartOptions<T>): PartOfList<T> {
  const { say } = useSpeech();
  const [count, setCount] = useState(o.step);
  const [text, setText] = useState('');
  const { nameOf } = o;
  const fitting = nameOf && text.trim() !== '' ? all.filter((item) => holds(nameOf(item), text)) : all;
  const must = o.must ? fitting.findIndex(o.must) + 1 : 0;
  const shown = fitting.slice(0, Math.max(count, must));
  const left = fitting.length - shown.length;
  return {
    shown,
    find: nameOf && all.length > o.step && (
      <TextInput
        className="hf-find"
        type="search"
        leftSection={<IconSearch size={17} aria-hidden />}
        aria-label={say('list.find')}
        placeholder={say('list.find')}
        value={text}
        onChange={(e) => setText(e.currentTarget.value)}
      />
    ),
    more: left > 0 && (
      <div className="hf-list-more">
        <Button variant="subtle" onClick={() => setCount(shown.length + o.step)}>
          {say('list.more', { count: left })}
        </Button>
      </div>
    ),
  };
}

function holds(name: string, text: string): boolean {
  return name.toLocaleLowerCase().includes(text.trim().toLocaleLowerCase());
}
