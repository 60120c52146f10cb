/**
 * Which settings an application goes by: `live/room1` is an instance of `live` unless it is listed itself.
 */

/** The name under which `app` is listed; undefined: under none. */
export function listedName(listed: { has(name: string): boolean }, app: string): string | undefined {
  if (listed.has(app)) return app;
  const whole = app.split('/', 1)[0]!;
  return listed.has(whole) ? whole : undefined;
}
