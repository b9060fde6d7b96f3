/** The only way from the configuration to a data converter: worker, gateway, command line and codec server call it. */
import type { DataConverter, PayloadCodec } from '@temporalio/common';
import { EncryptionCodec } from '../codec/encryption-codec.js';
import { KeyRing, type KeysChange } from '../codec/key-ring.js';
import { codecOfModule } from '../codec/module-codec.js';
import { clipText, printable } from '../domain/text/text.js';
import type { CodecSource } from './codec.js';
import { ConfigurationError } from './environment.js';

/** Ids of keys shown for one change; people add or remove one at a time. */
const LONGEST_IDS_BYTES = 200;

/** A line for the log about the file of keys: ids of keys, and no key. */
export interface KeysNotice {
  readonly level: 'info' | 'warn';
  readonly text: string;
}

/** The codec of a process. */
export interface LoadedCodec {
  readonly codec: PayloadCodec;
  /** Reads the file of keys if that was last done more than 5 s ago. @returns why it cannot be used now; the keys of before count meanwhile. `null`: it can be */
  readonly problem: () => Promise<string | null>;
}

/** @param report receives what happens to the file of keys later. @throws ConfigurationError */
export async function loadCodec(source: CodecSource, report: (notice: KeysNotice) => void): Promise<LoadedCodec> {
  if (source.kind === 'keys') {
    const name = `The file of keys ${printable(source.file)}`;
    const ring = new KeyRing(source.file, source.keys, {
      onProblem: (problem) => report(problemNotice(name, problem)),
      onChange: (change) => report({ level: 'info', text: `${name} has changed: ${described(change)}` }),
    });
    const problem = async () => {
      await ring.refresh();
      return ring.problem;
    };
    return { codec: new EncryptionCodec(ring), problem };
  }
  const codec = await codecOfModule(source.path);
  if (typeof codec !== 'string') return { codec, problem: () => Promise.resolve(null) };
  throw new ConfigurationError([
    {
      code: 'configuration',
      place: 'RUNBOOK_CODEC',
      found: printable(codec),
      remedy: 'Name a module as docs/encryption.md shows',
    },
  ]);
}

/** @returns `{}` where payloads are not encrypted, so that it can be spread into the options of clients and workers. @throws ConfigurationError */
export async function dataConverterOf(
  source: CodecSource | null,
  report: (notice: KeysNotice) => void,
): Promise<{ readonly dataConverter?: DataConverter }> {
  if (source === null) return {};
  const { codec } = await loadCodec(source, report);
  return { dataConverter: { payloadCodecs: [codec] } };
}

function problemNotice(name: string, problem: string | null): KeysNotice {
  if (problem === null) return { level: 'info', text: `${name} can be read again` };
  return { level: 'warn', text: `${name} cannot be used, so the keys of before still count: ${printable(problem)}` };
}

function described({ active, added, removed }: KeysChange): string {
  const ids = (prefix: string, of: readonly string[]) =>
    of.length === 0 ? '' : `; ${prefix}: ${clipText(of.join(', '), LONGEST_IDS_BYTES)}`;
  return `${active} encrypts${ids('added', added)}${ids('removed', removed)}`;
}
