/** "Find a file in any version": hits while the person types, each of which leads to its place in its version. */
import { CloseButton, Loader, Text, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { IconFile, IconFolder, IconSearch } from '@tabler/icons-react';
import { type KeyboardEvent, useRef } from 'react';
import type { Version } from '../../../src/api/model/destination.ts';
import type { SearchHit, SearchResult } from '../../../src/api/model/look.ts';
import { Moment, ThrownNote, ToneBadge } from '../../components/parts.tsx';
import { useCatalog, useSearchVersions } from '../../data/versions.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { changeDraft, type Go, useDraft } from './draft.ts';
import { only, parentOf, toggled } from './selection.ts';

/** After the last letter, in milliseconds. */
const PAUSE = 120;

export interface SearchProps {
  readonly destinationId: string;
  /** That is chosen now. */
  readonly version: Version;
  readonly go: Go;
}

export function SearchPanel({ destinationId, version, go }: SearchProps) {
  const { say } = useSpeech();
  const { search, selection } = useDraft();
  const [text] = useDebouncedValue(search.trim(), PAUSE);
  const found = useSearchVersions(destinationId, text);
  const box = useRef<HTMLElement>(null);
  const open = (hit: SearchHit) => {
    // Of the same version, it joins what is chosen; what is chosen is all of one version.
    const joins = hit.versionId === version.id && !selection.has(hit.path);
    changeDraft({ selection: joins ? toggled(selection, hit) : only(hit), reveal: hit.path, search: '' });
    go({ versionId: hit.versionId, step: 'files' });
  };
  return (
    <search ref={box} className="hf-search" onKeyDown={(e) => moveInHits(e, box.current)}>
      <TextInput
        label={say('restore.search')}
        placeholder={say('restore.search.placeholder')}
        size="md"
        value={search}
        leftSection={<IconSearch size={18} aria-hidden />}
        rightSection={
          search !== '' &&
          (found.isFetching ? (
            <Loader size="xs" aria-label={say('restore.search.busy')} />
          ) : (
            <CloseButton
              size="sm"
              aria-label={say('restore.search.clear')}
              onClick={() => changeDraft({ search: '' })}
            />
          ))
        }
        onChange={(e) => changeDraft({ search: e.currentTarget.value })}
        autoComplete="off"
        spellCheck={false}
      />
      {search.trim() !== '' && (
        <>
          <ThrownNote error={found.error} />
          {found.data && text !== '' && <Hits result={found.data} text={text} onOpen={open} />}
        </>
      )}
      <CatalogLine destinationId={destinationId} shown={search.trim() !== ''} />
    </search>
  );
}

/** Arrows go from the field to the hits and among them; Escape clears; Enter never sends the wizard on. */
function moveInHits(e: KeyboardEvent, box: HTMLElement | null): void {
  if (!box) return;
  const stops = [...box.querySelectorAll<HTMLElement>('input, .hf-hit')];
  const at = stops.indexOf(e.target as HTMLElement);
  if (at < 0) return;
  const by = e.key === 'ArrowDown' ? 1 : e.key === 'ArrowUp' ? -1 : 0;
  if (by !== 0) {
    e.preventDefault();
    stops[at + by]?.focus();
  } else if (e.key === 'Escape' && stops[0] instanceof HTMLInputElement) {
    e.preventDefault();
    changeDraft({ search: '' });
    stops[0].focus();
  } else if (e.key === 'Enter' && at === 0) {
    e.preventDefault();
    stops[1]?.click();
  }
}

function Hits(props: {
  readonly result: SearchResult;
  readonly text: string;
  readonly onOpen: (hit: SearchHit) => void;
}) {
  const { say } = useSpeech();
  const { hits, more } = props.result;
  const words = props.text.toLocaleLowerCase().split(/\s+/);
  return (
    <>
      <Text size="sm" c="dimmed" role="status">
        {say(more ? 'restore.search.more' : 'restore.search.found', { count: hits.length })}
      </Text>
      {hits.length > 0 && (
        <ul className="hf-hits" aria-label={say('restore.search.hits')}>
          {hits.map((hit) => (
            <li key={`${hit.versionId} ${hit.path}`}>
              <Hit hit={hit} words={words} onOpen={() => props.onOpen(hit)} />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function Hit(props: {
  readonly hit: SearchHit;
  readonly words: readonly string[];
  readonly onOpen: () => void;
}) {
  const { say, format } = useSpeech();
  const { name, path, kind, bytes, at, states, gone } = props.hit;
  const Icon = kind === 'dir' ? IconFolder : IconFile;
  return (
    <button type="button" className="hf-hit" onClick={props.onOpen}>
      <Icon size={20} stroke={1.6} aria-hidden />
      <span className="hf-hit-name">
        <Marked text={name} words={props.words} />
        <small className="hf-clip">{parentOf(path)}</small>
      </span>
      {gone && <ToneBadge tone="fair">{say('restore.search.gone')}</ToneBadge>}
      <span className="hf-hit-facts">
        <span>{bytes === null ? say('restore.kind.dir') : format.bytes(bytes)}</span>
        <small>
          <Moment at={at} />
          {states > 1 && ` · ${say('restore.search.states', { count: states })}`}
        </small>
      </span>
    </button>
  );
}

/** What was typed is marked; what the host found by other letters (accents) is not. */
function Marked({ text, words }: { readonly text: string; readonly words: readonly string[] }) {
  const lower = text.toLocaleLowerCase();
  const found = words
    .filter((word) => word !== '')
    .map((word) => ({ start: lower.indexOf(word), length: word.length }))
    .filter(({ start }) => start >= 0)
    .toSorted((a, b) => a.start - b.start);
  const parts = [];
  let end = 0;
  for (const { start, length } of found) {
    if (start < end) continue;
    parts.push(text.slice(end, start), <mark key={start}>{text.slice(start, start + length)}</mark>);
    end = start + length;
  }
  return (
    <span className="hf-clip">
      {parts}
      {text.slice(end)}
    </span>
  );
}

function CatalogLine(props: { readonly destinationId: string; readonly shown: boolean }) {
  const { say } = useSpeech();
  const { data: catalog } = useCatalog(props.destinationId);
  if (!catalog) return null;
  const { done, total, problem } = catalog;
  const complete = done >= total;
  if (complete && problem === null) return null;
  if (problem !== null) {
    return (
      <Text size="sm" role={props.shown ? 'status' : undefined}>
        {say('restore.catalog.problem', { problem })}
      </Text>
    );
  }
  return (
    <Text size="sm" c="dimmed">
      {say('restore.catalog', { done, total })}
    </Text>
  );
}
