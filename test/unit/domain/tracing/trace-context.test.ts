/** W3C trace contexts in headers, and the ids that workflows give to their spans. */
import { describe, expect, it } from 'vitest';
import {
  beginTrace,
  carrierOf,
  childOf,
  contextIn,
  isBegunInWorkflow,
  isSampled,
  spanIdOf,
} from '../../../../src/domain/tracing/trace-context.js';

const TRACEPARENT = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
const RUN_ID = '019aa3f2-7c51-7e0b-9d3a-2f6f5f1c9e07';

describe('a carrier', () => {
  it.each([
    [{ traceparent: TRACEPARENT }],
    [{ traceparent: TRACEPARENT.replace(/01$/, '00'), tracestate: 'vendor=value' }],
  ])('is written as it was read: %j', (carrier) => {
    const context = contextIn(carrier);
    expect(context && carrierOf(context)).toEqual(carrier);
  });

  it.each([[null], [undefined], ['text'], [{}], [{ traceparent: 'ff-00-00-00' }], [{ traceparent: 7 }]])(
    'of another client may contain anything: %j',
    (carrier) => {
      expect(contextIn(carrier)).toBeNull();
    },
  );
});

it('a child stays in its trace, with the same decision about sampling', () => {
  const parent = contextIn({ traceparent: TRACEPARENT, tracestate: 'vendor=value' });
  const child = parent && childOf(parent, '1'.repeat(16));
  expect(child).toEqual({ ...parent, spanId: '1'.repeat(16) });
  expect(child && isSampled(child)).toBe(true);
});

it('a trace that begins in a workflow has the id of its run, and shows that no sampler has decided', () => {
  const begun = beginTrace(RUN_ID, spanIdOf(RUN_ID, 0));
  expect(begun.traceId).toBe('019aa3f27c517e0b9d3a2f6f5f1c9e07');
  expect(isBegunInWorkflow(begun.state)).toBe(true);
  expect(contextIn(carrierOf(begun))).toEqual(begun);
});

it('span ids have 16 digits, are the same each time, and differ from each other', () => {
  const ids = Array.from({ length: 20_000 }, (_, number) => spanIdOf(RUN_ID, number));
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids.every((id) => /^[0-9a-f]{16}$/.test(id) && !/^0+$/.test(id))).toBe(true);
  expect(spanIdOf(RUN_ID, 7)).toBe(ids[7]);
});
