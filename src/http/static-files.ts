/**
 * What lies in `web`: the modules of the page and of the operator's own pages. Read once at the start, from a fixed list, so no path of
 * a request ever reaches the disk.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

/** `web` lies beside `src` in the repository, and beside `dist` in the package. */
const FOLDER = new URL('../../web/', import.meta.url);
const PREFIX = '/web/';

export const WEB_FILES = [
  'address.js',
  'capture.js',
  'castgate-element.js',
  'castgate-play.js',
  'castgate-publish.js',
  'connection.js',
  'dom.js',
  'element-style.js',
  'icon.svg',
  'meter.js',
  'page.css',
  'page.js',
  'problem.js',
  'publish-form.js',
  'publish-settings.js',
  'sdp.js',
  'whip-session.js',
] as const;

const TYPES = { js: 'text/javascript; charset=utf-8', css: 'text/css; charset=utf-8', svg: 'image/svg+xml' } as const;

const HEADERS = {
  // one version of all of them: each is asked for again, and rarely sent again
  'cache-control': 'no-cache',
  // pages of any site may use the elements
  'access-control-allow-origin': '*',
  'cross-origin-resource-policy': 'cross-origin',
};

/** Throws when a file is missing: then the installation is broken. */
export function addStaticFiles(app: FastifyInstance): void {
  for (const name of WEB_FILES) {
    const bytes = readFileSync(new URL(name, FOLDER));
    const etag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`;
    const type = TYPES[name.slice(name.lastIndexOf('.') + 1) as keyof typeof TYPES];
    app.get(PREFIX + name, (request: FastifyRequest, reply: FastifyReply) => {
      reply.headers({ ...HEADERS, etag });
      if (isKnown(request.headers['if-none-match'], etag)) return reply.code(304).send();
      return reply.type(type).send(bytes);
    });
  }
}

/** RFC 9110, section 13.1.2: by weak comparison, since proxies that compress weaken the tag. */
function isKnown(header: string | undefined, etag: string): boolean {
  return header?.split(',').some((each) => each.trim() === '*' || each.trim().replace(/^W\//, '') === etag) === true;
}
