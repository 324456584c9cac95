/** The sources, what is left out, and, live, how much that is. */
import { ActionIcon, Button, Checkbox, Collapse, Table, Text, Textarea } from '@mantine/core';
import { IconFile, IconFolderOpen, IconTerminal2, IconX } from '@tabler/icons-react';
import { type KeyboardEvent, useState } from 'react';
import { PRESETS, type Preview, type Source } from '../../../src/api/model/plan.ts';
import { FolderField } from '../../components/folder-field.tsx';
import { ThrownNote } from '../../components/parts.tsx';
import { isAbsolute } from '../../components/paths.ts';
import { ruleText } from '../../components/words.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { sourceText } from '../plans.tsx';
import { changed, type StepProps } from './draft.ts';
import { type Counted, usePreview } from './preview.ts';
import { TryRule } from './try-rule.tsx';

export function WhatStep({ draft, onChange }: StepProps) {
  const { say } = useSpeech();
  const { sources, rules } = draft.input;
  const preview = usePreview(sources, rules);
  const set = (next: readonly Source[]) => onChange(changed(draft, { sources: [...next] }));
  return (
    <>
      <AddSource sources={sources} onAdd={(source) => set([...sources, source])} />
      {sources.length > 0 && (
        <ul className="hf-sources" aria-label={say('wizard.what.list')}>
          {sources.map((source) => (
            <SourceRow
              key={sourceText(say, source)}
              source={source}
              onRemove={() => set(sources.filter((one) => one !== source))}
            />
          ))}
        </ul>
      )}
      <Count counted={preview} />
      <LeftOut draft={draft} onChange={onChange} />
      {sources.length > 0 && <TryRule sources={sources} rules={rules} />}
    </>
  );
}

/** A field for one more folder or file; Enter adds it. */
export function AddSource(props: {
  readonly sources: readonly Source[];
  readonly onAdd: (source: Source) => void;
}) {
  const { say } = useSpeech();
  const [path, setPath] = useState('');
  const [problem, setProblem] = useState<string>();
  const add = (given: string) => {
    const wanted = given.trim();
    if (wanted === '') return;
    if (!isAbsolute(wanted)) return setProblem(say('wizard.what.relative'));
    if (props.sources.some((one) => one.kind === 'path' && one.path === wanted)) {
      return setProblem(say('wizard.what.twice'));
    }
    props.onAdd({ kind: 'path', path: wanted });
    setPath('');
    setProblem(undefined);
  };
  const onKeyDown = (e: KeyboardEvent) => {
    if (e.key !== 'Enter' || path.trim() === '') return;
    // Else it would go on to the next step.
    e.preventDefault();
    add(path);
  };
  return (
    <FolderField
      label={say('wizard.what.path')}
      placeholder={say('wizard.what.path.placeholder')}
      value={path}
      error={problem}
      onChange={setPath}
      onChosen={add}
      onKeyDown={onKeyDown}
    >
      <Button variant="light" onClick={() => add(path)}>
        {say('common.add')}
      </Button>
    </FolderField>
  );
}

export function SourceRow({ source, onRemove }: { readonly source: Source; readonly onRemove: () => void }) {
  const { say } = useSpeech();
  const text = sourceText(say, source);
  const Icon = source.kind === 'path' ? IconFolderOpen : IconTerminal2;
  return (
    <li>
      <Icon size={20} stroke={1.6} aria-hidden />
      <span className="hf-path">{text}</span>
      <ActionIcon
        variant="subtle"
        color="gray"
        aria-label={say('common.remove-named', { name: text })}
        onClick={onRemove}
      >
        <IconX size={17} aria-hidden />
      </ActionIcon>
    </li>
  );
}

/** How much is selected, and what is left out of it. */
export function Count({ counted }: { readonly counted: Counted }) {
  const { say, format } = useSpeech();
  const [open, setOpen] = useState(false);
  const { preview, error } = counted;
  if (error) return <ThrownNote error={error} />;
  if (!preview) return null;
  const leftOut = preview.excludedItems.length > 0;
  return (
    <div className="hf-count" role="status" aria-busy={!preview.done}>
      <div className="hf-count-line">
        <IconFile size={22} stroke={1.5} aria-hidden />
        <div>
          <strong>
            {say('wizard.preview.of', {
              files: say('unit.files', { count: preview.files }),
              bytes: format.bytes(preview.bytes),
            })}
          </strong>
          <Text size="sm" c="dimmed">
            {preview.done ? say('wizard.preview') : say('wizard.preview.counting')}
            {preview.excluded > 0 &&
              ` · ${say('wizard.preview.left-out', {
                files: say('unit.files', { count: preview.excluded }),
                bytes: format.bytes(preview.excludedBytes),
              })}`}
          </Text>
        </div>
        {leftOut && (
          <Button variant="subtle" size="xs" aria-expanded={open} onClick={() => setOpen(!open)}>
            {say(open ? 'wizard.preview.hide' : 'wizard.preview.show')}
          </Button>
        )}
      </div>
      {preview.problems.length > 0 && (
        <ul className="hf-missing" aria-label={say('wizard.preview.unreadable')}>
          {preview.problems.slice(0, 5).map((problem) => (
            <li key={problem}>{problem}</li>
          ))}
        </ul>
      )}
      <Collapse expanded={open && leftOut}>
        <Excluded preview={preview} />
      </Collapse>
    </div>
  );
}

function Excluded({ preview }: { readonly preview: Preview }) {
  const { say, format } = useSpeech();
  return (
    <div className="hf-scroll">
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>{say('wizard.preview.path')}</Table.Th>
            <Table.Th>{say('wizard.preview.size')}</Table.Th>
            <Table.Th>{say('wizard.preview.rule')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {preview.excludedItems.slice(0, 100).map((item) => (
            <Table.Tr key={item.path}>
              <Table.Td className="hf-path">{item.path}</Table.Td>
              <Table.Td>{format.bytes(item.bytes)}</Table.Td>
              <Table.Td>{ruleText(say, item)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}

function LeftOut({ draft, onChange }: StepProps) {
  const { say } = useSpeech();
  const { rules } = draft.input;
  const [lines, setLines] = useState(rules.lines.join('\n'));
  const set = (change: Partial<typeof rules>) => onChange(changed(draft, { rules: { ...rules, ...change } }));
  return (
    <fieldset className="hf-fieldset">
      <legend>{say('wizard.rules')}</legend>
      <div className="hf-checks">
        {PRESETS.map((preset) => (
          <Checkbox
            key={preset}
            label={say(`preset.${preset}`)}
            checked={rules.presets.includes(preset)}
            onChange={(e) =>
              set({
                presets: e.currentTarget.checked
                  ? [...rules.presets, preset]
                  : rules.presets.filter((one) => one !== preset),
              })
            }
          />
        ))}
      </div>
      <Textarea
        label={say('wizard.rules.lines')}
        description={say('wizard.rules.lines.text')}
        value={lines}
        rows={3}
        spellCheck={false}
        classNames={{ input: 'hf-mono' }}
        onChange={(e) => {
          setLines(e.currentTarget.value);
          set({ lines: e.currentTarget.value.split('\n').filter((line) => line.trim() !== '') });
        }}
      />
    </fieldset>
  );
}
