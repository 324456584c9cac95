/**
 * Reads what `diskutil … -plist` prints: a property list in XML with one dictionary. Only what stands directly in it and is a text, a
 * number or a truth value is given; see Apple's PropertyList-1.0.dtd. Anything that is no such list gives an empty record.
 */
export type PlistValues = Readonly<Record<string, string | number | boolean>>;

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };
/** Markup that is not content: the prologue, the type, comments. */
const ASIDE = /<\?[\s\S]*?\?>|<!DOCTYPE[\s\S]*?>|<!--[\s\S]*?-->/g;
const PIECE = /<(\/?)([a-z]+)[^>]*?(\/?)>([^<]*)/g;

export function readPlist(xml: string): PlistValues {
  const values: Record<string, string | number | boolean> = {};
  let depth = 0;
  let key: string | undefined;
  for (const [, closes, name, empty, text] of xml.replace(ASIDE, '').matchAll(PIECE)) {
    if (name === 'dict' || name === 'array') {
      if (!empty) depth += closes ? -1 : 1;
      key = undefined;
    } else if (closes || depth !== 1 || name === undefined) continue;
    else if (name === 'key') key = unescapeXml(text ?? '');
    else if (key !== undefined) {
      const value = plainValue(name, unescapeXml(text ?? ''));
      if (value !== undefined) values[key] = value;
      key = undefined;
    }
  }
  return values;
}

function plainValue(name: string, text: string): string | number | boolean | undefined {
  switch (name) {
    case 'string':
      return text;
    case 'integer':
    case 'real':
      return Number.isFinite(Number(text)) ? Number(text) : undefined;
    case 'true':
    case 'false':
      return name === 'true';
    default:
      return undefined;
  }
}

function unescapeXml(text: string): string {
  return text.replace(/&(#x?)?([0-9a-z]+);/gi, (whole, number, name) => {
    if (number === undefined) return ENTITIES[name] ?? whole;
    const code = Number.parseInt(name, number === '#' ? 10 : 16);
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : whole;
  });
}
