/** Count of an action, and its total time. */
export class Duration {
  count = 0;
  ms = 0;

  add(ms: number, count = 1): void {
    this.count += count;
    this.ms += ms;
  }
}

/** The parts of one request's time, in milliseconds. */
export interface Timings {
  readonly queueMs: number;
  readonly inputMs: number;
  readonly inferMs: number;
  readonly outputMs: number;
}

/** Statistics of a model since the server's start, as Triton reports them. */
export class Statistics {
  /** Milliseconds since 1970; 0: never. */
  lastInference = 0;
  inferences = 0;
  executions = 0;
  readonly success = new Duration();
  readonly fail = new Duration();
  readonly queue = new Duration();
  readonly computeInput = new Duration();
  readonly computeInfer = new Duration();
  readonly computeOutput = new Duration();
  readonly failures: Record<string, number> = { REJECTED: 0, CANCELED: 0, BACKEND: 0, OTHER: 0 };
  /** Words that train does not have, by column. */
  readonly unknownWords = new Map<string, number>();
  /** Calls by their number of samples. */
  readonly batches = new Map<
    number,
    { readonly input: Duration; readonly infer: Duration; readonly output: Duration }
  >();

  executed(samples: number, { inputMs, inferMs, outputMs }: Omit<Timings, 'queueMs'>): void {
    this.executions++;
    let batch = this.batches.get(samples);
    if (batch === undefined) {
      batch = { input: new Duration(), infer: new Duration(), output: new Duration() };
      this.batches.set(samples, batch);
    }
    batch.input.add(inputMs);
    batch.infer.add(inferMs);
    batch.output.add(outputMs);
  }

  answered(samples: number, timings: Timings, nowMs: number): void {
    this.lastInference = nowMs;
    this.inferences += samples;
    this.success.add(timings.queueMs + timings.inputMs + timings.inferMs + timings.outputMs);
    this.queue.add(timings.queueMs);
    this.computeInput.add(timings.inputMs);
    this.computeInfer.add(timings.inferMs);
    this.computeOutput.add(timings.outputMs);
  }

  failed(reason: string, ms: number): void {
    this.fail.add(ms);
    this.failures[reason] = (this.failures[reason] ?? 0) + 1;
  }
}
