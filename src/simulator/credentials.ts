/**
 * Authentication: tokens that the simulated IAM issued, and AK/SK signatures, verified over the bytes that were
 * sent.
 */
import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { AgencyKeys } from './agency-keys.js';
import { ERRORS, type VendorError } from './answers.js';
import type { World } from './world.js';

/** The account whose credentials are accepted. */
export interface Account {
  readonly projectId: string;
  readonly userId: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Token of temporary keys; if set, it must be sent and signed. */
  readonly securityToken: string | undefined;
  readonly user: string;
  readonly password: string;
  readonly domain: string;
}

/** A request as far as authentication needs it. */
export interface SentRequest {
  readonly method: string;
  /** Path and query, exactly as on the request line. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

const LARGEST_SKEW_MS = 15 * 60_000;
const FAILURES_BEFORE_LOCK = 5;
const LOCKED_FOR_MS = 5 * 60_000;
const AUTHORIZATION = /^SDK-HMAC-SHA256 Access=([^,]+), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})$/;

/** Issues tokens and checks the credentials of requests. */
export class Gatekeeper {
  /** Expiry by token, epoch milliseconds. */
  readonly #tokens = new Map<string, number>();
  /** Also accepted: the temporary keys of the simulated server's agency. */
  readonly agencyKeys: AgencyKeys;
  #keyFailures = 0;
  #lockedUntilMs = 0;

  constructor(
    private readonly world: World,
    readonly account: Account,
  ) {
    this.agencyKeys = new AgencyKeys(world);
  }

  issueToken(): { token: string; expiresAtMs: number } {
    const token = `MIIsimulated${createHash('sha256').update(this.world.newId()).digest('base64url').repeat(4)}`;
    const expiresAtMs = this.world.clock.nowMs + this.world.switches.tokenLifetimeSeconds * 1_000;
    this.#tokens.set(token, expiresAtMs);
    return { token, expiresAtMs };
  }

  expireTokens(): void {
    for (const token of this.#tokens.keys()) this.#tokens.set(token, 0);
  }

  /** The reason to refuse the request; `null` to accept it. */
  refuse(request: SentRequest): VendorError | null {
    const token = headerOf(request, 'x-auth-token');
    if (token !== undefined) return this.#refuseToken(token);
    const authorization = headerOf(request, 'authorization');
    if (authorization === undefined) return ERRORS.noToken;
    if (this.world.clock.nowMs < this.#lockedUntilMs) return ERRORS.keyLocked;
    const valid = this.#isSigned(request, authorization);
    this.#keyFailures = valid ? 0 : this.#keyFailures + 1;
    if (this.#keyFailures > FAILURES_BEFORE_LOCK) this.#lockedUntilMs = this.world.clock.nowMs + LOCKED_FOR_MS;
    return valid ? null : ERRORS.badCredentials;
  }

  #refuseToken(token: string): VendorError | null {
    const expiresAtMs = this.#tokens.get(token);
    if (expiresAtMs === undefined) return ERRORS.badToken;
    return expiresAtMs <= this.world.clock.nowMs ? ERRORS.tokenExpired : null;
  }

  #isSigned(request: SentRequest, authorization: string): boolean {
    const [, access, names = '', signature = ''] = AUTHORIZATION.exec(authorization) ?? [];
    const signed = names.split(';');
    const date = headerOf(request, 'x-sdk-date');
    const key = access === this.account.accessKey ? this.account : this.agencyKeys.find(access ?? '');
    if (key === undefined || date === undefined) return false;
    const { securityToken } = key;
    const mustSign = ['host', 'x-sdk-date', ...(securityToken === undefined ? [] : ['x-security-token'])];
    if (!mustSign.every((name) => signed.includes(name))) return false;
    if (securityToken !== undefined && headerOf(request, 'x-security-token') !== securityToken) return false;
    if (Math.abs(timeOf(date) - this.world.clock.nowMs) > LARGEST_SKEW_MS) return false;
    const expected = createHmac('sha256', key.secretKey)
      .update(`SDK-HMAC-SHA256\n${date}\n${sha256(canonicalRequest(request, signed))}`)
      .digest('hex');
    return timingSafeEqual(Buffer.from(expected), Buffer.from(signature));
  }
}

function canonicalRequest(request: SentRequest, signed: readonly string[]): string {
  const [rawPath = '/', rawQuery = ''] = request.url.split('?');
  const path = rawPath
    .split('/')
    .map((segment) => percentEncode(decodeURIComponent(segment)))
    .join('/');
  const pairs = rawQuery
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', value = ''] = pair.split('=').map((part) => percentEncode(decodeURIComponent(part)));
      return { name, value, text: `${name}=${value}` };
    });
  // The vendor sorts by decoded name. The names of this API need no encoding, so the order is the same.
  pairs.sort((left, right) =>
    left.name === right.name ? compare(left.value, right.value) : compare(left.name, right.name),
  );
  const headers = signed.map((name) => `${name}:${(headerOf(request, name) ?? '').trim()}\n`).join('');
  const payload = headerOf(request, 'x-sdk-content-sha256') ?? sha256(request.body);
  const query = pairs.map(({ text }) => text).join('&');
  return [request.method, path.endsWith('/') ? path : `${path}/`, query, headers, signed.join(';'), payload].join('\n');
}

function compare(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

function percentEncode(text: string): string {
  return [...Buffer.from(text, 'utf8')]
    .map((byte) =>
      /[A-Za-z0-9._~-]/.test(String.fromCharCode(byte))
        ? String.fromCharCode(byte)
        : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`,
    )
    .join('');
}

function timeOf(date: string): number {
  const [, year, month, day, hour, minute, second] = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date) ?? [];
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

function headerOf({ headers }: Pick<SentRequest, 'headers'>, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value[0] : value;
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
