/** `runbook codec-server`: decrypts payloads for the Temporal UI until it is stopped. */
import type { Command } from 'commander';
import { untilStopped } from './interruptible.js';
import { integerBetween } from './options.js';
import { CommandError, hint, print, printJsonLine } from './output.js';

interface CodecServerCommandOptions {
  readonly host: string;
  readonly port: number;
  readonly unauthenticated?: boolean;
  readonly json?: boolean;
}

const LOOPBACK = /^(?:localhost|127(?:\.\d{1,3}){3}|::1)$/;

/** Adds `runbook codec-server`. */
export function addCodecCommands(program: Command): void {
  program
    .command('codec-server')
    .description('decrypt payloads for the Temporal UI and the temporal CLI, until it is stopped')
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <number>', 'port to listen on; 0 picks a free one', integerBetween(0, 65_535), 8096)
    .option('--unauthenticated', 'accept everybody; only on a loopback address, for a proxy that authenticates')
    .option('--json', 'print one JSON object with the address first')
    .action(runCodecServer);
}

async function runCodecServer({ host, port, json, ...options }: CodecServerCommandOptions): Promise<void> {
  const unauthenticated = options.unauthenticated === true;
  if (unauthenticated && !LOOPBACK.test(host))
    throw new CommandError(
      'Unauthenticated',
      `Anyone who reaches ${host} could read every payload. Listen on 127.0.0.1 behind a proxy that authenticates, or set RUNBOOK_CODEC_TOKEN or RUNBOOK_CODEC_ISSUER`,
    );
  const [{ loadCodecServerConfig }, { loadCodec }, { startCodecServer }, { createLog }] = await Promise.all([
    import('../config/config.js'),
    import('../config/data-converter.js'),
    import('../codec-server/codec-server.js'),
    import('../logging/log.js'),
  ]);
  const config = loadCodecServerConfig(process.env, unauthenticated);
  const { token, issuer, roles, origins } = config;
  const log = createLog({ level: config.logLevel, format: config.logFormat });
  config.secretFiles.reportTo(({ level, text }) => log[level]({ what: text }, 'secret file'));
  const loaded = await loadCodec(config.codec, ({ level, text }) => log[level]({ what: text }, 'encryption keys'));
  const access = unauthenticated ? {} : { token: token && (() => token.reveal()), issuer, roles };
  const server = await startCodecServer({ host, port, ...loaded, access, origins, log });
  if (json === true) printJsonLine({ url: server.url, origins });
  else print(`Payloads are decrypted at ${server.url}/decode`);
  // The log begins after that line, which programs read as the first one.
  log.info({ origins, unauthenticated }, 'codec server ready');
  for (const warning of config.warnings) log.warn({ warning }, 'configuration warning');
  await untilStopped();
  await server.close();
  hint('The codec server has stopped');
}
