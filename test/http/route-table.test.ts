import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RouteTable } from '../../src/http/route-table.ts';

const TABLE: readonly (readonly [path: string, methods: string])[] = [
  ['/', 'GET'],
  ['/a', 'GET PUT'],
  ['/a/', ''],
  ['/a/x', 'DELETE'],
  ['/a/x/y', ''],
  ['/a/fixed', 'DELETE POST'],
  ['/files/any/thing', 'GET'],
  ['/files', ''],
  ['/A', ''],
  ['//a', ''],
  ['', ''],
];

test('a path has the methods of every route that it fits', () => {
  const routes = new RouteTable();
  routes.add('/', 'GET');
  routes.add('/a', ['PUT', 'GET']);
  routes.add('/a/:id', 'DELETE');
  routes.add('/a/fixed', 'POST');
  routes.add('/files/*', 'GET');
  for (const [path, methods] of TABLE) assert.equal(routes.methods(path).join(' '), methods, path);
});
