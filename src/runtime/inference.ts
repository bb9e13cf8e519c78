import { UserError } from '../base/errors.ts';
import { padChannels } from '../formats/onnx/channels.ts';
import type { OnnxContent } from '../formats/onnx/large.ts';
import { dataTypes } from '../formats/onnx/model.ts';
import { decodeModel, onnxContent } from '../formats/onnx/protobuf.ts';
import type { DType, TensorData } from '../graph/types.ts';
import type { Tensor } from './onnxruntime/session.ts';
import { holds, ortTensor, OnnxSession, tensorValues } from './onnxruntime/session.ts';
import type { SessionOptions } from './onnxruntime/session-options.ts';

export interface ModelValue {
  readonly name: string;
  readonly dtype: DType;
  /** A name, or '', stands for a variable size. */
  readonly shape: readonly (number | string)[];
}

export interface InferenceTensor {
  readonly data: TensorData;
  readonly shape: readonly number[];
}

/** An ONNX model for inference, such as a teacher or an export. */
export class InferenceModel {
  readonly inputs: readonly ModelValue[];
  readonly outputs: readonly ModelValue[];
  /** Preferred provider. */
  readonly device: string;
  readonly #session: OnnxSession;
  readonly #fileName: string;

  /** `model`: content or a path, see `OnnxSession`; `UserError` if ONNX Runtime cannot load it. */
  constructor(model: OnnxContent | string, fileName: string, options: SessionOptions) {
    this.#fileName = fileName;
    const [provider = 'cpu'] = options.executionProviders ?? [];
    this.device = typeof provider === 'string' ? provider : provider.name;
    try {
      this.#session = new OnnxSession(
        this.device === 'webgpu' && typeof model !== 'string' ? forWebgpu(model, fileName) : model,
        options,
      );
    } catch (error) {
      const fact = firstLine(error);
      const [, version] = /max supported IR version: (\d+)/.exec(fact) ?? [];
      throw new UserError(
        `${fileName}: ONNX Runtime cannot load this model: ${fact}`,
        version === undefined
          ? 'Check the file with onnx.checker, and export it for an operator set that ONNX Runtime knows.'
          : `Save it in Python with that version: model = onnx.load(path); model.ir_version = ${version}; onnx.save(model, path).`,
        { cause: error },
      );
    }
    this.inputs = this.#session.inputs.map((value) => modelValue(value, fileName));
    this.outputs = this.#session.outputs.map((value) => modelValue(value, fileName));
  }

  /** Computes the outputs `wanted`. */
  async run(
    feeds: Readonly<Record<string, InferenceTensor>>,
    wanted: readonly string[] = this.outputs.map(({ name }) => name),
  ): Promise<Readonly<Record<string, InferenceTensor>>> {
    await new Promise((resolve) => setImmediate(resolve));
    return this.runNow(feeds, wanted);
  }

  /** Like `run`, synchronously: for a process without other work. */
  runNow(
    feeds: Readonly<Record<string, InferenceTensor>>,
    wanted: readonly string[] = this.outputs.map(({ name }) => name),
  ): Readonly<Record<string, InferenceTensor>> {
    const tensors: Record<string, Tensor> = {};
    for (const input of this.inputs) tensors[input.name] = this.#fed(input, feeds[input.name]);
    const results = this.#results(tensors, wanted);
    return Object.fromEntries(
      wanted.map((name) => [name, { data: tensorValues(results[name]!), shape: results[name]!.dims }]),
    );
  }

  dispose(): void {
    this.#session.dispose();
  }

  #results(feeds: Readonly<Record<string, Tensor>>, wanted: readonly string[]): Readonly<Record<string, Tensor>> {
    try {
      return this.#session.run(feeds, Object.fromEntries(wanted.map((name) => [name, null])));
    } catch (error) {
      if (this.#session.isDisposed) throw error;
      throw new UserError(
        `${this.#fileName}: ONNX Runtime cannot run this model: ${firstLine(error)}`,
        'Check the file with onnx.checker and with onnxruntime in Python; its shapes may not fit each other.',
        { cause: error },
      );
    }
  }

  #fed({ name, dtype, shape }: ModelValue, tensor: InferenceTensor | undefined): Tensor {
    const declared = `${dtype}[${shape.map((dim) => (dim === '' ? '?' : dim)).join(', ')}]`;
    const fits =
      tensor !== undefined &&
      holds(dtype, tensor.data) &&
      tensor.shape.length === shape.length &&
      tensor.shape.every((size, i) => typeof shape[i] === 'string' || size === shape[i]) &&
      tensor.shape.reduce((product, size) => product * size, 1) === tensor.data.length;
    if (!fits)
      throw new UserError(
        `${this.#fileName}: input ${name} is ${declared}, received ${tensor === undefined ? 'nothing' : `${tensor.data.constructor.name} [${tensor.shape.join(', ')}]`}`,
        'Check the preprocessing: the layout (NHWC or NCHW), the size and the type of the images.',
      );
    return ortTensor(dtype, tensor.data, tensor.shape);
  }
}

/** Opens models in ONNX Runtime with these options. */
export function openerOf(options: SessionOptions) {
  return (model: OnnxContent, label: string): InferenceModel => new InferenceModel(model, label, options);
}

const graphTypes = ['float32', 'float16', 'int32', 'int64', 'int16', 'int8', 'uint8', 'bool'] as const;
const dtypes = new Map<number, DType>(graphTypes.map((dtype) => [dataTypes[dtype], dtype]));

function forWebgpu(bytes: OnnxContent, fileName: string): OnnxContent {
  const model = decodeModel(bytes, fileName);
  const padded = padChannels(model);
  return padded === model ? bytes : onnxContent(padded);
}

function modelValue(value: OnnxSession['inputs'][number], fileName: string): ModelValue {
  const dtype = value.isTensor ? dtypes.get(value.type) : undefined;
  if (dtype === undefined)
    throw new UserError(
      `${fileName}: ${value.name} is no tensor of a type that is supported (${graphTypes.join(', ')})`,
      value.isTensor
        ? 'Export the model with tensors of such types at its ends.'
        : "Export the model with tensors at its ends (skl2onnx: options={'zipmap': False}).",
    );
  const shape = value.shape.map((size, i) => (size >= 0 ? size : (value.symbolicDimensions[i] ?? '')));
  return { name: value.name, dtype, shape };
}

/** ONNX Runtime's message without positions in its source code. */
function firstLine(error: unknown): string {
  const text =
    typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : String(error);
  return text
    .split('\n', 1)[0]!
    .replace(/\/\S+\.(?:cc|cpp|h):\d+ (?:[^()]*\([^()]*\) (?:const )?)?/g, '')
    .replace(/\.+$/, '')
    .slice(0, 300);
}
