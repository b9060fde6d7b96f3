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
