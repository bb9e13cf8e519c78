import path from 'node:path';

/** Reason why a request was not answered, in the words of Triton's metric `nv_inference_request_failure`. */
export type FailureReason = 'REJECTED' | 'CANCELED' | 'BACKEND' | 'OTHER';

/** Characters of an answer: names that a client sent are in some, and may be of megabytes. */
const MOST_SAID = 1000;

/** A request that is answered by an error: the status of HTTP, and what to say. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly status: number;
  readonly reason: FailureReason;
  /** Seconds after which a new try makes sense; undefined where none does. */
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, message: string, options: { reason?: FailureReason; retryAfterSeconds?: number } = {}) {
    // A stack is read by nobody, and takes most of the time of a refusal: clients that are refused must not hold up others.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 0;
    super(message.slice(0, MOST_SAID));
    Error.stackTraceLimit = stackTraceLimit;
    this.status = status;
    this.reason = options.reason ?? 'OTHER';
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

/** Refusal of more samples than a request may have, made before anything is computed of them. */
export function refuseTooMany(
  { name, options }: { readonly name: string; readonly options: { readonly maxBatch: number } },
  samples: number,
): void {
  if (samples <= options.maxBatch) return;
  throw new Refusal(400, `model ${name} takes up to ${options.maxBatch} samples in a request, received ${samples}`);
}

/** A sentence on files beside `file` for clients, who need not know where on the server they lie. */
export function withoutFolder(text: string, file: string): string {
  return [path.resolve(file), file]
    .map((one) => `${path.dirname(one)}${path.sep}`)
    .filter((folder) => folder !== `.${path.sep}`)
    .reduce((told, folder) => told.replaceAll(folder, ''), text);
}
