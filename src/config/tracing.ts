/** Whether a process traces, by the variables of OpenTelemetry, which its own packages read as well. */
import type { VariableReader } from './environment.js';

/** The protocol of the exporter that we ship. */
const PROTOCOL = 'http/protobuf';
const ENDPOINTS = ['OTEL_EXPORTER_OTLP_ENDPOINT', 'OTEL_EXPORTER_OTLP_TRACES_ENDPOINT'];
const PROTOCOLS = ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL'];

/** @returns true if spans must be exported. Adds a problem for an exporter or a protocol that we do not have. */
export function readTracing(reader: VariableReader): boolean {
  if (reader.text('OTEL_SDK_DISABLED')?.toLowerCase() === 'true') return false;
  const exporter = reader.text('OTEL_TRACES_EXPORTER');
  if (exporter === 'none') return false;
  if (exporter === undefined && ENDPOINTS.every((name) => reader.text(name) === undefined)) return false;
  if (exporter !== undefined && exporter !== 'otlp')
    reader.problem(
      'OTEL_TRACES_EXPORTER',
      'there is no such exporter here',
      'Write otlp, or none to switch tracing off',
    );
  const protocol = PROTOCOLS.find((name) => reader.text(name) !== undefined);
  if (protocol !== undefined && reader.text(protocol) !== PROTOCOL)
    reader.problem(
      protocol,
      'traces cannot be exported with this protocol',
      `Write ${PROTOCOL}, and an endpoint that accepts it: collectors listen on port 4318 for it`,
    );
  return true;
}
