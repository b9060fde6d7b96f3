/** How ServiceStage is reached and as whom: what the variables say together. */
import type { Texts } from '../files/followed-files.js';
import type { Credentials } from '../servicestage/auth.js';
import { isRegion, REGIONS } from '../servicestage/regions.js';
import { Secret } from '../servicestage/secret.js';
import type { AccessKey } from '../servicestage/sign-request.js';
import type { ServiceStageOptions } from '../servicestage/service-stage-client.js';
import { didYouMean } from '../domain/text/suggest.js';
import type { ValuesOf, VariableReader } from './environment.js';
import { DEFAULT_METADATA_ENDPOINT, SERVICESTAGE_VARIABLES } from './variables.js';

type Values = ValuesOf<typeof SERVICESTAGE_VARIABLES>;

/** Endpoints, identity and request budget. Problems go to the reader. */
export function readServiceStage(reader: VariableReader): ServiceStageOptions {
  const values = reader.read(SERVICESTAGE_VARIABLES);
  const region = values.SERVICESTAGE_REGION;
  checkRegion(reader, region);
  const iamEndpoint =
    addressOf(reader, 'HUAWEICLOUD_SDK_IAM_ENDPOINT', values) ??
    (region === undefined ? undefined : `https://iam.${region}.myhuaweicloud.com`);
  if (reader.text('HUAWEICLOUD_SDK_PROJECT_ID') === undefined)
    reader.problem(
      'HUAWEICLOUD_SDK_PROJECT_ID',
      'the project id is missing',
      'Set it; the console shows it under "My Credentials"',
    );
  return {
    endpoint:
      addressOf(reader, 'SERVICESTAGE_ENDPOINT', values) ?? `https://servicestage.${region ?? ''}.myhuaweicloud.com`,
    projectId: values.HUAWEICLOUD_SDK_PROJECT_ID ?? '',
    credentials: readCredentials(reader, values, iamEndpoint),
    iamEndpoint,
    userId: values.SERVICESTAGE_USER_ID,
    requestsPerSecond: values.SERVICESTAGE_REQUESTS_PER_SECOND,
    burst: Math.max(1, values.SERVICESTAGE_BURST),
  };
}

function checkRegion(reader: VariableReader, region: string | undefined): void {
  if (reader.text('SERVICESTAGE_ENDPOINT') !== undefined) return;
  if (reader.text('SERVICESTAGE_REGION') === undefined)
    reader.problem(
      'SERVICESTAGE_REGION',
      'neither a region nor an endpoint is set',
      'Set SERVICESTAGE_REGION, such as cn-north-4, or SERVICESTAGE_ENDPOINT',
    );
  else if (region !== undefined && !isRegion(region))
    reader.problem(
      'SERVICESTAGE_REGION',
      `"${region}" is not a region that is known here`,
      `Use one of ${REGIONS.join(', ')}, or set SERVICESTAGE_ENDPOINT.${didYouMean(region, REGIONS)}`,
    );
}

const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];

/** An address without slashes at its end; `undefined` if none is set. */
function addressOf(
  reader: VariableReader,
  name: 'SERVICESTAGE_ENDPOINT' | 'HUAWEICLOUD_SDK_IAM_ENDPOINT' | 'SERVICESTAGE_METADATA_ENDPOINT',
  values: Values,
): string | undefined {
  const url = values[name];
  if (url === undefined) return undefined;
  const { origin, pathname, protocol, hostname } = url;
  // Nothing but this machine answers at a link-local address.
  const isNear = LOOPBACK.includes(hostname) || /^169\.254\.\d+\.\d+$/.test(hostname);
  if (protocol === 'http:' && !isNear && values.SERVICESTAGE_ALLOW_HTTP !== 'true')
    reader.problem(
      name,
      `it uses http:// for ${hostname}, and credentials would travel in the open`,
      'Use https, or set SERVICESTAGE_ALLOW_HTTP=true',
    );
  return `${origin}${pathname}`.replace(/\/+$/, '');
}

