/** The beginning of a text, or a picture. */
import { Text } from '@mantine/core';
import { useEffect, useState } from 'react';
import type { FileInVersion, FilePreview } from '../../../src/api/model/look.ts';
import { ThrownNote } from '../../components/parts.tsx';
import { baseName } from '../../components/paths.ts';
import { useFilePreview } from '../../data/versions.ts';
import { useSpeech } from '../../i18n/speech.tsx';
import { Loading, TextBox } from './side-parts.tsx';

export function Preview({ file }: { readonly file: FileInVersion }) {
  const { say } = useSpeech();
  const { data: preview, error, isPending } = useFilePreview(file);
  if (error) return <ThrownNote error={error} />;
  if (isPending) return <Loading />;
  switch (preview.kind) {
    case 'text':
      return (
        <>
          <TextBox label={say('restore.preview')}>{preview.text}</TextBox>
          {preview.cut && (
            <Text size="sm" c="dimmed">
              {say('restore.preview.cut')}
            </Text>
          )}
        </>
      );
    case 'image':
      return <Picture image={preview} name={baseName(file.path)} />;
    case 'none':
      return (
        <Text size="sm" c="dimmed">
          {say(`restore.preview.${preview.reason}`)}
        </Text>
      );
  }
}

function Picture(props: { readonly image: Extract<FilePreview, { kind: 'image' }>; readonly name: string }) {
  const { say } = useSpeech();
  const { data, mediaType } = props.image;
  const url = useBlobUrl(data, mediaType);
  // What can't be shown is damaged, or of a kind that this browser does not know.
  const [broken, setBroken] = useState<string>();
  if (broken === data) {
    return (
      <Text size="sm" c="dimmed">
        {say('restore.preview.binary')}
      </Text>
    );
  }
  return url === undefined ? (
    <Loading />
  ) : (
    <img
      className="hf-preview-image"
      src={url}
      alt={say('restore.preview.image', { name: props.name })}
      onError={() => setBroken(data)}
    />
  );
}

function useBlobUrl(base64: string, type: string): string | undefined {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
    const made = URL.createObjectURL(new Blob([bytes], { type }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [base64, type]);
  return url;
}
