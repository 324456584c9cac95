/** Nodes of a tree between their value and the JSON that restic writes for them, byte for byte. */
import { type ByteString, fromBytes, isValidUtf8, rawByteString, toBytes } from '../util/byte-string.ts';
import {
  asObject,
  base64Field,
  bytesField,
  idsField,
  listField,
  needTimestamp,
  optionalId,
  textField,
  uint32Field,
  uint64Field,
} from './fields.ts';
import { damaged, type JsonObject, jsonBase64, jsonString, jsonStringOfBytes, jsonValue } from './go-json.ts';
import { goQuote, goUnquote } from './go-quote.ts';
import { sameInstant } from './time.ts';
import type { ExtendedAttribute, Node, NodeType } from './types.ts';

const WHAT = 'an entry of a directory listing';

const NODE_TYPES: ReadonlySet<string> = new Set<NodeType>([
  'file',
  'dir',
  'symlink',
  'dev',
  'chardev',
  'fifo',
  'socket',
  'irregular',
  '',
]);

const NO_BYTES = rawByteString('');
const NO_ATTRIBUTES: readonly ExtendedAttribute[] = [];

/** A node from its parsed JSON. Error: 'damaged'. */
export function parseNode(value: unknown): Node {
  const o = asObject(value, WHAT);
  return {
    name: goUnquote(textField(o, 'name', WHAT)),
    type: nodeType(o),
    mode: uint32Field(o, 'mode', WHAT),
    mtime: needTimestamp(o, 'mtime', WHAT),
    atime: needTimestamp(o, 'atime', WHAT),
    ctime: needTimestamp(o, 'ctime', WHAT),
    uid: uint32Field(o, 'uid', WHAT),
    gid: uint32Field(o, 'gid', WHAT),
    user: textField(o, 'user', WHAT),
    group: textField(o, 'group', WHAT),
    inode: uint64Field(o, 'inode', WHAT),
    deviceId: uint64Field(o, 'device_id', WHAT),
    size: uint64Field(o, 'size', WHAT),
    links: uint64Field(o, 'links', WHAT),
    linkTarget: linkTarget(o),
    extendedAttributes: extendedAttributes(o),
    genericAttributes: genericAttributes(o),
    device: uint64Field(o, 'device', WHAT),
    content: idsField(o, 'content', WHAT),
    subtree: optionalId(o, 'subtree', WHAT),
    error: textField(o, 'error', WHAT),
  };
}

function nodeType(o: JsonObject): NodeType {
  const type = textField(o, 'type', WHAT);
  if (!NODE_TYPES.has(type)) throw damaged(WHAT, 'has an unknown type');
  return type as NodeType;
}

/** The raw form, written for a target that is not UTF-8, wins over the readable one. */
function linkTarget(o: JsonObject): ByteString {
  if (o.linktarget === undefined && o.linktarget_raw === undefined) return NO_BYTES;
  const raw = base64Field(o, 'linktarget_raw', WHAT);
  return raw === null ? bytesField(o, 'linktarget', WHAT) : fromBytes(raw);
}

function extendedAttributes(o: JsonObject): readonly ExtendedAttribute[] {
  const list = listField(o, 'extended_attributes', WHAT);
  if (list === null) return NO_ATTRIBUTES;
  return list.map((item) => {
    const attribute = asObject(item, WHAT);
    return { name: bytesField(attribute, 'name', WHAT), value: base64Field(attribute, 'value', WHAT) };
  });
}

function genericAttributes(o: JsonObject): JsonObject | undefined {
  const value = o.generic_attributes ?? undefined;
  return value === undefined ? undefined : asObject(value, WHAT);
}

