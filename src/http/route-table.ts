/**
 * Which methods a path has, so that a wrong method is told from a wrong path (RFC 9110 15.5.6).
 */

interface Route {
  readonly segments: readonly string[];
  readonly methods: Set<string>;
}

export class RouteTable {
  readonly #routes = new Map<string, Route>();

  /** `url` is a route's pattern: segments, of which `:name` stands for any one and a last `*` for any rest. */
  add(url: string, method: string | readonly string[]): void {
    let route = this.#routes.get(url);
    if (route === undefined) {
      route = { segments: url.split('/'), methods: new Set() };
      this.#routes.set(url, route);
    }
    for (const each of typeof method === 'string' ? [method] : method) route.methods.add(each);
  }

  /** The methods of every route that `path` fits, sorted; none: there is no such path. */
  methods(path: string): readonly string[] {
    const asked = path.split('/');
    const found = new Set<string>();
    for (const { segments, methods } of this.#routes.values()) {
      if (fits(segments, asked)) for (const method of methods) found.add(method);
    }
    return [...found].sort();
  }
}

function fits(segments: readonly string[], asked: readonly string[]): boolean {
  for (const [at, segment] of segments.entries()) {
    const part = asked[at];
    if (part === undefined) return false;
    if (segment === '*') return true;
    if (segment.startsWith(':') ? part === '' : part !== segment) return false;
  }
  return segments.length === asked.length;
}
