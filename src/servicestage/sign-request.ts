/**
 * SDK-HMAC-SHA256, the AK/SK signature of Huawei Cloud. Source: API Request Signing Guide. Tested with vectors on
 * which Huawei's own Node and Python SDKs (3.1.211) agree. The body must be the exact bytes that are sent.
 * Written by hand because Huawei's SDK brings 45 packages and encodes the body itself.
 */
import { createHash, createHmac } from 'node:crypto';
import type { Secret } from './secret.js';

const ALGORITHM = 'SDK-HMAC-SHA256';

/** The parts of a request that are signed. */
export interface RequestToSign {
  readonly method: string;
  /** Absolute path, not encoded, without query. */
  readonly path: string;
  readonly query: readonly (readonly [name: string, value: string])[];
  /** `host:port` exactly as in the Host header. */
  readonly host: string;
  /** Signed unchanged, in addition to `Host` and `X-Sdk-Date`. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** An access key, permanent or temporary. */
export interface AccessKey {
  readonly accessKey: string;
  readonly secretKey: Secret;
  /** Token of temporary keys. */
  readonly securityToken?: Secret;
}

/** @returns all headers to send, including `Authorization`; the HTTP client sets `Host` to the same value */
export function signRequest(request: RequestToSign, key: AccessKey, now: Date): Record<string, string> {
  const date = `${now.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;
  const token = key.securityToken === undefined ? {} : { 'X-Security-Token': key.securityToken.reveal() };
  const headers: Record<string, string> = { ...request.headers, ...token, 'X-Sdk-Date': date };
  const lowered = Object.entries({ ...headers, Host: request.host }).map(
    ([name, value]) => [name.toLowerCase(), value.trim()] as const,
  );
  const signed = lowered.sort(([left], [right]) => (left < right ? -1 : 1));
  const names = signed.map(([name]) => name).join(';');
  const canonical = [
    request.method.toUpperCase(),
    canonicalPath(request.path),
    encodeQuery(request.query),
    ...signed.map(([name, value]) => `${name}:${value}`),
    '',
    names,
    sha256(request.body),
  ].join('\n');
  const signature = createHmac('sha256', key.secretKey.reveal())
    .update(`${ALGORITHM}\n${date}\n${sha256(canonical)}`)
    .digest('hex');
  return {
    ...headers,
    Authorization: `${ALGORITHM} Access=${key.accessKey}, SignedHeaders=${names}, Signature=${signature}`,
  };
}

/** The signed path always ends with `/`, although the path that is sent does not. */
function canonicalPath(path: string): string {
  const encoded = encodePath(path);
  return encoded.endsWith('/') ? encoded : `${encoded}/`;
}

/** Encodes each segment of a path, as the signature requires. */
export function encodePath(path: string): string {
  return path.split('/').map(encode).join('/');
}

/** Sorts names by code unit and repeated names by value; an empty value keeps its `=`. */
export function encodeQuery(query: RequestToSign['query']): string {
  const sorted = [...query].sort(([leftName, leftValue], [rightName, rightValue]) => {
    if (leftName !== rightName) return leftName < rightName ? -1 : 1;
    return leftValue < rightValue ? -1 : 1;
  });
  return sorted.map(([name, value]) => `${encode(name)}=${encode(value)}`).join('&');
}

/** RFC 3986 leaves only letters, digits and `-._~`. `encodeURIComponent` leaves five more. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}
