/** What checks ask with in tests. */
import type { CheckAccess } from '../../src/activities/dependencies.js';
import { createCheckClient } from '../../src/network/check-client.js';
import { noProxies } from '../../src/network/proxies.js';

/** A worker that is configured with no hosts: it refuses every URL. */
export const noChecks: CheckAccess = createCheckClient({ allowed: [], internal: [] }, noProxies);

/** A worker that may ask servers of the test, which listen on loopback. */
export function checksOf(...internal: readonly string[]): CheckAccess {
  return createCheckClient({ allowed: [], internal }, noProxies);
}

/** Answers `/503…` with 503, and so on, without a network. `/299` is 200 except below it: there the answer is 500. */
export const checkedByStatus: CheckAccess = {
  refusalOf: () => null,
  get: async (url) => {
    const [, text = '200', below = ''] = /^http:\/\/[^/]+\/(\d{3})(.*)$/.exec(url) ?? [];
    const status = text === '299' ? (below === '' ? 200 : 500) : Number(text);
    return { kind: 'answered', status, headers: {}, body: '{"state":"ok"}', isCut: false, address: '192.0.2.10' };
  },
};
