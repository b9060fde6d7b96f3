import { HandlerError } from 'nexus-rpc';
import { describe, expect, it } from 'vitest';
import { refusalOf } from '../../../src/nexus/refusals.js';
import {
  AccessDenied,
  InvalidRequest,
  RunIdTaken,
  RunNotFound,
  ServerUnreachable,
} from '../../../src/temporal/errors.js';

describe('what a caller of an operation gets', () => {
  it.each([
    [new InvalidRequest([{ code: 'x', place: 'targets', found: 'none', remedy: 'Name one' }]), 'BAD_REQUEST', false],
    [new RunIdTaken('incident-4711', 'run', ['targets'], 'it belongs to another run'), 'BAD_REQUEST', false],
    [new RunNotFound('incident-4711'), 'NOT_FOUND', false],
    [new ServerUnreachable('no answer'), 'UNAVAILABLE', true],
    [new AccessDenied('no such namespace'), 'INTERNAL', true],
  ])('for %s is %s, tried again: %s', (error, type, isTriedAgain) => {
    const refusal = refusalOf(error) as HandlerError;
    expect(refusal).toBeInstanceOf(HandlerError);
    expect(refusal).toMatchObject({
      type,
      message: error.message,
      retryableOverride: isTriedAgain,
      cause: { type: error.name },
    });
  });

  it('is left to the SDK for other errors', () => {
    const error = new TypeError('a mistake of ours');
    expect(refusalOf(error)).toBe(error);
  });
});
