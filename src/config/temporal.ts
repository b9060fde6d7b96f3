/** How Temporal is reached: its own variables and profile file, checked beforehand, and the proxy on the way. */
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { loadClientConfigProfile, toClientOptions } from '@temporalio/envconfig';
import type { ConnectionOptions } from '@temporalio/client';
import type { NativeConnectionOptions } from '@temporalio/worker';
import { suggest } from '../domain/text/suggest.js';
import { printable } from '../domain/text/text.js';
import { FileError } from '../files/file-access.js';
import { hostAndPort } from '../network/host-and-port.js';
import { GRPC_WITHOUT_PROXY, proxyName, type ProxyFor } from '../network/proxies.js';
import type { Secret } from '../servicestage/secret.js';
import type { VariableReader } from './environment.js';
import {
  DEFAULT_ADDRESS,
  TEMPORAL_VARIABLES,
  temporalAddress,
  temporalNamespace,
  WORKER_VERSION_VARIABLES,
} from './temporal-variables.js';
import { headerText, readNamedFile, reasonOf } from './values.js';

/** Where Temporal is, and how each kind of client reaches it. */
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
/** Names of `TEMPORAL_*` without their beginning. */
const NAMES = Object.keys({ ...TEMPORAL_VARIABLES, ...WORKER_VERSION_VARIABLES }).map((name) =>
  name.slice('TEMPORAL_'.length),
);
/** Headers of gRPC, whose names are free. */
const HEADERS = 'GRPC_META_';
/** Variables that name files. */
const PATHS = [
  'TEMPORAL_CONFIG_FILE',
  'TEMPORAL_TLS_CLIENT_CERT_PATH',
  'TEMPORAL_TLS_CLIENT_KEY_PATH',
  'TEMPORAL_TLS_SERVER_CA_CERT_PATH',
] as const;

/** How to reach Temporal. Problems go to the reader; what cannot be obeyed, and names that are probably mistyped, become its warnings. */
export function readTemporal(reader: VariableReader, proxyFor: ProxyFor): TemporalConfig {
  const env = reader.all();
  warnOfNames(reader, Object.keys(env));
  const values = reader.read(TEMPORAL_VARIABLES);
  // What names a file that cannot be read is left out, so that one message has the problems of the others as well.
  for (const name of PATHS) if (values[name] === undefined) delete env[name];
  const { connectionOptions: read, namespace } = load(reader, env);
  const connectionOptions = withFollowedKey(reader, values.TEMPORAL_API_KEY, read);
  const address = connectionOptions.address ?? DEFAULT_ADDRESS;
  const place = (name: string) => (reader.text(name) === undefined ? `${name} of Temporal's profile file` : name);
  reader.check(place('TEMPORAL_NAMESPACE'), namespace, temporalNamespace);
  checkHeaders(reader, read, place('TEMPORAL_API_KEY'));
  const isAddress = reader.check(place('TEMPORAL_ADDRESS'), address, temporalAddress) !== undefined;
  const direct = { address, namespace, connectionOptions, native: { address }, proxy: null };
  return isAddress ? onItsWay(direct, proxyFor, (text) => reader.warn(text)) : direct;
}

/** A key in a file is revealed for each call, so that calls take a new one at once. One that no header can hold is passed over. */
function withFollowedKey(
  { secretFiles }: VariableReader,
  key: Secret | undefined,
  options: ConnectionOptions,
): ConnectionOptions {
  if (key === undefined || !secretFiles.has('TEMPORAL_API_KEY')) return options;
  const sendable = key.as((text) => (headerText.safeParse(text).success ? text : null));
  return { ...options, apiKey: () => sendable.reveal() };
}

/** Other tools of Temporal read names of their own, so an unknown one is not a problem. One that is close to a known one is probably a typing error and gets a warning. */
function warnOfNames(reader: VariableReader, names: readonly string[]): void {
  for (const name of names) {
    const own = /^TEMPORAL_(.+)$/.exec(name)?.[1];
    if (own === undefined || NAMES.includes(own) || own.startsWith(HEADERS)) continue;
    const meant = suggest(own, [...NAMES, HEADERS]).map((each) => `TEMPORAL_${each}`);
    if (meant.length > 0)
      reader.warn(`${printable(name)} is not known, and nothing reads it. Did you mean ${meant.join(' or ')}?`);
  }
}

/** Finds the profile file in the place that Temporal's own reader uses. @returns `undefined` if there is none, and on Windows and macOS, where Temporal's own reader finds it */
function profileFile({
  TEMPORAL_CONFIG_FILE: given,
  XDG_CONFIG_HOME,
  HOME,
}: Record<string, string>): Buffer | undefined {
  if (given !== undefined) return readNamedFile(given);
  const folder = XDG_CONFIG_HOME ?? (HOME === undefined ? undefined : join(HOME, '.config'));
  if (folder === undefined || ['win32', 'darwin'].includes(process.platform)) return undefined;
  try {
    return readNamedFile(join(folder, 'temporalio', 'temporal.toml'));
  } catch (error) {
    if (error instanceof Error && error.cause instanceof FileError && error.cause.code === 'missing') return undefined;
    throw error;
  }
}

function load(
  reader: VariableReader,
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
      if (source !== undefined && 'path' in source) tls[part] = { data: readNamedFile(source.path) };
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
function checkHeaders(reader: VariableReader, { apiKey, metadata = {} }: ConnectionOptions, placeOfKey: string): void {
  if (typeof apiKey === 'string') reader.check(placeOfKey, apiKey, headerText);
  if (apiKey !== undefined && 'authorization' in metadata)
    reader.problem('TEMPORAL_API_KEY', 'an authorization header is given as well', 'Keep one of the two');
  for (const [name, value] of Object.entries(metadata)) {
    const place = `TEMPORAL_GRPC_META_* ${name}`;
    if (!/^[0-9a-z_.-]+$/.test(name) || name.endsWith('-bin') || typeof value !== 'string')
      reader.problem(place, 'it is not a text header', 'Name it with letters, digits, - and _');
    else reader.check(place, value, headerText);
  }
}

/** Half a client certificate would be passed over, and a file that is not PEM would only fail at the first connection. */
function checkTls(reader: VariableReader, env: Record<string, string>, tls: ConnectionOptions['tls']): void {
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
      `Temporal at ${address} is reached without the proxy ${proxyName(proxy)}: Temporal's clients support http:// proxies only. Name the host in NO_PROXY, or give such a proxy`,
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
