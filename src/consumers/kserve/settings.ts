import type { Curve } from '../../ship/cluster/curve.ts';
import type { Target } from '../../ship/cluster/model.ts';
import { sizingOf } from '../../ship/cluster/sizing.ts';

/** Settings that are the same in all manifests of a model. */
export interface Settings {
  /** Name of the Kubernetes objects. */
  readonly name: string;
  /** Name of the model in addresses and metrics. */
  readonly model: string;
  readonly image: string;
  readonly target: Target;
  readonly threads: number;
  /** Memory of the container: what is set aside for it, and what it must not exceed. */
  readonly memory: { readonly request: string; readonly limit: string };
  /** Requests in one replica, running and waiting, at which it is busy. */
  readonly concurrency: number;
  /** Milliseconds that 95 % of the requests are answered in at that load. */
  readonly p95Ms: number;
}

/**
 * Memory of `limbeck serve` besides what the model adds, after 2,000 requests to a model of 6 KB, in its own metrics: 98 MiB for
 * the process that listens and 86 MiB for a worker; rounded up.
 */
const SERVER_BYTES = 128 * 2 ** 20;
const WORKER_BYTES = 96 * 2 ** 20;
/** Most memory of the process that listens, whatever is sent to it (test/serve/attacked.long.test.ts), and of the two that read bodies. */
const ATTACKED_BYTES = 2 ** 30 + 2 * 640 * 2 ** 20;
/** Memory that a model is assumed to add where it was not measured. */
const UNKNOWN_BYTES = 256 * 2 ** 20;

/** Settings where the report has no figures for the kind of device: one request runs, one waits. */
const UNKNOWN = { concurrency: 2, p95Ms: 100 };

export function settingsOf(
  model: string,
  { image, target, curve }: { image: string; target: Target; curve: Curve | undefined },
): Settings {
  const threads = target === 'cpu' ? (curve?.threads ?? 1) : 1;
  const sizing = curve && sizingOf(curve);
  const added = curve?.memoryBytes ?? UNKNOWN_BYTES;
  return {
    name: objectName(model),
    model,
    image,
    target,
    threads,
    memory: {
      request: mebibytes(SERVER_BYTES + WORKER_BYTES + added),
      // While a model is loaded again, new workers stand beside the old ones; a quarter for bursts of large requests.
      limit: mebibytes(ATTACKED_BYTES + 1.25 * 2 * (WORKER_BYTES + added)),
    },
    // A batch runs and another one fills.
    concurrency: sizing === undefined ? UNKNOWN.concurrency : 2 * sizing.batch,
    p95Ms: sizing === undefined ? UNKNOWN.p95Ms : Math.ceil(sizing.latencyMs + NETWORK_MS),
  };
}

/** Time between the model and the histogram: reading, placing and handing out tensors. */
const NETWORK_MS = 5;

/** A DNS label that begins with a letter, short enough for what KServe and Knative append to it. */
export function objectName(model: string): string {
  const label = model
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '');
  const named = /^[a-z]/.test(label) ? label : `model-${label}`;
  return named.slice(0, 36).replace(/-$/, '');
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)}Mi`;
}
