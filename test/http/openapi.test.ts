import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { OPENAPI_FILE, openapiText } from '../../scripts/openapi.ts';
import { AdminTown } from '../helpers/admin-town.ts';

interface Operation {
  summary?: string;
  operationId?: string;
  responses?: Record<string, { description?: string }>;
}

test('docs/openapi.json is what the routes say', async () => {
  assert.equal(readFileSync(OPENAPI_FILE, 'utf8'), await openapiText(), 'run: node scripts/openapi.ts');
});

test('every operation has a name, a summary and described answers', async () => {
  const document: { openapi: string; paths: Record<string, Record<string, Operation>> } = JSON.parse(
    await openapiText(),
  );
  assert.equal(document.openapi, '3.1.0');
  const names = new Set<string>();
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, { summary, operationId, responses }] of Object.entries(operations)) {
      const which = `${method} ${path}`;
      assert.ok(summary, which);
      assert.ok(operationId !== undefined && !names.has(operationId), which);
      names.add(operationId);
      const statuses = Object.keys(responses ?? {});
      assert.ok(statuses.includes('default') && statuses.some((status) => status.startsWith('2')), which);
      for (const answer of Object.values(responses!)) assert.ok(answer.description, which);
    }
  }
});

test('every operation of the document is served', async () => {
  const { paths } = JSON.parse(readFileSync(OPENAPI_FILE, 'utf8')) as { paths: Record<string, object> };
  const { app } = new AdminTown().server;
  await app.ready();
  const operations = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => ({ method: method.toUpperCase(), url: path.replace(/\{(\w+)\}/g, ':$1') })),
  );
  assert.equal(operations.length, 11);
  for (const { method, url } of operations)
    assert.ok(app.hasRoute({ method: method as 'GET', url }), `${method} ${url}`);
});
