import type { DType, TensorSpec } from '../../graph/types.ts';
import type { ShippedModel, Target } from '../../ship/cluster/model.ts';
import { sizingOf } from '../../ship/cluster/sizing.ts';
import type { PbtxtField, PbtxtMessage } from './pbtxt.ts';
import { entries, word } from './pbtxt.ts';

export const LABELS = 'labels.txt';

const DATA_TYPES: Readonly<Record<DType, string>> = {
  float32: 'TYPE_FP32',
  float16: 'TYPE_FP16',
  int64: 'TYPE_INT64',
  int32: 'TYPE_INT32',
  int16: 'TYPE_INT16',
  int8: 'TYPE_INT8',
  uint8: 'TYPE_UINT8',
  bool: 'TYPE_BOOL',
};

export interface ConfigOptions {
  readonly target: Target;
  /** Number format of the file, for TensorRT. */
  readonly precision: string;
}

/**
 * Triton's ModelConfig (`model_config.proto`) for an ONNX file. The largest batch is the largest that was measured; requests are
 * put together up to the size beyond which that brings little, and never wait for each other (`decide` in src/serve says why).
 */
export function tritonConfig(model: ShippedModel, { target, precision }: ConfigOptions): PbtxtMessage {
  const { name, inputs, outputs, joins, labels, curve } = model;
  const batched = joins && curve !== undefined;
  const maxBatch = batched ? curve.sizes.at(-1)! : joins ? DEFAULT_BATCH : 0;
  const ofLabels = (end: TensorSpec): boolean => labels !== undefined && end.shape.at(-1) === labels.length;
  return {
    name,
    platform: 'onnxruntime_onnx',
    max_batch_size: maxBatch,
    input: inputs.map((end) => described(end, joins)),
    output: outputs.map((end) => ({
      ...described(end, joins),
      label_filename: ofLabels(end) ? LABELS : undefined,
    })),
    instance_group: [{ count: 1, kind: word(target === 'cpu' ? 'KIND_CPU' : 'KIND_GPU') }],
    dynamic_batching: joins && maxBatch > 1 ? batching(model, maxBatch) : undefined,
    optimization: target === 'tensorrt' ? { execution_accelerators: tensorrt(precision) } : undefined,
    // ONNX Runtime takes a thread for each core otherwise, in each instance: they get into each other's way.
    parameters:
      target === 'cpu' ? entries({ intra_op_thread_count: { string_value: String(curve?.threads ?? 1) } }) : undefined,
    model_warmup: target === 'cpu' ? undefined : warmups(model, maxBatch),
  };
}

/** Largest batch where nothing was measured: Triton's own default for models that it describes itself. */
const DEFAULT_BATCH = 4;

/** The batch is not among `dims`; a sample that is one number is a tensor of one there. */
function described({ name, dtype, shape }: TensorSpec, joins: boolean): PbtxtMessage {
  const dims = shape.slice(joins ? 1 : 0).map((size) => (typeof size === 'number' ? size : -1));
  const data_type = word(DATA_TYPES[dtype]);
  return dims.length === 0 ? { name, data_type, dims: [1], reshape: {} } : { name, data_type, dims };
}

function batching({ curve }: ShippedModel, maxBatch: number): PbtxtMessage {
  if (curve === undefined) return {};
  const { batch } = sizingOf(curve);
  return { preferred_batch_size: batch > 1 && batch < maxBatch ? [batch] : undefined };
}

/** TensorRT computes in the number format that the file has: in fp16 a float32 file would answer differently. */
function tensorrt(precision: string): PbtxtMessage {
  const mode = precision === 'int8' ? 'INT8' : precision === 'fp16' ? 'FP16' : 'FP32';
  const parameters = entries({ precision_mode: mode, max_workspace_size_bytes: String(2 ** 30) });
  return { gpu_execution_accelerator: [{ name: 'tensorrt', parameters }] };
}

/** Kernels are chosen, and TensorRT's engines built, at a first call of each size: before the model is ready. */
function warmups({ inputs, joins }: ShippedModel, maxBatch: number): PbtxtMessage[] | undefined {
  const isKnown = inputs.every(({ shape }) => shape.slice(joins ? 1 : 0).every((size) => typeof size === 'number'));
  if (!isKnown) return undefined;
  const zeros: PbtxtField = entries(
    Object.fromEntries(
      inputs.map((end) => {
        const { data_type, dims } = described(end, joins);
        return [end.name, { data_type, dims, zero_data: true }];
      }),
    ),
  );
  const sizes = joins ? [...new Set([1, maxBatch])] : [0];
  return sizes.map((size) => ({ name: `batch ${size}`, batch_size: size, inputs: zeros }));
}
