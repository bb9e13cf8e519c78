import { UserError } from '../base/errors.ts';
import type { OpenModel } from '../compress/quantize/open-model.ts';
import { failedNode } from '../formats/onnx/failed-node.ts';
import { inOnePiece } from '../formats/onnx/large.ts';
import { WITHOUT_PAD_FUSION } from '../formats/onnx/pad-fusion.ts';
import type { DType, TensorData } from '../graph/types.ts';

/** The parts of `onnxruntime-node` and `onnxruntime-web` that are used, so that neither is imported here. */
export interface OrtModule {
  readonly InferenceSession: { create(model: Uint8Array, options?: object): Promise<OrtSession> };
  // oxlint-disable-next-line no-explicit-any -- each of the packages declares its constructor by overloads of its own
  readonly Tensor: new (...args: any[]) => OrtTensor;
}

interface OrtTensor {
  readonly type: string;
  readonly data: unknown;
  readonly dims: readonly number[];
}

interface OrtSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  // oxlint-disable-next-line no-explicit-any -- a record of the package's own tensors
  run(feeds: any): Promise<Readonly<Record<string, any>>>;
  release(): Promise<void>;
}

const SESSION = { interOpNumThreads: 1, logSeverityLevel: 4, extra: WITHOUT_PAD_FUSION } as const;

/** Opens models in the runtime, as the command line does: `exact` without the runtime's own rewriting of the graph. */
export function openerIn(runtime: OrtModule, exact = false): OpenModel {
  return async (model, label) => {
    const bytes = inOnePiece(model, label, 'a conversion in memory');
    const options = { ...SESSION, graphOptimizationLevel: exact ? 'disabled' : 'all' };
    const session = await runtime.InferenceSession.create(bytes, options).catch((error: unknown) => {
      throw failed(label, 'load', error);
    });
    return {
      run: async (feeds) => {
        const given = Object.entries(feeds).filter(([name]) => session.inputNames.includes(name));
        const tensors = given.map(([name, { data, shape }]) => [name, new runtime.Tensor(typeOf(data), data, shape)]);
        const results = await session.run(Object.fromEntries(tensors)).catch((error: unknown) => {
          throw failed(label, 'run', error);
        });
        return Object.fromEntries(
          session.outputNames.map((name) => {
            const { data, dims } = results[name] as OrtTensor;
            return [name, { data: bitsOf(data as TensorData), shape: dims }];
          }),
        );
      },
      dispose: () => void session.release(),
    };
  };
}

/** float16 as bits, where the engine has an array of its own for it. */
function bitsOf(data: TensorData): TensorData {
  if (data.constructor.name !== 'Float16Array') return data;
  return new Uint16Array(data.buffer, data.byteOffset, data.length);
}

/** Types of tensors by their arrays. float16 is absent: its bits are an array of uint16 here. */
const TYPES: readonly (readonly [new (length: number) => TensorData, DType])[] = [
  [Float32Array, 'float32'],
  [Int32Array, 'int32'],
  [BigInt64Array, 'int64'],
  [Int16Array, 'int16'],
  [Int8Array, 'int8'],
  [Uint8Array, 'uint8'],
];

function typeOf(data: TensorData): string {
  const found = TYPES.find(([array]) => data instanceof array);
  if (found !== undefined) return found[1];
  throw new UserError(
    `a sample is a ${data.constructor.name}, expected one of ${TYPES.map(([array]) => array.name).join(', ')}`,
    'Give the samples as such an array.',
  );
}

function failed(label: string, what: 'load' | 'run', error: unknown): UserError {
  const node = failedNode(error);
  const [reason] = (error instanceof Error ? error.message : String(error)).split('\n', 1);
  return new UserError(
    `${label}: the runtime cannot ${what} ${node === undefined ? `this model: ${reason!.slice(0, 300)}` : `its ${node}`}`,
    what === 'load'
      ? 'Check the file with onnx.checker, and the sizes that its inputs were given.'
      : 'Give samples of the shapes and types that the model takes; a batch or length that it cannot take is such a shape too.',
    { cause: error },
  );
}

/** Refusal of what needs a runtime that the caller did not pass. */
export function noRuntime(file: string, why: string): UserError {
  return new UserError(
    `${file}: ${why}, and no runtime was passed`,
    "Pass one: import * as ort from 'onnxruntime-node' (in a browser 'onnxruntime-web'), and { runtime: ort }.",
  );
}
