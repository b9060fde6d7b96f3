/**
 * Authentication at the API: a ready-made token, a token fetched from IAM and renewed, or an access key that signs
 * each request.
 */
import { apiPath } from './api-path.js';
import type { HttpClient } from './http.js';
import { ServiceStageError, type ServiceStageErrorCode } from './errors.js';
import type { Secret } from './secret.js';
import { signRequest, type AccessKey, type RequestToSign } from './sign-request.js';
import { CredentialAnswer, TokenAnswer } from './wire.js';

/** How to authenticate: exactly one of the three ways. */
export type Credentials =
  | ({ readonly kind: 'accessKey' } & AccessKey)
  | { readonly kind: 'token'; readonly token: Secret }
  | {
      readonly kind: 'password';
      readonly iamEndpoint: string;
      readonly user: string;
      readonly password: Secret;
      readonly domain: string;
    };

/** Supplies the credentials of requests. */
export interface Authenticator {
  /** Resolves when credentials are available. @throws ServiceStageError if IAM refuses or does not answer */
  ready(timeoutMs: number): Promise<void>;
  /** All headers to send; call `ready` first. */
  headersFor(request: RequestToSign): Record<string, string>;
  /**
   * Called when the API reports that the token of a request sent at that time has expired.
   * @returns true if a new one can be fetched
   */
  renew(sentAtMs: number): boolean;
  /** Our own IAM user id; `null` if IAM refuses to report it. @throws ServiceStageError if IAM does not answer */
  ownUserId(timeoutMs: number): Promise<string | null>;
}

/** Credentials, and how to reach IAM. */
export interface AuthenticatorOptions {
  readonly http: HttpClient;
  readonly projectId: string;
  readonly credentials: Credentials;
  /** Used to look up the user of an access key. */
  readonly iamEndpoint?: string | undefined;
  readonly nowMs?: () => number;
}

/** Renew when a tenth of a token's lifetime is left: Huawei asks to renew "well before expiry". */
const RENEW_AT_FRACTION = 0.1;
/**
 * A refused password is not tried again for this long, because IAM locks accounts after a configured number of
 * tries. Chosen.
 */
const REFUSED_FOR_MS = 60_000;

const WILL_NOT_SAY: readonly ServiceStageErrorCode[] = ['NotAllowed', 'NotFound'];
const CREDENTIALS = ['v3.0', 'OS-CREDENTIAL', 'credentials'];
const CREDENTIALS_PATH = `/${CREDENTIALS.join('/')}`;

/** Creates the authenticator for the given kind of credentials. */
export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const { credentials } = options;
  if (credentials.kind === 'accessKey') return new AccessKeyAuthenticator(options, credentials);
  if (credentials.kind === 'password') return new PasswordAuthenticator(options, credentials);
  const { token } = credentials;
  return {
    ready: async () => {},
    headersFor: (request) => ({ ...request.headers, 'X-Auth-Token': token.reveal() }),
    renew: () => false,
    ownUserId: async () => null,
  };
}

class AccessKeyAuthenticator implements Authenticator {
  #userId: string | null = null;

  constructor(
    private readonly options: AuthenticatorOptions,
    private readonly key: AccessKey,
  ) {}

  async ready(): Promise<void> {}

  headersFor(request: RequestToSign): Record<string, string> {
    return signRequest(request, this.key, new Date(this.options.nowMs?.() ?? Date.now()));
  }

  renew(): boolean {
    return false;
  }

