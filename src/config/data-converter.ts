/** The only way from the configuration to a data converter: worker, gateway, command line and codec server call it. */
import type { DataConverter, PayloadCodec } from '@temporalio/common';
import { EncryptionCodec } from '../codec/encryption-codec.js';
import { KeyRing } from '../codec/key-ring.js';
import { codecOfModule } from '../codec/module-codec.js';
import { printable } from '../domain/text/text.js';
import type { CodecSource } from './codec.js';
import { ConfigurationError } from './environment.js';

/** The codec of a process. */
export interface LoadedCodec {
  readonly codec: PayloadCodec;
  /** Why the file of keys cannot be used now; the keys of before count meanwhile. `null`: it can be. */
  problem(): Promise<string | null>;
}

/** @param warn receives problems of the file of keys that come up later. @throws ConfigurationError */
export async function loadCodec(source: CodecSource, warn: (text: string) => void): Promise<LoadedCodec> {
  if (source.kind === 'keys') {
    const onProblem = (problem: string | null) => warn(keysMessage(source.file, problem));
    const ring = new KeyRing(source.file, source.keys, { onProblem });
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
  warn: (text: string) => void,
): Promise<{ readonly dataConverter?: DataConverter }> {
  if (source === null) return {};
  const { codec } = await loadCodec(source, warn);
  return { dataConverter: { payloadCodecs: [codec] } };
}

function keysMessage(file: string, problem: string | null): string {
  return problem === null
    ? `The file of keys ${printable(file)} can be read again`
    : `The file of keys ${printable(file)} cannot be used, so the keys of before still count: ${printable(problem)}`;
}
