/** Turns a sender of an alarms file into its settings, with secrets and certificates read from their files. No problem shows the content or the name of such a file. */
import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import { FileError } from '../../files/file-access.js';
import { readSmallFile } from '../../files/read-file.js';
import type { PathProblem } from '../../yaml/yaml-document.js';
import type { SenderEntry } from './schema.js';
import type { SenderSettings } from '../senders/sender.js';
import { readCertificate } from '../senders/smn-certificate.js';

/** Reads a file that a sender names. A problem leaves out the name, because someone may have written the secret itself there. */
export type ReadSecret = (file: string) => Promise<{ readonly text: string } | { readonly problem: string }>;

const LARGEST_BYTES = 64 * 1024;
/** Characters. Chosen: a shorter secret could be guessed with enough tries. */
const SHORTEST_SECRET = 16;

/** Reads from disk; relative names are relative to the folder. */
export function secretsBeside(folder: string): ReadSecret {
  return async (file) => {
    try {
      return { text: (await readSmallFile(resolve(folder, file), { maxBytes: LARGEST_BYTES })).trim() };
    } catch (error) {
      if (error instanceof FileError) return { problem: error.message };
      throw error;
    }
  };
}

/** A random secret, which admits no one and is valid for every kind of sender. */
function placeholderSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

/**
 * The settings of a sender.
 * @param read `null` to read no file, when bodies are read without authentication
 * @returns the settings, or every problem with a path relative to the sender
 */
export async function readSettings(
  entry: SenderEntry,
  read: ReadSecret | null,
): Promise<SenderSettings | PathProblem[]> {
  const problems: PathProblem[] = [];
  const texts = async (path: readonly string[], files: readonly string[], check: Check) => {
    if (read === null) return check === checkCertificate ? [] : [placeholderSecret()];
    const found: string[] = [];
    for (const [index, file] of files.entries()) {
      const answer = await read(file);
      const problem = 'problem' in answer ? { found: answer.problem, remedy: UNREADABLE_REMEDY } : check(answer.text);
      if (problem !== null)
        problems.push({
          code: 'invalid-secret-file',
          path: [...path, index],
          found: `the file named here ${problem.found}`,
          remedy: problem.remedy,
        });
      else if ('text' in answer) found.push(answer.text);
    }
    return found;
  };
  const settings = await settingsOf(entry, texts);
  return problems.length > 0 ? problems : settings;
}

type Check = (text: string) => { readonly found: string; readonly remedy: string } | null;
type Texts = (path: readonly string[], files: readonly string[], check: Check) => Promise<string[]>;

const UNREADABLE_REMEDY = 'Name a file that the gateway can read; never write the secret itself into the alarms file';

async function settingsOf(entry: SenderEntry, texts: Texts): Promise<SenderSettings> {
  switch (entry.kind) {
    case 'alertmanager': {
      const tokens = await texts(['tokenFiles'], entry.tokenFiles, checkSecret);
      return { kind: entry.kind, tokens, ignoreLabels: entry.ignoreLabels };
    }
    case 'bearer':
      return { kind: entry.kind, tokens: await texts(['tokenFiles'], entry.tokenFiles, checkSecret) };
    case 'webhook':
      return { kind: entry.kind, secrets: await texts(['secretFiles'], entry.secretFiles, checkSigningSecret) };
    case 'smn': {
      const { topics, confirmHosts, header } = entry;
      return {
        kind: entry.kind,
        topics,
        certificates: await texts(['certificateFiles'], entry.certificateFiles, checkCertificate),
        certificateHosts: entry.certificateHosts ?? [],
        confirmHosts,
        header:
          header === undefined
            ? null
            : { name: header.name, values: await texts(['header', 'valueFiles'], header.valueFiles, checkSecret) },
      };
    }
  }
}

function checkSecret(text: string): ReturnType<Check> {
  if (text.length < SHORTEST_SECRET) {
    const found = text === '' ? 'is empty' : `holds fewer than ${SHORTEST_SECRET} characters`;
    return { found, remedy: 'Write a random secret, such as the output of: openssl rand -hex 32' };
  }
  if (/^[\x21-\x7e]+$/.test(text)) return null;
  return { found: 'holds more than one line of plain characters', remedy: 'Write the secret and nothing else' };
}

/** Standard Webhooks: `whsec_` and the base64 of 24 to 64 bytes. */
function checkSigningSecret(text: string): ReturnType<Check> {
  const [, base64 = ''] = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text) ?? [];
  const bytes = Buffer.from(base64, 'base64').length;
  if (bytes >= 24 && bytes <= 64) return null;
  const remedy = 'Write whsec_ and 24 to 64 random bytes as base64: echo "whsec_$(openssl rand -base64 32)"';
  return { found: 'does not hold a secret of Standard Webhooks', remedy };
}

function checkCertificate(text: string): ReturnType<Check> {
  try {
    readCertificate(text);
    return null;
  } catch (error) {
    const why = error instanceof Error ? error.message : 'unknown';
    return {
      found: `does not hold a certificate that may sign: ${why}`,
      remedy: 'Write the certificate that SMN signs with, as PEM',
    };
  }
}
