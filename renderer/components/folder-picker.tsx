/**
 * Chooses a folder or file of the host's computer, for browsers, which see only their own.
 *
 * here    the folder that is shown; choosing a folder means this one
 * active  the entry that the keyboard is at
 */
import { Button, Group, Modal, Skeleton, Switch, Text, TextInput } from '@mantine/core';
import {
  IconArrowUp,
  IconDatabase,
  IconFile,
  IconFolder,
  IconFolderPlus,
  IconHome,
} from '@tabler/icons-react';
import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import type { Disk, FolderEntry, FolderListing } from '../../src/api/model/computer.ts';
import { useAsk, useDisks, useFolder } from '../data/host.tsx';
import { useSpeech } from '../i18n/speech.tsx';
import { moved } from './entry-keys.ts';
import { useLayer } from './layers.ts';
import { ThrownNote, WordsNote } from './parts.tsx';
import { baseName, crumbsOf, joined } from './paths.ts';

export interface FolderPickerProps {
  readonly title: string;
  readonly what: 'folder' | 'file';
  /** null: the home folder. */
  readonly startAt: string | null;
  readonly forWriting: boolean;
  readonly onChosen: (path: string) => void;
  readonly onClose: () => void;
}

export function FolderPicker(props: FolderPickerProps) {
  const { say } = useSpeech();
  useLayer();
  return (
    <Modal
      opened
      onClose={props.onClose}
      size="lg"
      title={props.title}
      closeButtonProps={{ 'aria-label': say('common.close') }}
    >
      <Picker {...props} />
    </Modal>
  );
}

/** What is shown, and the ways to something else. A start that is not there is no fault: the home folder then. */
function usePlace(startAt: string | null) {
  const [path, setPath] = useState(startAt);
  const folder = useFolder(path);
  const lost = folder.isError && path !== null && path === startAt && folder.data === undefined;
  useEffect(() => {
    if (lost) setPath(null);
  }, [lost]);
  return { folder, listing: folder.data, go: setPath };
}

function Picker({ what, startAt, forWriting, onChosen, onClose }: FolderPickerProps) {
  const { say } = useSpeech();
  const { folder, listing, go } = usePlace(startAt);
  const [hidden, setHidden] = useState(false);
  const [file, setFile] = useState<string>();
  const open = (path: string | null) => {
    setFile(undefined);
    go(path);
  };
  const choice = what === 'folder' ? listing?.path : file;
  return (
    <div className="hf-picker">
      <Places onGo={open} />
      {listing && <Crumbs listing={listing} onGo={open} />}
      <ThrownNote error={folder.error} />
      {listing ? (
        <Entries
          key={listing.path}
          entries={listing.entries.filter((one) => shown(one, what, hidden))}
          listing={listing}
          chosen={file}
          busy={folder.isPlaceholderData}
          onOpen={open}
          onFile={what === 'file' ? setFile : undefined}
        />
      ) : (
        folder.isPending && <Skeleton height={280} radius="md" />
      )}
      {listing?.cut === true && (
        <Text size="sm" c="dimmed">
          {say('picker.cut', { count: listing.entries.length })}
        </Text>
      )}
      {forWriting && listing?.writable === false && (
        <WordsNote words={{ title: say('picker.read-only'), hint: say('picker.read-only.hint') }} />
      )}
      <div className="hf-picker-tools">
        {what === 'folder' && listing?.writable === true && (
          <NewFolder key={listing.path} within={listing.path} onMade={open} />
        )}
        <Switch
          label={say('picker.hidden')}
          checked={hidden}
          onChange={(e) => setHidden(e.currentTarget.checked)}
        />
      </div>
      <Group justify="flex-end">
        <Button variant="default" onClick={onClose}>
          {say('common.cancel')}
        </Button>
        <Button
          disabled={choice === undefined}
          onClick={() => choice !== undefined && onChosen(choice)}
          className="hf-clip"
        >
          {choice === undefined
            ? say('picker.choose')
            : say('picker.choose-named', { name: baseName(choice) })}
        </Button>
      </Group>
    </div>
  );
}

function shown(entry: FolderEntry, what: 'folder' | 'file', hidden: boolean): boolean {
  return (what === 'file' || entry.kind === 'folder') && (hidden || !entry.hidden);
}

/** Home and the disks: where most of what is looked for begins. */
function Places({ onGo }: { readonly onGo: (path: string | null) => void }) {
  const { say } = useSpeech();
  const { data: disks = [] } = useDisks();
  return (
    <fieldset className="hf-picker-places">
      <legend className="hf-unseen">{say('picker.places')}</legend>
      <Button
        size="xs"
        variant="default"
        leftSection={<IconHome size={15} aria-hidden />}
        onClick={() => onGo(null)}
      >
        {say('picker.home')}
      </Button>
      {disks
        .filter(isNamed)
        .slice(0, 6)
        .map(({ path, name }) => (
          <Button
            key={path}
            size="xs"
            variant="default"
            leftSection={<IconDatabase size={15} aria-hidden />}
            onClick={() => onGo(path)}
          >
            {name}
          </Button>
        ))}
    </fieldset>
  );
}

/** The root is the first of the way to any folder. */
const isNamed = ({ path }: Disk): boolean => path !== '/';

