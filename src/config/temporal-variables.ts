/** How Temporal is reached: its own variables and profile file, checked beforehand, and the proxy on the way. */
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { loadClientConfigProfile, toClientOptions } from '@temporalio/envconfig';
import type { ConnectionOptions } from '@temporalio/client';
import type { NativeConnectionOptions } from '@temporalio/worker';
import type { Form, Reader } from './variable-reader.js';
import { suggest } from '../domain/text/suggest.js';
import { printable } from '../domain/text/text.js';
import { FileError } from '../files/file-access.js';
import { readSmallFileSync } from '../files/read-file.js';
import { hostAndPort, isHostOfUrl } from '../network/host-and-port.js';
import { GRPC_WITHOUT_PROXY, proxyName, type ProxyFor } from '../network/proxies.js';

export interface TemporalConfig {
  /** `host:port` of the server, for people. */
  readonly address: string;
  readonly namespace: string;
  /** For the pure-JavaScript client, proxy included: with one, its `address` is the proxy's. */
  readonly connectionOptions: ConnectionOptions;
  /** The same way for the native core of a worker. */
  readonly native: Pick<NativeConnectionOptions, 'address' | 'proxy'>;
  /** The proxy on the way, without credentials; `null`: none. */
  readonly proxy: string | null;
}

const DEFAULT_PORT = 7233;
const DEFAULT_ADDRESS = `localhost:${DEFAULT_PORT}`;

