/** Paths of the API: every id is one segment of its own, whoever gave it. */
import { ServiceStageError } from './errors.js';

/**
 * Ids as the API and IAM write them: UUIDs, `JOB` and a UUID, 32 hexadecimal digits. Wider than that, and without a slash, a percent sign,
 * a query or a leading dot: nothing that could choose another path.
 */
export const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_.:@+-]{0,127}$/;

/** `/v2/project/cas/jobs/JOB-1`, not encoded. @throws ServiceStageError, unsent, for a segment that is no id */
export function apiPath(method: 'GET' | 'POST', segments: readonly string[]): string {
  const path = `/${segments.map((segment) => (ID_PATTERN.test(segment) ? segment : '…')).join('/')}`;
  if (segments.every((segment) => ID_PATTERN.test(segment))) return path;
  throw new ServiceStageError({
    code: 'InvalidRequest',
    sent: 'no',
    method,
    path,
    reason: 'a part of the path is no id',
  });
}
