/** Where the codec of payloads comes from, and which callers a codec server accepts: what the variables mean together. */
import type { EncryptionKeys } from '../codec/encryption-keys.js';
import { CODEC_SERVER_VARIABLES, CODEC_VARIABLES } from './codec-variables.js';
import type { ValuesOf, VariableReader } from './environment.js';

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

/** Which callers a codec server accepts. */
export interface CodecAccess {
  readonly token: ValuesOf<typeof CODEC_SERVER_VARIABLES>['RUNBOOK_CODEC_TOKEN'];
  readonly issuer: ValuesOf<typeof CODEC_SERVER_VARIABLES>['RUNBOOK_CODEC_ISSUER'];
  readonly roles: readonly string[];
  readonly origins: readonly string[];
}

/** @param unauthenticated every caller is accepted */
export function readCodecAccess(reader: VariableReader, unauthenticated: boolean): CodecAccess {
  const values = reader.read(CODEC_SERVER_VARIABLES);
  const { RUNBOOK_CODEC_TOKEN: token, RUNBOOK_CODEC_ISSUER: issuer, RUNBOOK_CODEC_ROLES: roles } = values;
  if (token === undefined && issuer === undefined && !unauthenticated)
    reader.problem(
      'RUNBOOK_CODEC_TOKEN',
      'no caller could be accepted: neither a token nor RUNBOOK_CODEC_ISSUER is given',
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
