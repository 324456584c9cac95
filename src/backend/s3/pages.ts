/** Lists come in pages, by the present call and by the older one that some services alone have. */
import { type _Object, ListObjectsCommand, ListObjectsV2Command } from '@aws-sdk/client-s3';
import type { Asked } from './errors.ts';
import type { Passage, Wire } from './wire.ts';

export interface Page {
  readonly objects: readonly _Object[];
  /** From where the next one begins; undefined after the last. */
  readonly next: string | undefined;
  /** It says where the next one begins, or that there is none. */
  readonly whole: boolean;
}

type AskPage = (
  wire: Wire,
  asked: Asked,
  passage: Passage,
  input: { readonly Bucket: string; readonly Prefix: string },
  from: string | undefined,
) => Promise<Page>;

export const pageOfV1: AskPage = async (wire, asked, passage, input, from) => {
  const command = new ListObjectsCommand({ ...input, ...(from ? { Marker: from } : {}) });
  const {
    Contents = [],
    IsTruncated,
    NextMarker,
  } = await wire.ask(asked, passage, (client, how) => client.send(command, how));
  return pageOf(Contents, IsTruncated, NextMarker ?? Contents.at(-1)?.Key);
};

export const pageOfV2: AskPage = async (wire, asked, passage, input, from) => {
  const command = new ListObjectsV2Command({ ...input, ...(from ? { ContinuationToken: from } : {}) });
  const {
    Contents = [],
    IsTruncated,
    NextContinuationToken,
  } = await wire.ask(asked, passage, (client, how) => client.send(command, how));
  return pageOf(Contents, IsTruncated, NextContinuationToken);
};

function pageOf(objects: readonly _Object[], cut = false, next: string | undefined): Page {
  return { objects, next: cut ? next : undefined, whole: !cut || next !== undefined };
}
