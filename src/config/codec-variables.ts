/** The variables of the encryption of payloads, and of the codec server. */
import { LARGEST_KEY_FILE_BYTES, readEncryptionKeys, type EncryptionKeys } from '../codec/encryption-keys.js';
import { readSmallFileSync } from '../files/read-file.js';
import type { ValuesOf, VariableReader } from './environment.js';
import { approvers, headerSecret, kind, readableFile, reasonOf } from './values.js';

const SEPARATORS = /[,\s]+/;

const encryptionKeys = kind('file', (value, refuse): { readonly file: string; readonly keys: EncryptionKeys } => {
  const remedy = 'Write lines of a key id and a key, as docs/encryption.md shows';
  try {
    const keys = readEncryptionKeys(readSmallFileSync(value, LARGEST_KEY_FILE_BYTES).toString('utf8'));
    return typeof keys === 'string' ? refuse(`the file of keys: ${keys}`, remedy) : { file: value, keys };
  } catch (error) {
    return refuse(`the file of keys ${reasonOf(error)}`, 'Name a file that this process can read');
  }
});

const origins = kind('origins', (value, refuse) => {
  const given = value.split(SEPARATORS).filter((entry) => entry !== '');
  for (const entry of given)
    if (!URL.canParse(entry) || new URL(entry).origin !== entry)
      refuse(
        'it contains something that is not an origin',
        'Write scheme, host and port as the browser sends them, such as https://temporal.example.com',
      );
  return given;
}).default([]);

const words = kind('words', (value) => value.split(SEPARATORS).filter((word) => word !== '')).default([]);

/** How worker, gateway and command line encrypt payloads. */
export const CODEC_VARIABLES = {
  RUNBOOK_ENCRYPTION_KEYS: encryptionKeys
    .optional()
    .describe(
      'File of keys that payloads are encrypted with (encryption.md); worker, gateway and command line need the same keys. Read again when it changes',
    ),
  RUNBOOK_CODEC: readableFile
    .optional()
    .describe('Instead: file of a module that exports a payload codec of your own as `payloadCodec`'),
};

/** What `runbook codec-server` reads besides. */
export const CODEC_SERVER_VARIABLES = {
  RUNBOOK_CODEC_ORIGINS: origins.describe(
    'Origins of the Temporal UI that may use the codec server from a browser, such as `https://temporal.example.com`',
  ),
  RUNBOOK_CODEC_TOKEN: headerSecret.optional().describe('Bearer token that `runbook codec-server` accepts'),
  RUNBOOK_CODEC_ISSUER: approvers
    .optional()
    .describe(
      'Whose JSON Web Tokens `runbook codec-server` accepts, as JSON or as a file of it, in the form of `RUNBOOK_APPROVERS`',
    ),
  RUNBOOK_CODEC_ROLES: words.describe(
    'Roles of such tokens that may decrypt, separated by commas. Empty: every token of the issuer',
  ),
};

/** Where the codec of payloads comes from. */
export type CodecSource =
  | { readonly kind: 'keys'; readonly file: string; readonly keys: EncryptionKeys }
  | { readonly kind: 'module'; readonly path: string };

/** @returns `null` if payloads are not encrypted */
export function readCodecSource(reader: VariableReader): CodecSource | null {
  const { RUNBOOK_ENCRYPTION_KEYS: keys, RUNBOOK_CODEC: path } = reader.read(CODEC_VARIABLES);
  if (keys !== undefined && path !== undefined)
    reader.problem('RUNBOOK_CODEC', 'RUNBOOK_ENCRYPTION_KEYS is set as well', 'Keep one of the two');
  if (keys !== undefined) return { kind: 'keys', ...keys };
  return path === undefined ? null : { kind: 'module', path };
}

/** Adds a problem if neither variable is set; what is returned then is never used. */
export function requireCodec(reader: VariableReader, source: CodecSource | null): CodecSource {
  if (Object.keys(CODEC_VARIABLES).every((name) => reader.text(name) === undefined)) {
    const remedy = 'Set it to the file of keys of your workers, or RUNBOOK_CODEC to their module';
    reader.problem('RUNBOOK_ENCRYPTION_KEYS', 'there is nothing to decrypt with', remedy);
  }
  return source ?? { kind: 'module', path: '' };
}

/** Who may use a codec server. */
export interface CodecAccess {
  readonly token: ValuesOf<typeof CODEC_SERVER_VARIABLES>['RUNBOOK_CODEC_TOKEN'];
  readonly issuer: ValuesOf<typeof CODEC_SERVER_VARIABLES>['RUNBOOK_CODEC_ISSUER'];
  readonly roles: readonly string[];
  readonly origins: readonly string[];
}

/** @param unauthenticated nobody has to prove who they are */
export function readCodecAccess(reader: VariableReader, unauthenticated: boolean): CodecAccess {
  const values = reader.read(CODEC_SERVER_VARIABLES);
  const { RUNBOOK_CODEC_TOKEN: token, RUNBOOK_CODEC_ISSUER: issuer, RUNBOOK_CODEC_ROLES: roles } = values;
  if (token === undefined && issuer === undefined && !unauthenticated)
    reader.problem(
      'RUNBOOK_CODEC_TOKEN',
      'nobody could use the codec server: neither a token nor RUNBOOK_CODEC_ISSUER is given',
      'Set one of them, or give --unauthenticated if a proxy in front authenticates',
    );
  if (unauthenticated && (token !== undefined || issuer !== undefined))
    reader.problem(
      token === undefined ? 'RUNBOOK_CODEC_ISSUER' : 'RUNBOOK_CODEC_TOKEN',
      '--unauthenticated is given as well',
      'Keep one of the two',
    );
  if (roles.length > 0 && issuer === undefined)
    reader.problem('RUNBOOK_CODEC_ROLES', 'there is no RUNBOOK_CODEC_ISSUER', 'Set it, or remove the roles');
  return { token, issuer, roles, origins: values.RUNBOOK_CODEC_ORIGINS };
}