const WAYS = {
  HUAWEICLOUD_SDK_AK: ['HUAWEICLOUD_SDK_AK', 'HUAWEICLOUD_SDK_SK'],
  SERVICESTAGE_TOKEN: ['SERVICESTAGE_TOKEN'],
  SERVICESTAGE_IAM_USER: ['SERVICESTAGE_IAM_USER', 'SERVICESTAGE_IAM_PASSWORD', 'SERVICESTAGE_IAM_DOMAIN'],
} as const;
type Way = keyof typeof WAYS;
const CHOICES =
  'HUAWEICLOUD_SDK_AK with _SK, or SERVICESTAGE_TOKEN, or SERVICESTAGE_IAM_USER with _IAM_PASSWORD and _IAM_DOMAIN, or SERVICESTAGE_CREDENTIALS=ecsAgency';

/** Exactly one way to authenticate. Two at once are a problem, since it would not be clear which one acts. */
function readCredentials(reader: VariableReader, values: Values, iamEndpoint: string | undefined): Credentials {
  const isSet = (name: string) => reader.text(name) !== undefined;
  const ways = (Object.keys(WAYS) as Way[]).filter((way) => WAYS[way].some(isSet));
  const [way] = ways;
  const metadataEndpoint = addressOf(reader, 'SERVICESTAGE_METADATA_ENDPOINT', values) ?? DEFAULT_METADATA_ENDPOINT;
  if (values.SERVICESTAGE_CREDENTIALS === 'ecsAgency') {
    if (way !== undefined)
      reader.problem(way, 'it is set beside SERVICESTAGE_CREDENTIALS=ecsAgency', `Keep one of: ${CHOICES}`);
    return { kind: 'ecsAgency', metadataEndpoint };
  }
  if (way === undefined) reader.problem('credentials', 'none are set', `Set one of: ${CHOICES}`);
  if (ways.length > 1)
    reader.problem(ways.join(' and '), 'two ways to authenticate are set at once', `Keep one of: ${CHOICES}`);
  const missing = way === undefined ? [] : WAYS[way].filter((name) => !isSet(name));
  const needsIam =
    way === 'SERVICESTAGE_IAM_USER' && !isSet('HUAWEICLOUD_SDK_IAM_ENDPOINT') && !isSet('SERVICESTAGE_REGION');
  for (const name of [...missing, ...(needsIam ? ['HUAWEICLOUD_SDK_IAM_ENDPOINT'] : [])])
    reader.problem(name, 'it is missing', `It goes with ${way}`);
  // Where one is missing the configuration is refused, so these placeholders are never used.
  const none = new Secret('');
  if (way === 'HUAWEICLOUD_SDK_AK') return readAccessKey(reader, values);
  if (way === 'SERVICESTAGE_IAM_USER')
    return {
      kind: 'password',
      iamEndpoint: iamEndpoint ?? '',
      user: values.SERVICESTAGE_IAM_USER ?? '',
      password: values.SERVICESTAGE_IAM_PASSWORD ?? none,
      domain: values.SERVICESTAGE_IAM_DOMAIN ?? '',
    };
  return { kind: 'token', token: values.SERVICESTAGE_TOKEN ?? none };
}

/** Parts that come from files are read together, those in variables stay. */
function readAccessKey({ secretFiles }: VariableReader, values: Values): Credentials {
  const names = { ak: 'HUAWEICLOUD_SDK_AK', sk: 'HUAWEICLOUD_SDK_SK', token: 'HUAWEICLOUD_SDK_SECURITY_TOKEN' };
  const fixed = {
    [names.ak]: values.HUAWEICLOUD_SDK_AK ?? '',
    [names.sk]: values.HUAWEICLOUD_SDK_SK?.reveal() ?? '',
    [names.token]: values.HUAWEICLOUD_SDK_SECURITY_TOKEN?.reveal() ?? '',
  };
  const keyOf = (texts: Texts): AccessKey => {
    const text = (name: string) => texts[name] ?? fixed[name] ?? '';
    const token = text(names.token);
    return {
      accessKey: text(names.ak),
      secretKey: new Secret(text(names.sk)),
      ...(token === '' ? {} : { securityToken: new Secret(token) }),
    };
  };
  const files = Object.values(names).flatMap((name) => secretFiles.together(name) ?? [])[0];
  return files === undefined
    ? { kind: 'accessKey', ...keyOf({}) }
    : { kind: 'keyFiles', read: () => keyOf(files.current()), readAgain: () => keyOf(files.readAgain()) };
}