/** The node as restic's JSON: its field order, and fields that are empty left out where restic leaves them out. */
export function serializeNode(node: Node): string {
  return (
    `{"name":${jsonString(goQuote(node.name))},"type":"${node.type}"${number(',"mode":', node.mode)}` +
    `,"mtime":"${node.mtime}","atime":"${node.atime}","ctime":"${node.ctime}"` +
    `,"uid":${node.uid},"gid":${node.gid}${text(',"user":', node.user)}${text(',"group":', node.group)}` +
    number(',"inode":', node.inode) +
    number(',"device_id":', node.deviceId) +
    number(',"size":', node.size) +
    number(',"links":', node.links) +
    linkTargetMember(node.linkTarget) +
    extendedMember(node.extendedAttributes) +
    genericMember(node.genericAttributes) +
    number(',"device":', node.device) +
    contentMember(node.content) +
    (node.subtree === undefined ? '' : `,"subtree":"${node.subtree}"`) +
    `${text(',"error":', node.error)}}`
  );
}

function number(key: string, value: number | bigint): string {
  return value === 0 || value === 0n ? '' : `${key}${value}`;
}

function text(key: string, value: string): string {
  return value === '' ? '' : key + jsonString(value);
}

function linkTargetMember(target: ByteString): string {
  if (target === '') return '';
  const readable = `,"linktarget":${jsonStringOfBytes(target)}`;
  if (isValidUtf8(target)) return readable;
  return `${readable},"linktarget_raw":${jsonBase64(toBytes(target))}`;
}

function extendedMember(attributes: readonly ExtendedAttribute[]): string {
  if (attributes.length === 0) return '';
  const items = attributes.map(
    ({ name, value }) => `{"name":${jsonStringOfBytes(name)},"value":${jsonBase64(value)}}`,
  );
  return `,"extended_attributes":[${items.join(',')}]`;
}

/** Go writes a map's keys in the order of their bytes. */
function genericMember(attributes: JsonObject | undefined): string {
  const keys = attributes === undefined ? [] : Object.keys(attributes);
  if (keys.length === 0) return '';
  keys.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const members = keys.map((key) => `${jsonString(key)}:${jsonValue(attributes?.[key])}`);
  return `,"generic_attributes":{${members.join(',')}}`;
}

function contentMember(content: Node['content']): string {
  if (content === null) return ',"content":null';
  return content.length === 0 ? ',"content":[]' : `,"content":["${content.join('","')}"]`;
}

/** Whether two nodes say the same; times count as moments, extended attributes as a set. */
export function nodesEqual(a: Node, b: Node): boolean {
  return (
    samePlainFields(a, b) &&
    sameInstant(a.mtime, b.mtime) &&
    sameInstant(a.atime, b.atime) &&
    sameInstant(a.ctime, b.ctime) &&
    sameContent(a.content, b.content) &&
    sameAttributes(a.extendedAttributes, b.extendedAttributes) &&
    genericMember(a.genericAttributes) === genericMember(b.genericAttributes)
  );
}

const PLAIN_FIELDS = [
  'name',
  'type',
  'mode',
  'uid',
  'gid',
  'user',
  'group',
  'inode',
  'deviceId',
  'size',
  'links',
  'linkTarget',
  'device',
  'subtree',
  'error',
] as const satisfies readonly (keyof Node)[];

function samePlainFields(a: Node, b: Node): boolean {
  return PLAIN_FIELDS.every((field) => a[field] === b[field]);
}

function sameContent(a: Node['content'], b: Node['content']): boolean {
  if (a === null || b === null) return a === b;
  return a.length === b.length && a.every((id, i) => id === b[i]);
}

/** As restic: the order does not matter, of attributes with one name the last counts, and none equals an empty one. */
function sameAttributes(a: readonly ExtendedAttribute[], b: readonly ExtendedAttribute[]): boolean {
  if (a.length !== b.length) return false;
  if (a.every(({ name, value }, i) => name === b[i]!.name && sameValue(value, b[i]!.value))) return true;
  const values = new Map(a.map(({ name, value }) => [name, value]));
  const names = new Set(b.map(({ name }) => name));
  return values.size === names.size && b.every(({ name, value }) => sameValue(values.get(name), value));
}

function sameValue(a: Uint8Array | null | undefined, b: Uint8Array | null): boolean {
  return a !== undefined && Buffer.compare(a ?? new Uint8Array(), b ?? new Uint8Array()) === 0;
}
