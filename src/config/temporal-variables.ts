/** The variables of the connection to Temporal, and of the version of a worker. */
import { isHostOfUrl } from '../network/host-and-port.js';
import { formed, readableFile, secret, text } from './values.js';

const DEFAULT_PORT = 7233;
/** `host:port` of a Temporal server on this machine. */
export const DEFAULT_ADDRESS = `localhost:${DEFAULT_PORT}`;

const ADDRESS = /^(?:[\w.-]{1,254}|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i;

/** `host` or `host:port` of a Temporal server, wherever it is written. */
export const temporalAddress = formed(
  isAddress,
  'host:port',
  `Write host and port alone, such as ${DEFAULT_ADDRESS} or [::1]:${DEFAULT_PORT}; TEMPORAL_TLS=true switches TLS on`,
);

function isAddress(value: string): boolean {
  if (!ADDRESS.test(value)) return false;
  // What the form lets through and no connection takes: 1.2.3.999, a..b, port 0 or 65536.
  const url = URL.canParse(`https://${value}`) ? new URL(`https://${value}`) : null;
  return url !== null && url.port !== '0' && isHostOfUrl(url);
}

/** A Temporal namespace, wherever it is written. */
export const temporalNamespace = formed(/^[^\s/:]+$/, 'a namespace', 'Write its name alone, such as default');
const temporalBoolean = formed(/^(?:true|false|1|0)$/, 'true or false', 'Write true or false').optional();

/** Those of Temporal's own reader, which reads most of them; address and namespace may also come from its profile file. Described ones are documented. */
export const TEMPORAL_VARIABLES = {
  TEMPORAL_ADDRESS: text
    .optional()
    .meta({ form: 'host:port', default: DEFAULT_ADDRESS })
    .describe(
      "Temporal server; further `TEMPORAL_*` (namespace, API key, TLS, profile) as in Temporal's own environment configuration",
    ),
  TEMPORAL_NAMESPACE: text.optional().meta({ default: 'default' }).describe('Temporal namespace'),
  TEMPORAL_TLS: temporalBoolean,
  TEMPORAL_TLS_DISABLE_HOST_VERIFICATION: temporalBoolean,
  TEMPORAL_CONFIG_FILE: readableFile.optional(),
  TEMPORAL_TLS_CLIENT_CERT_PATH: readableFile.optional(),
  TEMPORAL_TLS_CLIENT_KEY_PATH: readableFile.optional(),
  TEMPORAL_TLS_SERVER_CA_CERT_PATH: readableFile.optional(),
  TEMPORAL_API_KEY: secret.optional(),
  TEMPORAL_PROFILE: text.optional(),
  TEMPORAL_CODEC_ENDPOINT: text.optional(),
  TEMPORAL_CODEC_AUTH: secret.optional(),
  TEMPORAL_TLS_CLIENT_CERT_DATA: text.optional(),
  TEMPORAL_TLS_CLIENT_KEY_DATA: secret.optional(),
  TEMPORAL_TLS_SERVER_CA_CERT_DATA: text.optional(),
  TEMPORAL_TLS_SERVER_NAME: text.optional(),
};

const isDeploymentName = /^(?!__)[^\s.:]{1,200}$/;
const isBuildId = /^(?!__)\S{1,200}$/;

/** The version of a worker; see `worker-version.ts`. */
export const WORKER_VERSION_VARIABLES = {
  TEMPORAL_WORKER_DEPLOYMENT_NAME: formed(
    isDeploymentName,
    'the name of a Worker Deployment',
    'Write a name without dots, colons and spaces that does not begin with __, such as runbooks',
  )
    .optional()
    .describe(
      'Worker Deployment of Temporal that the worker belongs to; also `TEMPORAL_DEPLOYMENT_NAME`, as the Worker Controller sets it. Unset: not versioned (upgrades.md)',
    ),
  TEMPORAL_WORKER_BUILD_ID: formed(
    isBuildId,
    'a build id',
    'Write the tag of the image, such as 1.4.2: no spaces, and no __ at the beginning',
  )
    .optional()
    .describe('Version of the worker in it, different for each build, such as the tag of the image'),
  TEMPORAL_DEPLOYMENT_NAME: formed(
    isDeploymentName,
    'the name of a Worker Deployment',
    'Set TEMPORAL_WORKER_DEPLOYMENT_NAME instead',
  ).optional(),
};
