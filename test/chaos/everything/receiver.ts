/** Where the workers send traces and notifications: one server that checks and counts both. */
import { createHmac } from 'node:crypto';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import protobuf from 'protobufjs';

/** The part of OTLP that is read here. Source: opentelemetry-proto 1.5, `trace.proto` and `common.proto`. */
const { root } = protobuf.parse(`
  syntax = "proto3";
  message Request { repeated ResourceSpans resource_spans = 1; }
  message ResourceSpans { repeated ScopeSpans scope_spans = 2; }
  message ScopeSpans { repeated Span spans = 2; }
  message Span { bytes trace_id = 1; string name = 5; repeated KeyValue attributes = 9; }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message AnyValue { string string_value = 1; }
`);
const Request = root.lookupType('Request');

interface Span {
  readonly name: string;
  readonly attributes: readonly { readonly key: string; readonly value?: { readonly stringValue?: string } }[];
}

interface Spans {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[];
}

/** A notification as the receiver took it. */
export interface Message {
  readonly id: string;
  readonly type: string;
  readonly runId: string;
}

export interface ReceiverOptions {
  /** Secrets of the webhook that count now, `whsec_` and base64 each. */
  readonly secrets: () => readonly string[];
  readonly onMessage: (message: Message) => void;
  /** What arrives, so that it can be searched for secrets. */
  readonly onSpans: (body: Buffer) => void;
  readonly onNotification: (body: Buffer) => void;
}

export class Receiver {
  /** Spans by name. */
  readonly spans = new Map<string, number>();
  /** Ids of the runs whose own span arrived. */
  readonly tracedRuns = new Set<string>();
  readonly messages: Message[] = [];
  readonly problems: string[] = [];
  readonly #server: Server;

  private constructor(private readonly options: ReceiverOptions) {
    this.#server = createServer((request, response) => {
      bodyOf(request).then(
        (body) => response.writeHead(this.#receive(request, body)).end(),
        () => response.destroy(), // The worker was killed while it sent.
      );
    });
  }

  static async open(options: ReceiverOptions): Promise<Receiver> {
    const receiver = new Receiver(options);
    await new Promise<void>((resolve) => receiver.#server.listen(0, '127.0.0.1', resolve));
    return receiver;
  }

  /** `http://127.0.0.1:PORT` */
  get origin(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  /** @returns the HTTP status of the answer */
  #receive(request: IncomingMessage, body: Buffer): number {
    if (request.url === '/v1/traces') return this.#countSpans(body);
    this.options.onNotification(body);
    const id = String(request.headers['webhook-id']);
    if (!this.#isSigned(request, id, body)) {
      this.problems.push(`notification ${id} has no signature with a secret that counts`);
      return 401;
    }
    const { type, data } = JSON.parse(body.toString('utf8')) as { type: string; data: { runId: string } };
    const message = { id, type, runId: data.runId };
    this.messages.push(message);
    this.options.onMessage(message);
    return 204;
  }

  #countSpans(body: Buffer): number {
    this.options.onSpans(body);
    const { resourceSpans } = Request.toObject(Request.decode(body), { arrays: true }) as Spans;
    for (const { name, attributes } of resourceSpans
      .flatMap(({ scopeSpans }) => scopeSpans)
      .flatMap(({ spans }) => spans)) {
      this.spans.set(name, (this.spans.get(name) ?? 0) + 1);
      const runId = attributes.find(({ key }) => key === 'runbook.run.id')?.value?.stringValue;
      if (name.startsWith('RunWorkflow:') && name !== 'RunWorkflow:targetRun' && runId !== undefined)
        this.tracedRuns.add(runId);
    }
    return 200;
  }

  #isSigned({ headers }: IncomingMessage, id: string, body: Buffer): boolean {
    const signatures = String(headers['webhook-signature']).split(' ');
    return this.options.secrets().some((secret) => {
      const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
      const text = `${id}.${String(headers['webhook-timestamp'])}.${body.toString('utf8')}`;
      return signatures.includes(`v1,${createHmac('sha256', key).update(text).digest('base64')}`);
    });
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
