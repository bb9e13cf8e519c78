import { MODEL_VERSION } from '../model.ts';
import { datatypeOf } from '../dtypes.ts';
import { takesBatches } from '../model.ts';
import type { ServedModel } from '../model.ts';
import type { Duration } from '../statistics.ts';
import type { TensorSpec } from '../../graph/types.ts';
import { publicShape } from './checked.ts';
import { labelsOf } from './classification.ts';

/** Metadata of the server, in the words of the protocol. */
export function serverMetadata(version: string) {
  const extensions = [
    'classification',
    'binary_tensor_data',
    'model_configuration',
    'model_repository',
    'schedule_policy',
    'statistics',
  ];
  return { name: 'limbeck', version, extensions };
}

export function modelMetadata(model: ServedModel) {
  const described = (spec: TensorSpec) => ({
    name: spec.name,
    datatype: datatypeOf(spec.dtype),
    shape: publicShape(model, spec),
  });
  return {
    name: model.name,
    versions: [MODEL_VERSION],
    platform: 'onnxruntime_onnx',
    inputs: model.facts.inputs.map(described),
    outputs: model.facts.outputs.map(described),
  };
}

/** Configuration of a model in the form of Triton's configuration files, which Triton's tools read. */
export function modelConfig(model: ServedModel, { workers, device }: { workers: number; device: string }) {
  const { name, options, facts, maxBatch } = model;
  const batched = takesBatches(model);
  const described = (spec: TensorSpec) => ({
    name: spec.name,
    data_type: `TYPE_${datatypeOf(spec.dtype)}`,
    dims: publicShape(model, spec).slice(batched ? 1 : 0),
  });
  const { fixed, perSample } = model.cost.cost;
  const labels = labelsOf(model);
  const known = {
    batching: facts.batching.kind,
    ...(facts.exact !== undefined && { exact: String(facts.exact) }),
    fixed_ms: fixed.toFixed(4),
    per_sample_ms: perSample.toFixed(4),
    sha256: model.sha256,
    ...(labels !== undefined && { labels: JSON.stringify(labels) }),
  };
  return {
    name,
    platform: 'onnxruntime_onnx',
    backend: 'onnxruntime',
    version_policy: { latest: { num_versions: 1 } },
    max_batch_size: batched ? options.maxBatch : 0,
    input: facts.inputs.map(described),
    output: facts.outputs.map(described),
    instance_group: [{ name, kind: device === 'cpu' ? 'KIND_CPU' : 'KIND_GPU', count: workers }],
    ...(batched && maxBatch > 1 && { dynamic_batching: batchingConfig(model) }),
    parameters: Object.fromEntries(Object.entries(known).map(([key, text]) => [key, { string_value: text }])),
  };
}

function batchingConfig({ options }: ServedModel) {
  const { preferred, maxDelayMs, priorityLevels, maxQueue, maxLatencyMs, onTimeout } = options;
  return {
    preferred_batch_size: [...preferred],
    max_queue_delay_microseconds: Math.round(1000 * maxDelayMs),
    preserve_ordering: false,
    ...(priorityLevels > 1 && { priority_levels: priorityLevels, default_priority_level: priorityLevels }),
    default_queue_policy: {
      timeout_action: onTimeout === 'reject' ? 'REJECT' : 'DELAY',
      default_timeout_microseconds: Math.round(1000 * (maxLatencyMs ?? 0)),
      allow_timeout_override: true,
      max_queue_size: maxQueue,
    },
  };
}

export function modelStatistics({ name, statistics }: ServedModel) {
  const { success, fail, queue, computeInput, computeInfer, computeOutput } = statistics;
  return {
    name,
    version: MODEL_VERSION,
    last_inference: Math.round(statistics.lastInference),
    inference_count: statistics.inferences,
    execution_count: statistics.executions,
    inference_stats: {
      success: nanoseconds(success),
      fail: nanoseconds(fail),
      queue: nanoseconds(queue),
      compute_input: nanoseconds(computeInput),
      compute_infer: nanoseconds(computeInfer),
      compute_output: nanoseconds(computeOutput),
      cache_hit: NONE,
      cache_miss: NONE,
    },
    batch_stats: [...statistics.batches].map(([size, { input, infer, output }]) => ({
      batch_size: size,
      compute_input: nanoseconds(input),
      compute_infer: nanoseconds(infer),
      compute_output: nanoseconds(output),
    })),
  };
}

const NONE = { count: 0, ns: 0 };

function nanoseconds({ count, ms }: Duration) {
  return { count, ns: Math.round(ms * 1e6) };
}
