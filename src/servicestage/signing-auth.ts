/** Authentication by an access key, which signs each request. */
import { apiPath } from './api-path.js';
import type { Authenticator } from './authenticator.js';
import { ServiceStageError, type ServiceStageErrorCode } from './errors.js';
import type { HttpClient } from './http.js';
import type { KeySource } from './key-source.js';
import { signRequest, type RequestToSign } from './sign-request.js';
import { CredentialAnswer } from './wire.js';

const WILL_NOT_SAY: readonly ServiceStageErrorCode[] = ['NotAllowed', 'NotFound'];
const CREDENTIALS = ['v3.0', 'OS-CREDENTIAL', 'credentials'];
const CREDENTIALS_PATH = `/${CREDENTIALS.join('/')}`;

/** How IAM is asked for our own user. */
interface SigningOptions {
  readonly http: HttpClient;
  readonly iamEndpoint?: string | undefined;
  readonly nowMs?: () => number;
}

/** Signs with the key that its source has at the time. */
export class SigningAuthenticator implements Authenticator {
  #user: { readonly accessKey: string; readonly id: string | null } | null = null;

  constructor(
    private readonly options: SigningOptions,
    private readonly keys: KeySource,
  ) {}

  ready(timeoutMs: number): Promise<void> {
    return this.keys.ready(timeoutMs);
  }

  headersFor(request: RequestToSign): Record<string, string> {
    return signRequest(request, this.keys.current(), new Date(this.options.nowMs?.() ?? Date.now()));
  }

  renew(sentAtMs: number): boolean {
    return this.keys.refused(sentAtMs);
  }

  /** Asked once for each key: a rotated key may belong to another user. */
  async ownUserId(timeoutMs: number): Promise<string | null> {
    const { iamEndpoint } = this.options;
    if (iamEndpoint === undefined) return null;
    await this.ready(timeoutMs);
    const { accessKey } = this.keys.current();
    if (this.#user?.accessKey === accessKey && this.#user.id !== null) return this.#user.id;
    const id = await this.#askIam(iamEndpoint, accessKey, timeoutMs);
    this.#user = { accessKey, id };
    return id;
  }

  async #askIam(endpoint: string, accessKey: string, timeoutMs: number): Promise<string | null> {
    try {
      const answer = await this.options.http.send({
        endpoint,
        method: 'GET',
        path: apiPath('GET', [...CREDENTIALS, accessKey]),
        query: [],
        timeoutMs,
        headersFor: (request) => this.headersFor(request),
      });
      return CredentialAnswer.parse(answer.json).credential.user_id;
    } catch (error) {
      // A refusal is an answer: evidence is then judged without the user id. No other error may lead to another
      // client's cloud job being treated as ours, so the caller retries.
      if (!(error instanceof ServiceStageError) || !WILL_NOT_SAY.includes(error.code)) throw withoutKey(error);
      return null;
    }
  }
}

/** Removes the key id, because the error goes into histories. */
function withoutKey(error: unknown): ServiceStageError {
  if (error instanceof ServiceStageError) return new ServiceStageError({ ...error.facts, path: CREDENTIALS_PATH });
  return new ServiceStageError({
    code: 'UnreadableAnswer',
    sent: 'no',
    method: 'GET',
    path: CREDENTIALS_PATH,
    reason: 'IAM answered without a readable user',
  });
}