const ADDRESS: Form = {
  pattern: /^(?:[\w.-]{1,254}|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i,
  noun: 'host:port',
  remedy: `Write host and port alone, such as ${DEFAULT_ADDRESS} or [::1]:${DEFAULT_PORT}; TEMPORAL_TLS=true switches TLS on`,
};
const NAMESPACE: Form = {
  pattern: /^[^\s/:]+$/,
  noun: 'a namespace',
  remedy: 'Write its name alone, such as default',
};
const BOOLEAN: Form = { pattern: /^(?:true|false|1|0)$/, noun: 'true or false', remedy: 'Write true or false' };
const PATHS = ['CONFIG_FILE', 'TLS_CLIENT_CERT_PATH', 'TLS_CLIENT_KEY_PATH', 'TLS_SERVER_CA_CERT_PATH'].map(
  (name) => `TEMPORAL_${name}`,
);

const NAMES = [
  'ADDRESS',
  'NAMESPACE',
  'API_KEY',
  'PROFILE',
  'CONFIG_FILE',
  'CODEC_ENDPOINT',
  'CODEC_AUTH',
  'TLS',
  'TLS_CLIENT_CERT_PATH',
  'TLS_CLIENT_CERT_DATA',
  'TLS_CLIENT_KEY_PATH',
  'TLS_CLIENT_KEY_DATA',
  'TLS_SERVER_CA_CERT_PATH',
  'TLS_SERVER_CA_CERT_DATA',
  'TLS_SERVER_NAME',
  'TLS_DISABLE_HOST_VERIFICATION',
];
const HEADERS = 'GRPC_META_';

/** What cannot be obeyed, and names that are probably mistyped, become warnings of the reader. */
export function readTemporal(reader: Reader, proxyFor: ProxyFor): TemporalConfig {
  const env = reader.all();
  warnOfNames(reader, Object.keys(env));
  for (const name of ['TEMPORAL_TLS', 'TEMPORAL_TLS_DISABLE_HOST_VERIFICATION']) reader.formed(name, BOOLEAN);
  // The others are still read without them, so that one message has every problem.
  for (const name of PATHS.filter((path) => !isReadable(reader, path))) delete env[name];
  const { connectionOptions, namespace } = load(reader, env);
  const address = connectionOptions.address ?? DEFAULT_ADDRESS;
  const place = (name: string) => (reader.text(name) === undefined ? `${name} of Temporal's profile file` : name);
  reader.checkForm(place('TEMPORAL_NAMESPACE'), namespace, NAMESPACE);
  checkHeaders(reader, connectionOptions, place('TEMPORAL_API_KEY'));
  const isAddress = isAddressAt(reader, place('TEMPORAL_ADDRESS'), address);
  const direct = { address, namespace, connectionOptions, native: { address }, proxy: null };
  return isAddress ? onItsWay(direct, proxyFor, (text) => reader.warn(text)) : direct;
}

/** Other tools of Temporal read names of their own, so an unknown one is no problem; one that is near to a known one is probably that. */
function warnOfNames(reader: Reader, names: readonly string[]): void {
  for (const name of names) {
    const own = /^TEMPORAL_(.+)$/.exec(name)?.[1];
    if (own === undefined || NAMES.includes(own) || own.startsWith(HEADERS)) continue;
    const meant = suggest(own, [...NAMES, HEADERS]).map((each) => `TEMPORAL_${each}`);
    if (meant.length > 0)
      reader.warn(`${printable(name)} is not known, and nothing reads it. Did you mean ${meant.join(' or ')}?`);
  }
}

function isAddressAt(reader: Reader, place: string, address: string): boolean {
  if (!reader.checkForm(place, address, ADDRESS)) return false;
  // What the form lets through and no connection takes: 1.2.3.999, a..b, port 0 or 65536.
  const url = URL.canParse(`https://${address}`) ? new URL(`https://${address}`) : null;
  if (url !== null && url.port !== '0' && isHostOfUrl(url)) return true;
  reader.problem(place, `"${address}" is not ${ADDRESS.noun}`, ADDRESS.remedy);
  return false;
}

function isReadable(reader: Reader, name: string): boolean {
  const path = reader.text(name);
  if (path === undefined) return true;
  try {
    readNamed(path);
    return true;
  } catch (error) {
    reader.problem(name, reasonOf(error), 'Name a file that this process can read');
    return false;
  }
}

/** Certificates with all that they are signed by, and profiles of many servers, are far smaller. */
const LARGEST_FILE_BYTES = 256 * 1024;

/** Temporal's own reader waits for ever for a named pipe. @throws Error with the path and the reason */
function readNamed(path: string): Buffer {
  try {
    return readSmallFileSync(path, LARGEST_FILE_BYTES);
  } catch (error) {
    throw new Error(`"${path}" ${reasonOf(error)}`, { cause: error });
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The profile file, as Temporal's own reader looks for it; `undefined`: there is none, or the other places of Windows and macOS count. */
function profileFile({
  TEMPORAL_CONFIG_FILE: given,
  XDG_CONFIG_HOME,
  HOME,
}: Record<string, string>): Buffer | undefined {
  if (given !== undefined) return readNamed(given);
  const folder = XDG_CONFIG_HOME ?? (HOME === undefined ? undefined : join(HOME, '.config'));
  if (folder === undefined || ['win32', 'darwin'].includes(process.platform)) return undefined;
  try {
    return readNamed(join(folder, 'temporalio', 'temporal.toml'));
  } catch (error) {
    if (error instanceof Error && error.cause instanceof FileError && error.cause.code === 'missing') return undefined;
    throw error;
  }
}

function load(
  reader: Reader,
  env: Record<string, string>,
): { connectionOptions: ConnectionOptions; namespace: string } {
  try {
    const file = profileFile(env);
    const profile = loadClientConfigProfile({
      overrideEnvVars: env,
      ...(file === undefined ? {} : { configSource: { data: file } }),
    });
    const { tls = {} } = profile;
    for (const part of ['clientCert', 'clientKey', 'serverCACert'] as const) {
      const source = tls[part];
      if (source !== undefined && 'path' in source) tls[part] = { data: readNamed(source.path) };
    }
    const { connectionOptions, namespace = 'default' } = toClientOptions(profile);
    checkTls(reader, env, connectionOptions.tls);
    return { connectionOptions, namespace };
  } catch (error) {
    // The first line alone: the next ones may be those of the file, secrets included.
    const [reason = ''] = reasonOf(error).split('\n');
    // What Temporal's reader makes of a file without any profile.
    const found = error instanceof TypeError ? 'the profile file has no [profile.NAME]' : reason;
    reader.problem('TEMPORAL_*', printable(found), 'Correct the variables, or the profile file that they name');
    return { connectionOptions: {}, namespace: 'default' };
  }
}

/** What gRPC refuses at the first call. Header names of variables come normalised. */
function checkHeaders(reader: Reader, { apiKey, metadata = {} }: ConnectionOptions, placeOfKey: string): void {
  if (typeof apiKey === 'string') reader.checkHeader(placeOfKey, apiKey);
  if (apiKey !== undefined && 'authorization' in metadata)
    reader.problem('TEMPORAL_API_KEY', 'an authorization header is given as well', 'Keep one of the two');
  for (const [name, value] of Object.entries(metadata)) {
    const place = `TEMPORAL_GRPC_META_* ${name}`;
    if (!/^[0-9a-z_.-]+$/.test(name) || name.endsWith('-bin') || typeof value !== 'string')
      reader.problem(place, 'it is no header of text', 'Name it with letters, digits, - and _');
    else reader.checkHeader(place, value);
  }
}

/** Half a client certificate would be passed over, and a file that is no PEM would be found at the first connection. */
function checkTls(reader: Reader, env: Record<string, string>, tls: ConnectionOptions['tls']): void {
  const [cert, key] = ['CERT', 'KEY'].map(
    (part) => env[`TEMPORAL_TLS_CLIENT_${part}_PATH`] ?? env[`TEMPORAL_TLS_CLIENT_${part}_DATA`],
  );
  if ((cert === undefined) !== (key === undefined))
    reader.problem(
      'TEMPORAL_TLS_CLIENT_CERT and _KEY',
      'only one of the two is given',
      'A client certificate needs both',
    );
  if (typeof tls !== 'object' || tls === null) return;
  const { serverRootCACertificate: ca, clientCertPair: pair } = tls;
  try {
    // A context takes anything for an authority.
    const authority = ca === undefined ? null : new X509Certificate(Buffer.from(ca));
    createSecureContext({
      ...(authority === null ? {} : { ca: authority.toString() }),
      ...(pair === undefined || pair === null ? {} : { cert: Buffer.from(pair.crt), key: Buffer.from(pair.key) }),
    });
  } catch (error) {
    reader.problem(
      'TEMPORAL_TLS_*',
      `a certificate or key cannot be used: ${reasonOf(error)}`,
      'Give PEM, and the key of the certificate',
    );
  }
}

/**
 * grpc-js reads the proxy variables itself, in lower case alone and also for loopback, and the native core reads none: so that both go the
 * same way, it is decided here. By `HTTPS_PROXY` with or without TLS, as gRPC does elsewhere.
 */
function onItsWay(direct: TemporalConfig, proxyFor: ProxyFor, warn: (text: string) => void): TemporalConfig {
  const { connectionOptions } = direct;
  const { hostname, port } = new URL(`https://${direct.address}`);
  // The URL leaves out 443, which is its own default.
  const address = /:\d+$/.test(direct.address)
    ? hostAndPort(hostname, port || 443)
    : hostAndPort(hostname, DEFAULT_PORT);
  const own = { ...connectionOptions, channelArgs: GRPC_WITHOUT_PROXY };
  const proxy = proxyFor(new URL(`https://${address}`));
  if (proxy !== null && proxy.protocol !== 'http:')
    warn(
      `Temporal at ${address} is reached without the proxy ${proxyName(proxy)}: Temporal's clients speak to http:// proxies only. Name the host in NO_PROXY, or give such a proxy`,
    );
  if (proxy === null || proxy.protocol !== 'http:') return { ...direct, connectionOptions: own };
  const [username, password] = [proxy.username, proxy.password].map(decodeURIComponent) as [string, string];
  const proxyAddress = hostAndPort(proxy.hostname, proxy.port || 80);
  const hasUser = username !== '';
  return {
    ...direct,
    proxy: proxyName(proxy),
    connectionOptions: {
      ...own,
      address: proxyAddress,
      channelArgs: {
        ...own.channelArgs,
        'grpc.http_connect_target': `dns:${address}`,
        'grpc.default_authority': address,
        ...(hasUser ? { 'grpc.http_connect_creds': `${username}:${password}` } : {}),
      },
    },
    native: {
      address,
      proxy: {
        type: 'http-connect',
        targetHost: proxyAddress,
        ...(hasUser ? { basicAuth: { username, password } } : {}),
      },
    },
  };
}
