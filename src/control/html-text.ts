/**
 * What a site's HTML filters leave behind in an answer that is no HTML: entities, and PHP's warnings in tags.
 */

const ENTITIES: ReadonlyMap<string, string> = new Map([
  ['amp', '&'],
  ['lt', '<'],
  ['gt', '>'],
  ['quot', '"'],
  ['apos', "'"],
  ['34', '"'],
  ['38', '&'],
  ['39', "'"],
  ['60', '<'],
  ['62', '>'],
]);

/** Decodes, once, the entities that WordPress and PHP's `htmlspecialchars` write; no others. */
export function decodeEntities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(
    /&(?:(amp|lt|gt|quot|apos)|#0*(34|38|39|60|62));/g,
    (_, name, code) => ENTITIES.get(name ?? code)!,
  );
}

/** Puts a line break where each tag was. Time is linear in the length, whatever the text. */
export function withoutTags(text: string): string {
  return text.replace(/<[^<>]*>/g, '\n');
}
