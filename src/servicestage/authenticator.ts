/** What every way to authenticate has in common. */
import type { RequestToSign } from './sign-request.js';

/** Supplies the credentials of requests. */
export interface Authenticator {
  /** Resolves when credentials are available. @throws ServiceStageError if IAM refuses or does not answer */
  ready(timeoutMs: number): Promise<void>;
  /** All headers to send; call `ready` first. */
  headersFor(request: RequestToSign): Record<string, string>;
  /**
   * Called when the API refuses the credentials of a request sent at that time.
   * @param why `expired`: it names the age of the token as the reason
   * @returns true if there are others, or they can be fetched
   */
  renew(sentAtMs: number, why: 'expired' | 'refused'): boolean;
  /** Our own IAM user id; `null` if IAM refuses to report it. @throws ServiceStageError if IAM does not answer */
  ownUserId(timeoutMs: number): Promise<string | null>;
}
