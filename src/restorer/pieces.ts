/**
 * Which parts of which packs are read, in which order, and what is done with each.
 *
 * blob work   one blob and every place that wants it
 * piece       neighbouring blobs of one pack: read in one go, opened and written by one job
 */
import type { Id } from '../format/types.ts';
import type { BlobLocation } from '../repository/blob-index.ts';
import { type FileWork, plainLength } from './file-work.ts';
import { MOST_OPEN_PER_JOB } from './open-files.ts';

export interface Write {
  readonly file: FileWork;
  readonly position: number;
}

export interface BlobWork {
  readonly at: BlobLocation;
  /** Into files that stay open beyond this job. */
  readonly writes: Write[];
  /** New files that are this blob and nothing else. */
  readonly whole: FileWork[];
}

export interface Piece {
  /** undefined: nothing is read, the files are empty. */
  readonly pack: Id | undefined;
  readonly offset: number;
  readonly length: number;
  readonly blobs: readonly BlobWork[];
  readonly empty: readonly FileWork[];
}

/** Unwanted bytes between two blobs that cost less to read than another call. */
const MOST_GAP = 256 * 1024;
const PIECE_BYTES = 4 << 20;
/** Bounds the time that one job takes: a blob of zeros may be wanted a million times. */
const MOST_FILES_PER_JOB = 256;
const MOST_OUTPUT = 64 << 20;

/** Sets each file's count of pending writes, and yields the work in an order that reads each pack from front to back. */
export function* piecesFor(files: readonly FileWork[]): Generator<Piece> {
  const empty = files.filter((f) => f.placement === 'new' && f.blobs.length === 0);
  for (const file of empty) file.pending = 1;
  for (let i = 0; i < empty.length; i += MOST_FILES_PER_JOB) {
    const some = empty.slice(i, i + MOST_FILES_PER_JOB);
    yield { pack: undefined, offset: 0, length: 0, blobs: [], empty: some };
  }
  for (const [pack, blobs] of byPack(files)) {
    const sorted = [...blobs.values()].sort((a, b) => a.at.offset - b.at.offset);
    yield* cut(pack, sorted.flatMap(splitWide));
  }
}

/** Packs in the order in which they are first wanted. */
function byPack(files: readonly FileWork[]): Map<Id, Map<Id, BlobWork>> {
  const packs = new Map<Id, Map<Id, BlobWork>>();
  for (const file of files) {
    let position = 0;
    file.blobs.forEach((at, i) => {
      if (file.matches?.[i] !== true) addWrite(workFor(packs, at), file, position);
      position += plainLength(at);
    });
  }
  return packs;
}

function workFor(packs: Map<Id, Map<Id, BlobWork>>, at: BlobLocation): BlobWork {
  let blobs = packs.get(at.pack);
  if (!blobs) {
    blobs = new Map();
    packs.set(at.pack, blobs);
  }
  let work = blobs.get(at.id);
  if (!work) {
    work = { at, writes: [], whole: [] };
    blobs.set(at.id, work);
  }
  return work;
}

function addWrite(work: BlobWork, file: FileWork, position: number): void {
  file.pending++;
  if (file.placement === 'new' && file.blobs.length === 1) work.whole.push(file);
  else work.writes.push({ file, position });
}

/** A blob that is wanted very often, as several. */
function splitWide(work: BlobWork): BlobWork[] {
  const most = Math.max(1, Math.floor(MOST_OUTPUT / Math.max(1, plainLength(work.at))));
  const writes = Math.min(most, MOST_OPEN_PER_JOB);
  const whole = Math.min(most, MOST_FILES_PER_JOB);
  if (work.writes.length <= writes && work.whole.length <= whole) return [work];
  const parts: BlobWork[] = [];
  for (let i = 0; i < work.writes.length; i += writes)
    parts.push({ at: work.at, writes: work.writes.slice(i, i + writes), whole: [] });
  for (let i = 0; i < work.whole.length; i += whole)
    parts.push({ at: work.at, writes: [], whole: work.whole.slice(i, i + whole) });
  return parts;
}

function* cut(pack: Id, blobs: readonly BlobWork[]): Generator<Piece> {
  let from = 0;
  let room = newRoom();
  for (let i = 0; i < blobs.length; i++) {
    if (i > from && !fits(blobs, from, i, room)) {
      yield pieceOf(pack, blobs.slice(from, i));
      from = i;
      room = newRoom();
    }
    const { at, writes, whole } = blobs[i]!;
    room.writes += writes.length;
    room.whole += whole.length;
    room.output += (writes.length + whole.length) * plainLength(at);
    room.end = Math.max(room.end, at.offset + at.length);
  }
  if (from < blobs.length) yield pieceOf(pack, blobs.slice(from));
}

interface Room {
  writes: number;
  whole: number;
  /** Bytes to be written. */
  output: number;
  /** Where the last blob ends; blobs may overlap in an index that lies. */
  end: number;
}

const newRoom = (): Room => ({ writes: 0, whole: 0, output: 0, end: 0 });

function fits(blobs: readonly BlobWork[], from: number, i: number, room: Room): boolean {
  const { at, writes, whole } = blobs[i]!;
  return (
    at.offset - room.end <= MOST_GAP &&
    at.offset + at.length - blobs[from]!.at.offset <= PIECE_BYTES &&
    room.writes + writes.length <= MOST_OPEN_PER_JOB &&
    room.whole + whole.length <= MOST_FILES_PER_JOB &&
    room.output < MOST_OUTPUT
  );
}

function pieceOf(pack: Id, blobs: readonly BlobWork[]): Piece {
  const offset = blobs[0]!.at.offset;
  const end = Math.max(...blobs.map(({ at }) => at.offset + at.length));
  return { pack, offset, length: end - offset, blobs, empty: [] };
}
