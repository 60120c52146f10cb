/**
 * Makes docs/openapi.json from the schemas of the admin routes. `node scripts/openapi.ts` writes it; test/http/openapi.test.ts
 * fails when it is out of date.
 */
import { writeFileSync } from 'node:fs';
import swagger from '@fastify/swagger';
import { fastify } from 'fastify';
import { quiet } from '../src/base/log.ts';
import { controlCounters } from '../src/control/counters.ts';
import { addAdminRoutes } from '../src/http/admin-routes.ts';
import { Metrics } from '../src/http/metrics.ts';
import { Hub } from '../src/relay/hub.ts';
import { SessionRegistry } from '../src/session/registry.ts';

/** Of the interface, as its paths have it; not of the package. */
const VERSION = '1';

export const OPENAPI_FILE = new URL('../docs/openapi.json', import.meta.url);

/** The document as it should stand in the file. */
export async function openapiText(): Promise<string> {
  const app = fastify({ exposeHeadRoutes: false });
  await app.register(swagger, {
    refResolver: { buildLocalReference: (schema) => String(schema['$id']) },
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'castgate admin interface',
        version: VERSION,
        description:
          'Who is here, what is live, how each web site does, and the way to disconnect somebody. The Host header must be the ' +
          'listen address, a loopback name, or one of `admin.hosts`; pages of other origins are refused. Errors are problem+json.',
        license: { name: 'MIT', identifier: 'MIT' },
      },
      servers: [{ url: 'http://127.0.0.1:9998' }],
      security: [{ bearer: [] }],
      components: {
        securitySchemes: { bearer: { type: 'http', scheme: 'bearer', description: '`admin.token`, where it is set.' } },
      },
    },
  });
  const sessions = new SessionRegistry();
  const hub = new Hub();
  const source = {
    doors: () => [],
    applications: () => [],
    control: controlCounters,
    configTaken: () => true,
    faults: () => 0,
    webrtc: () => undefined,
    audioBridge: () => ({
      ...{ streams: 0, renditions: 0, started: 0, failed: 0, unitsIn: 0, unitsOut: 0, dropped: 0, workers: 0 },
    }),
    pictureBridge: () => ({ running: 0, started: 0, failed: 0, framesIn: 0, framesOut: 0, dropped: 0 }),
  };
  addAdminRoutes(app, {
    version: VERSION,
    log: quiet,
    sessions,
    hub,
    describe: () => [],
    reach: () => ({ renditions: [] }),
    applications: () => [],
    health: { ready: () => ({ ok: true, reasons: [] }) },
    metrics: new Metrics({ version: VERSION, sessions, hub, source }),
  });
  await app.ready();
  const text = `${JSON.stringify(app.swagger(), null, 2)}\n`;
  await app.close();
  return text;
}

if (import.meta.main) {
  writeFileSync(OPENAPI_FILE, await openapiText());
}