function Crumbs(props: { readonly listing: FolderListing; readonly onGo: (path: string) => void }) {
  const { say } = useSpeech();
  const { path, parent } = props.listing;
  const crumbs = crumbsOf(path);
  return (
    <nav aria-label={say('picker.way')} className="hf-crumbs">
      <ol>
        {crumbs.map((crumb, i) => (
          <li key={crumb.path}>
            <button
              type="button"
              onClick={() => props.onGo(crumb.path)}
              {...(i === crumbs.length - 1 ? { 'aria-current': 'location' as const } : {})}
            >
              {crumb.name}
            </button>
          </li>
        ))}
      </ol>
      <Button
        size="compact-sm"
        variant="subtle"
        disabled={parent === null}
        leftSection={<IconArrowUp size={15} aria-hidden />}
        onClick={() => parent !== null && props.onGo(parent)}
      >
        {say('picker.up')}
      </Button>
    </nav>
  );
}

interface EntriesProps {
  readonly entries: readonly FolderEntry[];
  readonly listing: FolderListing;
  readonly chosen: string | undefined;
  readonly busy: boolean;
  readonly onOpen: (path: string) => void;
  /** undefined: files are not asked for. */
  readonly onFile: ((path: string) => void) | undefined;
}

/** One stop for the keyboard: arrows move, Enter opens, Backspace goes up, letters jump. */
function Entries({ entries, listing, chosen, busy, onOpen, onFile }: EntriesProps) {
  const { say } = useSpeech();
  const id = useId();
  const list = useRef<HTMLDivElement>(null);
  const [active, setActive] = useState(0);
  const nameOf = (index: number) => `${id}-${index}`;
  useEffect(() => {
    list.current?.focus();
  }, []);
  useEffect(() => {
    // Its answer, a promise in newer browsers, is no way to clean up.
    document.getElementById(`${id}-${active}`)?.scrollIntoView({ block: 'nearest' });
  }, [id, active]);
  const take = (entry: FolderEntry | undefined) => {
    if (entry?.kind === 'folder') onOpen(entry.path);
    else if (entry) onFile?.(entry.path);
  };
  const onKeyDown = (e: KeyboardEvent) => {
    const next = moved(e.key, active, entries);
    if (next !== undefined) setActive(next);
    else if (e.key === 'Enter' || e.key === 'ArrowRight') take(entries[active]);
    else if ((e.key === 'Backspace' || e.key === 'ArrowLeft') && listing.parent !== null)
      onOpen(listing.parent);
    else return;
    e.preventDefault();
  };
  return (
    <div
      ref={list}
      className="hf-entries"
      role="listbox"
      tabIndex={0}
      aria-label={say('picker.in', { name: baseName(listing.path) })}
      aria-busy={busy}
      {...(entries.length > 0 ? { 'aria-activedescendant': nameOf(active) } : {})}
      data-autofocus
      onKeyDown={onKeyDown}
      onClick={(e) => {
        const index = indexAt(e.target);
        if (index === undefined) return;
        setActive(index);
        take(entries[index]);
      }}
    >
      {entries.length === 0 && (
        <div className="hf-entries-none" role="option" tabIndex={-1} aria-selected={false} aria-disabled>
          {say(onFile ? 'picker.empty' : 'picker.no-folders')}
        </div>
      )}
      {entries.map((entry, i) => (
        <div
          key={entry.path}
          id={nameOf(i)}
          data-index={i}
          role="option"
          tabIndex={-1}
          aria-selected={entry.path === chosen}
          data-active={i === active || undefined}
        >
          {entry.kind === 'folder' ? (
            <IconFolder size={18} stroke={1.6} aria-hidden />
          ) : (
            <IconFile size={18} stroke={1.6} aria-hidden />
          )}
          <span className="hf-clip">{entry.name}</span>
        </div>
      ))}
    </div>
  );
}

/** Of the entry that was clicked on. */
function indexAt(target: EventTarget): number | undefined {
  const option = target instanceof Element ? target.closest('[data-index]') : null;
  return option ? Number(option.getAttribute('data-index')) : undefined;
}

function NewFolder(props: { readonly within: string; readonly onMade: (path: string) => void }) {
  const { say } = useSpeech();
  const [name, setName] = useState<string>();
  const make = useAsk((host, path: string) => host.computer.makeFolder({ path }));
  if (name === undefined) {
    return (
      <Button
        size="xs"
        variant="light"
        leftSection={<IconFolderPlus size={16} aria-hidden />}
        onClick={() => setName('')}
      >
        {say('picker.new')}
      </Button>
    );
  }
  const path = joined(props.within, name.trim());
  return (
    <form
      className="hf-new-folder"
      onSubmit={(e) => {
        e.preventDefault();
        // The field that is being filled may be part of a form itself.
        e.stopPropagation();
        if (name.trim() !== '') make.mutate(path, { onSuccess: () => props.onMade(path) });
      }}
    >
      <TextInput
        size="xs"
        data-autofocus
        autoFocus
        aria-label={say('picker.new.name')}
        placeholder={say('picker.new.name')}
        value={name}
        maxLength={255}
        onChange={(e) => {
          make.reset();
          setName(e.currentTarget.value);
        }}
      />
      <Button size="xs" type="submit" loading={make.isPending} disabled={name.trim() === ''}>
        {say('picker.new.make')}
      </Button>
      <Button size="xs" variant="default" onClick={() => setName(undefined)}>
        {say('common.cancel')}
      </Button>
      <ThrownNote error={make.error} />
    </form>
  );
}
