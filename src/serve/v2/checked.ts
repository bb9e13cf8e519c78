import type { InferRequest } from '../batch/queue.ts';
import { byteLengthOf, datatypeOf } from '../dtypes.ts';
import { takesBatches } from '../model.ts';
import type { AskedModel } from '../model.ts';
import { Refusal, refuseTooMany } from '../refusal.ts';
import type { TensorSpec } from '../../graph/types.ts';
import type { WireTensor } from '../types.ts';

/** One input as a client sent it; `bytes` is asked for only after the shape has been found right. */
export interface GivenInput {
  readonly name: string;
  readonly datatype: string;
  readonly shape: readonly number[];
  readonly bytes: (spec: TensorSpec) => Uint8Array;
}

/** The shape as clients are told: -1 for a size that varies, and for the batch of every model that takes samples. */
export function publicShape(model: Pick<AskedModel, 'facts'>, { shape }: TensorSpec): number[] {
  const batched = takesBatches(model);
  return shape.map((size, i) => (typeof size === 'string' || (batched && i === 0) ? -1 : size));
}

/** Inputs in the model's order, outputs that it has. `Refusal` for anything that does not fit. */
export function checkedTensors(
  model: AskedModel,
  given: readonly GivenInput[],
  wanted: readonly string[],
): Pick<InferRequest, 'inputs' | 'outputs' | 'samples'> {
  const { facts, name } = model;
  const specs = new Map(facts.inputs.map((spec) => [spec.name, spec]));
  const found = new Map<string, WireTensor>();
  for (const input of given) {
    const spec = specs.get(input.name);
    if (spec === undefined || found.has(input.name)) {
      const what = spec === undefined ? 'has no input' : 'was given twice the input';
      throw new Refusal(400, `model ${name} ${what} ${input.name}: its inputs are ${[...specs.keys()].join(', ')}`);
    }
    found.set(spec.name, tensorOf(model, spec, input));
  }
  const inputs = facts.inputs.map((spec) => {
    const tensor = found.get(spec.name);
    if (tensor === undefined) throw new Refusal(400, `input ${spec.name} of model ${name} is missing`);
    return tensor;
  });
  const samples = takesBatches(model) ? samplesOf(inputs) : 1;
  if (takesBatches(model)) refuseTooMany(model, samples);
  const names = facts.outputs.map((output) => output.name);
  for (const output of wanted) {
    if (!names.includes(output)) {
      throw new Refusal(400, `model ${name} has no output ${output}: its outputs are ${names.join(', ')}`);
    }
  }
  return { inputs, outputs: wanted.length > 0 ? [...new Set(wanted)] : names, samples };
}

function tensorOf(model: AskedModel, spec: TensorSpec, { datatype, shape, bytes }: GivenInput): WireTensor {
  const { name, dtype } = spec;
  if (datatype !== datatypeOf(dtype)) {
    throw new Refusal(400, `input ${name} of model ${model.name} is ${datatypeOf(dtype)}, received ${datatype}`);
  }
  const expected = publicShape(model, spec);
  const fits =
    shape.length === expected.length &&
    shape.every((size, i) => size > 0 && (expected[i] === -1 || expected[i] === size));
  if (!fits) {
    const [want, have] = [expected.join(', '), shape.slice(0, 16).join(', ')];
    throw new Refusal(400, `input ${name} of model ${model.name} has the shape [${want}], received [${have}]`);
  }
  const wide = shape.find((size, i) => isOpen(model, spec, i) && size > model.limits.openSize);
  if (wide !== undefined)
    throw new Refusal(
      413,
      `input ${name} of model ${model.name} has the open size ${wide}, at most ${model.limits.openSize} (--max-size sets this limit)`,
    );
  const content = bytes(spec);
  const length = byteLengthOf(dtype, shape);
  if (content.length !== length) {
    throw new Refusal(
      400,
      `input ${name}: ${datatype} of shape [${shape.join(', ')}] takes ${length} bytes, received ${content.length}`,
    );
  }
  if (dtype === 'bool' && content.some((value) => value > 1)) {
    throw new Refusal(400, `input ${name}: a BOOL is a byte of 0 or 1`);
  }
  return { name, dtype, shape, bytes: content };
}

/** True for a size that the file leaves open, besides that of the batch. */
function isOpen(model: AskedModel, { shape }: TensorSpec, i: number): boolean {
  return typeof shape[i] === 'string' && !(i === 0 && takesBatches(model));
}

function samplesOf(inputs: readonly WireTensor[]): number {
  const [first] = inputs;
  const samples = first!.shape[0]!;
  for (const { name, shape } of inputs) {
    if (shape[0] === samples) continue;
    throw new Refusal(400, `input ${name} has ${shape[0]} samples, and input ${first!.name} has ${samples}`);
  }
  return samples;
}
