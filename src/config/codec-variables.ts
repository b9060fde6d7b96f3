/** The variables of the encryption of payloads, and of the codec server. */
import { LARGEST_KEY_FILE_BYTES, readEncryptionKeys, type EncryptionKeys } from '../codec/encryption-keys.js';
import { readSmallFileSync } from '../files/read-file.js';
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
