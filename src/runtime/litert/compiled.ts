import type * as LiteRtCore from '@litertjs/core';
import { UserError } from '../../base/errors.ts';
import { readTflite } from '../../formats/tflite/read.ts';
import { tensorType } from '../../formats/tflite/schema/tensor-types.ts';
import type { TfliteModel } from '../../formats/tflite/types.ts';
import { writeTflite } from '../../formats/tflite/write.ts';
import { fed } from './ends.ts';
import type { TfliteEnds } from './ends.ts';
import { Kept } from './kept.ts';
import type { TfliteSession } from './session.ts';
import { turned, withUnsignedEnds } from './unsigned.ts';

/** Supported types; int8 is passed as uint8 with another zero point. */
const ENDS = ['float32', 'int32', 'uint8', 'int8'];

/** LiteRT.js, with the lines that it prints while it compiles or runs a model. */
export interface LoadedLiteRt {
  readonly core: Pick<typeof LiteRtCore, 'Tensor'>;
  readonly litert: Pick<LiteRtCore.LiteRt, 'loadAndCompile'>;
  readonly messages: string[];
}

const ERROR = 'ERROR: ';

/** Opens a model with LiteRT's WebAssembly build, which the caller has loaded, in Node or in a browser. */
export async function openCompiled(loaded: LoadedLiteRt, bytes: Uint8Array, ends: TfliteEnds): Promise<TfliteSession> {
  for (const { name, dtype } of [...ends.inputs, ...ends.outputs]) {
    if (!ENDS.includes(dtype))
      throw new UserError(
        `${name} is ${dtype}, which LiteRT for WebAssembly does not take`,
        `It takes ${ENDS.join(', ')}: cast to one of them in the model before the export, or use the native runtime.`,
      );
  }
  const open = ends.inputs.find(({ shape }) => shape.filter((size) => size < 0).length > 1);
  if (open !== undefined)
    throw new UserError(
      `${open.name} has the shape [${open.shape.join(', ')}], of which LiteRT for WebAssembly takes one open size`,
      'Export with a fixed size, or use the native runtime.',
    );
  refuseComputedOutputs(readTflite(bytes));
  const isSigned = [...ends.inputs, ...ends.outputs].some(({ dtype }) => dtype === 'int8');
  const runnable = isSigned ? writeTflite(withUnsignedEnds(readTflite(bytes))) : bytes;
  const { core, messages } = loaded;
  const compiled = new Kept<number, LiteRtCore.CompiledModel>();
  const forBatch = (batch: number): Promise<LiteRtCore.CompiledModel> =>
    compiled.get(batch, () => compile(loaded, isDynamic(ends) ? withBatch(runnable, batch) : runnable));
  await forBatch(1);
  return {
    ...ends,
    runtime: 'litert',
    run: async (feeds) => {
      const values = ends.inputs.map((end) => ({ end, ...fed(end, feeds) }));
      const sizes = new Set(values.flatMap(({ end, batch }) => (end.shape.includes(-1) ? [batch] : [])));
      if (sizes.size > 1) throw new Error(`inputs of ${[...sizes].join(' and ')} samples are fed in one call`);
      const model = await forBatch([...sizes][0] ?? 1);
      const inputs: Record<string, LiteRtCore.Tensor> = {};
      let results: Record<string, LiteRtCore.Tensor> = {};
      try {
        for (const { end, data, shape } of values) {
          const typedData = end.dtype === 'int8' ? turned(data) : data;
          inputs[end.name] = new core.Tensor(typedData as Float32Array, shape);
        }
        messages.length = 0;
        results = await model.run(inputs);
        // On failure it returns whatever is in the outputs' memory, so its messages are checked.
        const failed = messages.find((line) => line.startsWith(ERROR));
        if (failed !== undefined)
          throw new UserError(
            `LiteRT could not compute the model: ${failed.slice(ERROR.length)}`,
            'Check what the model is fed, such as ids outside of its table.',
          );
        return Object.fromEntries(
          ends.outputs.map(({ name, dtype }) => {
            const values = results[name]!.toTypedArray().slice();
            return [name, dtype === 'int8' ? turned(values) : values];
          }),
        );
      } finally {
        for (const tensor of [...Object.values(inputs), ...Object.values(results)]) tensor.delete();
      }
    },
    dispose: () => compiled.clear((model) => model.delete()),
  };
}

/** `UserError` for an output whose operator gets its shape from a computed value: LiteRT returns garbage for it. */
function refuseComputedOutputs({ subgraphs: [main], buffers }: TfliteModel): void {
  const computed = new Set(main!.operators.flatMap(({ outputs }) => outputs));
  for (const { inputs, outputs } of main!.operators) {
    const hasDynamicBatch = inputs.some((index) => {
      const tensor = main!.tensors[index];
      const isShape = tensor?.type === tensorType('int32') && tensor.shape?.length === 1;
      return isShape && computed.has(index) && buffers[tensor.buffer]?.data === undefined;
    });
    const end = outputs.find((index) => main!.outputs.includes(index));
    if (hasDynamicBatch && end !== undefined && main!.tensors[end]!.shape!.length !== 1)
      throw new UserError(
        `${main!.tensors[end]!.name} has a shape that is computed inside the model, which LiteRT for WebAssembly does not take`,
        'Export with a fixed batch size, or use the native runtime.',
      );
  }
}

async function compile({ litert, messages }: LoadedLiteRt, bytes: Uint8Array): Promise<LiteRtCore.CompiledModel> {
  messages.length = 0;
  try {
    return await litert.loadAndCompile(bytes, { accelerator: 'wasm' });
  } catch (error) {
    const reason = messages.find((line) => line.startsWith(ERROR))?.slice(ERROR.length) ?? String(error);
    throw new UserError(
      `LiteRT cannot run the model: ${reason}`,
      'See its operators and their versions: limbeck inspect.',
      {
        cause: error,
      },
    );
  }
}

function isDynamic({ inputs }: TfliteEnds): boolean {
  return inputs.some(({ shape }) => shape.includes(-1));
}

/** Rewrites the model for a batch size, because LiteRT.js cannot resize inputs. */
function withBatch(bytes: Uint8Array, batch: number): Uint8Array {
  const model = readTflite(bytes);
  const subgraphs = model.subgraphs.map((subgraph) => ({
    ...subgraph,
    tensors: subgraph.tensors.map(({ shapeSignature, ...tensor }) => {
      if (shapeSignature === undefined) return tensor;
      // An open size is 1 for a batch of 1.
      const size = (size: number, axis: number): number => (shapeSignature[axis]! < 0 ? size * batch : size);
      return { ...tensor, shape: (tensor.shape ?? []).map(size) };
    }),
  }));
  return writeTflite({ ...model, subgraphs });
}
