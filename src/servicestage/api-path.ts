/** Paths of the API. Each id is encoded as one segment. */
import { ServiceStageError } from './errors.js';

/**
 * Ids as the API and IAM write them: UUIDs, `JOB` and a UUID, 32 hexadecimal digits. The pattern is wider than that,
 * but excludes slashes, percent signs, queries and leading dots, which could select another path.
 */
export const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_.:@+-]{0,127}$/;

/**
 * `/v2/project/cas/jobs/JOB-1`, not encoded.
 * @throws ServiceStageError with `sent: 'no'` if a segment is not an id
 */
export function apiPath(method: 'GET' | 'POST', segments: readonly string[]): string {
  const path = `/${segments.map((segment) => (ID_PATTERN.test(segment) ? segment : '…')).join('/')}`;
  if (segments.every((segment) => ID_PATTERN.test(segment))) return path;
  throw new ServiceStageError({
    code: 'InvalidRequest',
    sent: 'no',
    method,
    path,
    reason: 'a part of the path is not a valid id',
  });
}
