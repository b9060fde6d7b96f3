/** Which of OpenTelemetry's variables switch tracing on, and what we cannot export. */
import { describe, expect, it } from 'vitest';
import { loadClientConfig } from '../../../src/config/config.js';
import { ConfigurationError, type Environment } from '../../../src/config/environment.js';

const ENDPOINT = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://collector:4318' };

describe('tracing', () => {
  it.each<[string, Environment]>([
    ['nothing is set', {}],
    ['only a service name is set', { OTEL_SERVICE_NAME: 'mine' }],
    ['the endpoint is empty', { OTEL_EXPORTER_OTLP_ENDPOINT: '' }],
    ['the exporter is none', { ...ENDPOINT, OTEL_TRACES_EXPORTER: 'none' }],
    ['OpenTelemetry is disabled', { ...ENDPOINT, OTEL_SDK_DISABLED: 'true' }],
  ])('is off when %s', (_when, env) => {
    expect(loadClientConfig(env).tracing).toBe(false);
  });

  it.each<[string, Environment]>([
    ['an endpoint', ENDPOINT],
    ['an endpoint for traces', { OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://collector:4318/v1/traces' }],
    ['the exporter', { OTEL_TRACES_EXPORTER: 'otlp' }],
    ['the protocol that we have', { ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: 'http/protobuf' }],
  ])('is on with %s', (_what, env) => {
    expect(loadClientConfig(env).tracing).toBe(true);
  });

  it.each<[string, Environment]>([
    ['OTEL_TRACES_EXPORTER', { OTEL_TRACES_EXPORTER: 'zipkin' }],
    ['OTEL_EXPORTER_OTLP_PROTOCOL', { ...ENDPOINT, OTEL_EXPORTER_OTLP_PROTOCOL: 'grpc' }],
    ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', { ...ENDPOINT, OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json' }],
  ])('with an exporter or protocol that we lack is a problem of %s', (place, env) => {
    expect(() => loadClientConfig(env)).toThrow(ConfigurationError);
    expect(() => loadClientConfig(env)).toThrow(place);
  });
});
