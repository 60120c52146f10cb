/**
 * A report as PHP reads it, by a reader of the town's own: strict in every length and count. Throws where PHP would give up, and
 * where WordPress's cleaner would have changed the text before.
 */

export type PhpValue = string | number | PhpArray;
export type PhpArray = ReadonlyMap<string, PhpValue>;

export interface Report {
  readonly users: PhpArray;
  readonly rtpsessions: PhpArray;
  readonly aS: PhpArray;
}

export function readReport(form: Buffer): Report {
  const fields = new Map<string, string>();
  for (const pair of form.toString('latin1').split('&')) {
    const [name, value] = pair.split('=', 2) as [string, string];
    fields.set(name, decodeURIComponent(value.replaceAll('+', ' ')));
  }
  const read = (name: string) => {
    const text = fields.get(name);
    if (text === undefined) throw new Error(`the report has no ${name}`);
    if (/<|\\|%[\da-f]{2}|\p{Cc}|\uFFFD/iu.test(text)) throw new Error(`WordPress would change ${name}`);
    return unserialize(Buffer.from(text));
  };
  return { users: read('users'), rtpsessions: read('rtpsessions'), aS: read('aS') };
}

function unserialize(bytes: Buffer): PhpArray {
  let at = 0;
  const word = (end: string): string => {
    const to = bytes.indexOf(end, at);
    if (to < 0) throw new Error(`no ${end} after byte ${at}`);
    const text = bytes.toString('latin1', at, to);
    at = to + 1;
    return text;
  };
  const count = (end: string): number => {
    const text = word(end);
    if (!/^-?(?:0|[1-9]\d*)$/.test(text)) throw new Error(`${text} is no number`);
    return Number(text);
  };
  const expect = (text: string): void => {
    if (bytes.toString('latin1', at, at + text.length) !== text) throw new Error(`no ${text} at byte ${at}`);
    at += text.length;
  };
  const value = (): PhpValue => {
    const type = word(':');
    if (type === 'i') return count(';');
    if (type === 's') {
      const length = count(':');
      expect('"');
      const text = bytes.toString('utf8', at, at + length);
      at += length;
      expect('";');
      return text;
    }
    if (type !== 'a') throw new Error(`type ${type}`);
    const array = new Map<string, PhpValue>();
    const size = count(':');
    expect('{');
    for (let left = size; left > 0; left--) {
      const key = value();
      if (typeof key === 'object') throw new Error('an array as a key');
      if (array.has(String(key))) throw new Error(`the key ${key} twice`);
      array.set(String(key), value());
    }
    expect('}');
    return array;
  };
  const read = value();
  if (typeof read !== 'object' || at !== bytes.length) throw new Error('not one array');
  return read;
}

/** As PHP's `serialize` writes text and keys. */
export function phpText(text: string): string {
  return `s:${Buffer.byteLength(text)}:"${text}";`;
}

export function phpKey(key: string): string {
  return /^(?:0|-?[1-9]\d{0,17})$/.test(key) ? `i:${key};` : phpText(key);
}
