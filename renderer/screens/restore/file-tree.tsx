/** A version's folders and files, loaded as they come into sight, each with its checkbox. */
import { IconFile, IconFileSymlink, IconFolder, IconFolderOpen, type TablerIcon } from '@tabler/icons-react';
import {
  useCallback,
  useEffect,
  useEffectEvent,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from 'react';
import type { VersionEntry } from '../../../src/api/model/destination.ts';
import { ThrownNote } from '../../components/parts.tsx';
import type { TreeItem } from '../../components/tree-keys.ts';
import { VirtualTree } from '../../components/virtual-tree.tsx';
import { thrownWords } from '../../components/words.ts';
import { useLinkState } from '../../data/host.tsx';
import { useFolderLoader } from '../../data/versions.ts';
import { type Speech, useSpeech } from '../../i18n/speech.tsx';
import { changeDraft, keepPlace } from './draft.ts';
import { Chooser, type Selection, toggled } from './selection.ts';
import { type Place, TreeModel, type TreeRow } from './tree-model.ts';

interface FileTreeProps {
  readonly destinationId: string;
  readonly versionId: string;
  readonly selection: Selection;
  /** To be opened and gone to. */
  readonly reveal: string | null;
  readonly onActive: (entry: VersionEntry | undefined) => void;
  /** Of a file. */
  readonly onEnter: () => void;
}

export function FileTree(props: FileTreeProps) {
  const speech = useSpeech();
  const load = useFolderLoader(props.destinationId, props.versionId);
  const model = useMemo(() => new TreeModel(load), [load]);
  useSyncExternalStore(model.subscribe, () => model.version);
  const { active, go, error } = useActive(model, props);
  const chooser = useMemo(() => new Chooser(props.selection), [props.selection]);
  const onRange = useCallback((first: number, last: number) => model.look(first, last), [model]);
  useRetry(model);
  const rowAt = (row: number) => model.rowAt(row) ?? WAITING;
  const expand = (row: number, expanded: boolean) => {
    const at = rowAt(row);
    if (at.kind !== 'entry' || at.entry.kind !== 'dir') return;
    if (expanded) model.open(at.place);
    else model.close(at.entry.path);
  };
  return (
    <>
      <ThrownNote error={error} />
      <VirtualTree
        label={speech.say('restore.tree')}
        count={model.count}
        item={(row) => itemOf(speech, rowAt(row), chooser, () => model.retry(rowAt(row).place.folder))}
        parentOf={(row) => model.parentRow(row)}
        active={active}
        onActive={go}
        onExpand={expand}
        onCheck={(row) => {
          const at = rowAt(row);
          if (at.kind === 'entry') changeDraft({ selection: toggled(props.selection, at.entry) });
        }}
        onEnter={(row) => {
          const at = rowAt(row);
          if (at.kind === 'failed') model.retry(at.place.folder);
          if (at.kind !== 'entry') return;
          if (at.entry.kind === 'dir') expand(row, !at.open);
          else props.onEnter();
        }}
        onRange={onRange}
      />
    </>
  );
}

const WAITING: TreeRow = { kind: 'waiting', depth: 0, total: 1, place: { folder: '/', index: 0 } };

/** Where the keyboard is: kept by folder and number, so that opening and closing others does not move it. */
function useActive(model: TreeModel, { reveal, onActive }: FileTreeProps) {
  const [place, setPlace] = useState<Place>({ folder: '/', index: 0 });
  const [error, setError] = useState<unknown>();
  const row = model.rowOf(place);
  const [lost, setLost] = useState(0);
  const active = row ?? Math.min(lost, model.count - 1);
  const at = model.rowAt(active);
  const entry = at?.kind === 'entry' ? at.entry : undefined;
  const tell = useEffectEvent(onActive);
  const path = entry?.path;
  const last = useRef<string>(undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: an entry is known by its path
  useEffect(() => {
    if (path !== undefined) last.current = path;
    tell(entry);
  }, [path]);
  useEffect(() => {
    const stop = new AbortController();
    const arrive = async () => {
      const found = reveal === null ? undefined : await model.reveal(reveal, stop.signal);
      const first = found ?? (last.current === undefined ? await model.descend(stop.signal) : undefined);
      if (stop.signal.aborted) return;
      if (first) setPlace(first);
      if (reveal !== null) changeDraft({ reveal: null });
    };
    arrive().catch((e: unknown) => !stop.signal.aborted && setError(e));
    return () => stop.abort();
  }, [model, reveal]);
  // Whoever comes back, or changes the version, finds the same file.
  useEffect(
    () => () => {
      model.rest();
      if (last.current !== undefined) keepPlace(last.current);
    },
    [model],
  );
  const go = (to: number) => {
    setLost(to);
    const next = model.rowAt(to);
    if (next) setPlace(next.place);
  };
  return { active: Math.max(0, active), go, error };
}

/** What could not be loaded because the line was broken is loaded when it is back. */
function useRetry(model: TreeModel): void {
  const connected = useLinkState() === 'connected';
  useEffect(() => {
    if (connected) model.retryAll();
  }, [model, connected]);
}

function itemOf(speech: Speech, row: TreeRow, chooser: Chooser, onRetry: () => void): TreeItem {
  const base = {
    level: row.depth + 1,
    position: row.place.index + 1,
    siblings: row.total,
    expanded: undefined,
    checked: undefined,
  };
  switch (row.kind) {
    case 'waiting':
      return { ...base, name: speech.say('restore.tree.waiting'), content: <Waiting nr={row.place.index} /> };
    case 'empty': {
      const name = speech.say('restore.tree.empty');
      return { ...base, name, content: <span className="hf-tree-note">{name}</span> };
    }
    case 'failed':
      return { ...base, ...failed(speech, row.error, onRetry) };
    case 'entry': {
      const chosen = chooser.stateOf(row.entry.path);
      return {
        ...base,
        name: nameOf(speech, row.entry),
        expanded: row.entry.kind === 'dir' ? row.open : undefined,
        checked: chosen === 'mixed' ? 'mixed' : chosen === 'on',
        content: <Entry entry={row.entry} open={row.open} />,
      };
    }
  }
}

/** What the row shows, as it shows it; the name first, by which it is found when it is typed. */
function nameOf(speech: Speech, entry: VersionEntry): string {
  return [entry.name, ...columnsOf(speech, entry)].filter((text) => text !== '').join(' ');
}

function columnsOf({ format }: Speech, { bytes, modifiedAt }: VersionEntry): readonly [string, string] {
  return [bytes === null ? '' : format.bytes(bytes), modifiedAt === null ? '' : format.short(modifiedAt)];
}

function failed(speech: Speech, error: unknown, onRetry: () => void) {
  const { title } = thrownWords(speech, error);
  return {
    name: title,
    content: (
      <span className="hf-tree-note hf-bad">
        {title}{' '}
        <button type="button" className="hf-tree-retry" tabIndex={-1} onClick={onRetry}>
          {speech.say('common.try-again')}
        </button>
      </span>
    ),
  };
}

const ICONS: Readonly<Record<VersionEntry['kind'], TablerIcon>> = {
  dir: IconFolder,
  file: IconFile,
  symlink: IconFileSymlink,
  other: IconFile,
};

function Entry({ entry, open }: { readonly entry: VersionEntry; readonly open: boolean }) {
  const [size, date] = columnsOf(useSpeech(), entry);
  const Icon = open ? IconFolderOpen : ICONS[entry.kind];
  return (
    <>
      <Icon size={18} stroke={1.6} className="hf-tree-icon" data-kind={entry.kind} aria-hidden />
      <span className="hf-tree-name hf-clip">{entry.name}</span> <span className="hf-tree-size">{size}</span>{' '}
      <span className="hf-tree-date">{date}</span>
    </>
  );
}

/** A row that will be there in a moment. */
function Waiting({ nr }: { readonly nr: number }) {
  return <span className="hf-tree-waiting" style={{ width: `${30 + ((nr * 37) % 35)}%` }} />;
}