  async ownUserId(timeoutMs: number): Promise<string | null> {
    const { iamEndpoint, http } = this.options;
    if (this.#userId !== null || iamEndpoint === undefined) return this.#userId;
    try {
      const path = apiPath('GET', [...CREDENTIALS, this.key.accessKey]);
      const answer = await http.send({
        endpoint: iamEndpoint,
        method: 'GET',
        path,
        query: [],
        timeoutMs,
        headersFor: (request) => this.headersFor(request),
      });
      this.#userId = CredentialAnswer.parse(answer.json).credential.user_id;
    } catch (error) {
      // A refusal is an answer: evidence is then judged without the user id. No other error may lead to another
      // client's cloud job being treated as ours, so the caller retries.
      if (!(error instanceof ServiceStageError) || !WILL_NOT_SAY.includes(error.code)) throw withoutKey(error);
    }
    return this.#userId;
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

interface Token {
  readonly value: string;
  readonly userId: string | null;
  readonly fetchedAtMs: number;
  readonly renewAtMs: number;
  readonly expiresAtMs: number;
}

class PasswordAuthenticator implements Authenticator {
  #token: Token | null = null;
  #fetching: Promise<Token> | null = null;
  #refused: { readonly error: ServiceStageError; readonly untilMs: number } | null = null;

  constructor(
    private readonly options: AuthenticatorOptions,
    private readonly login: Extract<Credentials, { kind: 'password' }>,
  ) {}

  async ready(timeoutMs: number): Promise<void> {
    const nowMs = this.#nowMs();
    if (this.#token !== null && nowMs < this.#token.renewAtMs) return;
    const fetching = this.#fetch(timeoutMs);
    if (this.#token === null || nowMs >= this.#token.expiresAtMs) await fetching;
    else fetching.catch(() => {}); // The current token is still valid; the next request tries to renew it again.
  }

  headersFor(request: RequestToSign): Record<string, string> {
    if (this.#token === null) throw new TypeError('There is no token yet: call ready first');
    return { ...request.headers, 'X-Auth-Token': this.#token.value };
  }

  renew(sentAtMs: number): boolean {
    // A late answer to a request with an older token does not concern the current one.
    if (this.#token !== null && this.#token.fetchedAtMs <= sentAtMs)
      this.#token = { ...this.#token, renewAtMs: 0, expiresAtMs: 0 };
    return true;
  }

  async ownUserId(timeoutMs: number): Promise<string | null> {
    if (this.#token === null) await this.ready(timeoutMs);
    return this.#token?.userId ?? null;
  }

  /** Makes one request at a time, however many callers wait for it. */
  #fetch(timeoutMs: number): Promise<Token> {
    if (this.#refused !== null && this.#nowMs() < this.#refused.untilMs) return Promise.reject(this.#refused.error);
    this.#fetching ??= this.#fetchNow(timeoutMs).finally(() => {
      this.#fetching = null;
    });
    return this.#fetching;
  }

  async #fetchNow(timeoutMs: number): Promise<Token> {
    const { http, projectId } = this.options;
    const { iamEndpoint, user, password, domain } = this.login;
    const identity = {
      methods: ['password'],
      password: { user: { name: user, password: password.reveal(), domain: { name: domain } } },
    };
    try {
      const answer = await http.send({
        endpoint: iamEndpoint,
        method: 'POST',
        path: '/v3/auth/tokens',
        query: [['nocatalog', 'true']],
        body: JSON.stringify({ auth: { identity, scope: { project: { id: projectId } } } }),
        timeoutMs,
        headersFor: (request) => ({ ...request.headers }),
        secrets: [password.reveal()],
      });
      this.#token = this.#readToken(answer.header('x-subject-token'), answer.json);
      return this.#token;
    } catch (error) {
      if (!(error instanceof ServiceStageError)) throw error;
      const failure = notSignedIn(error);
      if (failure.code === 'NotAllowed') this.#refused = { error: failure, untilMs: this.#nowMs() + REFUSED_FOR_MS };
      throw failure;
    }
  }

  #readToken(value: string | undefined, body: unknown): Token {
    const parsed = TokenAnswer.safeParse(body);
    const expiresAtMs = parsed.success ? Date.parse(parsed.data.token.expires_at) : Number.NaN;
    if (value === undefined || !parsed.success || Number.isNaN(expiresAtMs)) {
      throw new ServiceStageError({
        code: 'UnreadableAnswer',
        sent: 'no',
        method: 'POST',
        path: '/v3/auth/tokens',
        reason: 'IAM answered without a readable token',
      });
    }
    const nowMs = this.#nowMs();
    return {
      value,
      userId: parsed.data.token.user?.id ?? null,
      fetchedAtMs: nowMs,
      expiresAtMs,
      renewAtMs: expiresAtMs - (expiresAtMs - nowMs) * RENEW_AT_FRACTION,
    };
  }

  #nowMs(): number {
    return this.options.nowMs?.() ?? Date.now();
  }
}

/** Fetching a token changes nothing at ServiceStage, so whatever IAM answers, nothing was sent. */
function notSignedIn(error: ServiceStageError): ServiceStageError {
  if (error.sent === 'no') return error;
  return new ServiceStageError({
    ...error.facts,
    code: error.sent === 'refused' ? 'NotAllowed' : 'Unreachable',
    sent: 'no',
  });
}
