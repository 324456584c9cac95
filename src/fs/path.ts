import { type ByteString, toBytes, toText } from '../util/byte-string.ts';

const windows = process.platform === 'win32';

/** The form in which Node's fs takes a path: raw bytes, or text on Windows, whose long paths need it. */
export function nodePath(path: ByteString): Buffer | string {
  return windows ? toText(path) : toBytes(path);
}
