import { randomBytes } from 'node:crypto';
import { epochSeconds, monotonicMs } from '../../base/clock.ts';
import type { Log } from '../../base/log.ts';
import { RandomStream } from '../../base/random.ts';
import type { Timings } from '../statistics.ts';

export interface TraceOptions {
  /** Address of a collector, e.g. `http://localhost:4318/v1/traces`. */
  readonly url: string;
  /** Share of the requests without a trace of their own that are traced. */
  readonly share: number;
}

interface Span {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  /** Kind in OpenTelemetry: 1 internal, 2 server. */
  readonly kind: 1 | 2;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes: readonly object[];
  readonly status: object;
}

const FLUSH_MS = 1000;
/** Spans that wait for the collector; further ones are dropped. */
const MOST_WAITING = 8192;
const PATIENCE_MS = 5000;

/**
 * Traces for OpenTelemetry: a span for a request over HTTP and one for each of its stages, sent once a second as OTLP over HTTP
 * in JSON (opentelemetry.io/docs/specs/otlp). A request with a `traceparent` (w3.org/TR/trace-context) continues that trace.
 */
export class Tracer {
  readonly #options: TraceOptions;
  readonly #version: string;
  readonly #log: Log;
  readonly #random = new RandomStream('traces', randomBytes(8).toString('hex'));
  readonly #timer: NodeJS.Timeout;
  /** Milliseconds since 1970 when the monotonic clock showed 0. */
  readonly #epochMs = 1000 * epochSeconds() - monotonicMs();
  #waiting: Span[] = [];
  #isTold = false;

  constructor(options: TraceOptions, version: string, log: Log) {
    this.#options = options;
    this.#version = version;
    this.#log = log;
    this.#timer = setInterval(() => void this.#flush(), FLUSH_MS).unref();
  }

  /** Trace of a request; undefined for one that is not traced. */
  begin(traceparent: string | undefined, startMs: number): RequestTrace | undefined {
    const [, traceId, parent, flags] =
      /^[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/.exec(traceparent ?? '') ?? [];
    const isSampled =
      flags === undefined ? this.#random.uniform() < this.#options.share : (parseInt(flags, 16) & 1) === 1;
    if (!isSampled) return undefined;
    return new RequestTrace((spans) => this.#add(spans), {
      traceId: traceId ?? hex(16),
      parent,
      startMs,
      epochMs: this.#epochMs,
    });
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#flush();
  }

  #add(spans: readonly Span[]): void {
    if (this.#waiting.length + spans.length <= MOST_WAITING) this.#waiting.push(...spans);
  }

  async #flush(): Promise<void> {
    if (this.#waiting.length === 0) return;
    const spans = this.#waiting;
    this.#waiting = [];
    const resource = {
      attributes: attributesOf({ 'service.name': 'limbeck-serve', 'service.version': this.#version }),
    };
    const body = { resourceSpans: [{ resource, scopeSpans: [{ scope: { name: 'limbeck' }, spans }] }] };
    const { url } = this.#options;
    try {
      const { status } = await fetch(url, {
        ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) },
        signal: AbortSignal.timeout(PATIENCE_MS),
      });
      if (status >= 300) throw new Error(`status ${status}`);
      this.#isTold = false;
    } catch (error) {
      if (!this.#isTold) this.#log.write('warn', `traces cannot be sent to ${url}: ${(error as Error).message}`);
      this.#isTold = true;
    }
  }
}

interface Begun {
  readonly traceId: string;
  readonly parent: string | undefined;
  readonly startMs: number;
  readonly epochMs: number;
}

/** Spans of one request, collected until its answer is sent. */
export class RequestTrace {
  readonly #add: (spans: readonly Span[]) => void;
  readonly #own: Begun;
  readonly #spanId = hex(8);
  readonly #stages: Span[] = [];

  constructor(add: (spans: readonly Span[]) => void, own: Begun) {
    this.#add = add;
    this.#own = own;
  }

  /** Its stages in the model, one after another. */
  answered(arrivedMs: number, { queueMs, inputMs, inferMs, outputMs }: Timings): void {
    let at = arrivedMs;
    for (const [name, ms] of Object.entries({ queue: queueMs, input: inputMs, infer: inferMs, output: outputMs })) {
      this.#stages.push(this.#span(name, hex(8), this.#spanId, at, at + ms));
      at += ms;
    }
  }

  end(method: string, path: string, status: number): void {
    const { parent, startMs } = this.#own;
    const attributes = { 'http.request.method': method, 'url.path': path, 'http.response.status_code': status };
    const span = this.#span(`${method} ${path}`, this.#spanId, parent, startMs, monotonicMs());
    const code = status >= 500 ? { code: 2 } : {};
    this.#add([{ ...span, kind: 2, attributes: attributesOf(attributes), status: code }, ...this.#stages]);
  }

  #span(name: string, spanId: string, parentSpanId: string | undefined, startMs: number, endMs: number): Span {
    const { traceId, epochMs } = this.#own;
    const nanoseconds = (ms: number): string => `${Math.round(1000 * (epochMs + ms))}000`;
    const times = { startTimeUnixNano: nanoseconds(startMs), endTimeUnixNano: nanoseconds(endMs) };
    const from = parentSpanId === undefined ? {} : { parentSpanId };
    return { traceId, spanId, ...from, name, kind: 1, ...times, attributes: [], status: {} };
  }
}

function hex(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}

function attributesOf(values: Readonly<Record<string, string | number>>): object[] {
  return Object.entries(values).map(([key, value]) => ({
    key,
    value: typeof value === 'number' ? { intValue: String(value) } : { stringValue: value },
  }));
}
