/** Paths and methods in the forms that clients and proxies send. */
import { describe, expect, it } from 'vitest';
import { routeOf, shownPath } from '../../../src/gateway/http-route.js';

describe('a path', () => {
  it.each([
    ['/alarms/prod'],
    ['/alarms/prod/'],
    ['/alarms/prod//'],
    ['//alarms/prod'],
    ['/alarms/prod?token=x'],
    ['/alarms/prod/?'],
    ['/alarms/prod#x'],
    ['/alarms/pr%6Fd'],
    ['http://gateway.example:8095/alarms/prod/'],
    ['HTTPS://gateway.example/alarms/prod'],
  ])('leads to the sender in any spelling: %s', (target) => {
    expect(routeOf('POST', target)).toEqual({ kind: 'alarms', sender: 'prod' });
  });

  it.each(['/healthz', '/healthz/', 'http://x/healthz?verbose'])('leads to a page: %s', (target) => {
    for (const method of ['GET', 'HEAD']) expect(routeOf(method, target)).toEqual({ kind: 'page', page: 'healthz' });
  });

  it.each([
    ['/'],
    [''],
    ['*'],
    ['/alarms'],
    ['/alarms/'],
    ['/alarms/prod/more'],
    ['/alarms%2Fprod'],
    ['/Alarms/prod'],
    ['/alarms/%zz'],
    ['/healthz/more'],
    ['/__proto__'],
    ['/alert'],
    ['http://alarms/prod'],
  ])('that does not exist is answered with the existing ones: %s', (target) => {
    expect(routeOf('POST', target)).toEqual({
      kind: 'notFound',
      message: expect.stringContaining('POST to /alarms/<sender>'),
    });
  });
});

it.each([
  ['GET', '/alarms/prod', 'POST'],
  ['OPTIONS', '/alarms/prod/', 'POST'],
  ['PUT', '/alarms/unknown', 'POST'],
  ['POST', '/metrics', 'GET, HEAD'],
  ['DELETE', '/healthz/', 'GET, HEAD'],
])('%s %s is answered with the allowed method', (method, target, allow) => {
  expect(routeOf(method, target)).toMatchObject({ kind: 'wrongMethod', allow });
});

describe('in a log, a path', () => {
  it.each([
    ['/alarm/prod?token=secret', '/alarm/prod'],
    [`/alarms/prod/${'5e'.repeat(32)}`, '/alarms/prod/<64 characters>'],
    ['/alarms/\u001b[31m', '/alarms/<5 characters>'],
    ['/a%0Ab', '/<3 characters>'],
    ['/%zz', '<not a path>'],
    ['/1/2/3/4/5/6/7/8', '/1/2/3/4/5/6/…'],
  ])('contains neither a token nor a control character: %s', (target, shown) => {
    expect(shownPath(target)).toBe(shown);
  });
});
