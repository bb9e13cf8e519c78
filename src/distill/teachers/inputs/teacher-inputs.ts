import { settingKeys, UserError } from '../../../base/errors.ts';
import { fedShapes } from '../../../data/axes.ts';
import type { FedShape, AxisOrder } from '../../../data/axes.ts';
import { inputsByName, partsFor } from '../../../data/inputs.ts';
import type { SampleForm } from '../../../data/inputs.ts';
import { channelsFirst } from '../../../data/normalize.ts';
import type { DType } from '../../../graph/types.ts';
import type { InferenceTensor, ModelValue } from '../../../runtime/inference.ts';
import { samplesAs } from '../../../runtime/typed.ts';

/** An input of a file, and the layout of samples for it. */
export interface FedInput {
  readonly input: ModelValue;
  readonly form: InputForm;
}

interface Asked {
  readonly input?: string | undefined;
  readonly layout: 'auto' | 'nchw' | 'nhwc';
}

/** Float types: samples are converted to them. */
const FLOATS: ReadonlySet<DType> = new Set(['float32', 'float16']);
const INTEGERS: ReadonlySet<DType> = new Set(['int32', 'int64']);
/** Types of pixels, which are fed unchanged. */
const PIXELS: ReadonlySet<DType> = new Set(['uint8', 'int8']);

/** The inputs of a file for samples of the data set. `UserError` if they do not fit. */
export function fedInputs(
  { inputs }: { readonly inputs: readonly ModelValue[] },
  name: string,
  dataset: SampleForm,
  settings: Asked,
): FedInput[] {
  if (dataset.inputs === undefined) return [onlyInput(inputs, name, dataset, settings)];
  if (settings.input !== undefined)
    throw new UserError(
      `teacher.input: expected none where the data have several inputs, received ${settings.input}`,
      'Remove it: the inputs of the teacher are found by name.',
    );
  const parts = partsFor(
    name,
    inputs.map((input) => input.name),
    dataset.inputs,
  );
  return inputs.map((input, i) => {
    const { shape, isWhole } = parts[i]!;
    const isFit = FLOATS.has(input.dtype) || PIXELS.has(input.dtype) || (isWhole && INTEGERS.has(input.dtype));
    if (!isFit)
      throw wrongType(
        name,
        input,
        isWhole ? 'float32, int32, int64, uint8 or int8' : 'float32, float16, uint8 or int8',
      );
    return { input, form: inputForm(input, name, shape, settings.layout) };
  });
}

function onlyInput(
  inputs: readonly ModelValue[],
  name: string,
  { sampleShape }: SampleForm,
  { input: wanted, layout }: Asked,
): FedInput {
  const input = wanted === undefined ? inputs[0] : inputs.find((candidate) => candidate.name === wanted);
  const names = inputs.map((candidate) => candidate.name).join(', ');
  if (inputs.length === 0) {
    throw new UserError(
      `${name}: expected a model with one input, received one without`,
      'Export the teacher with an input for the samples.',
    );
  }
  if (input === undefined) {
    throw new UserError(`teacher.input: ${name} has no input ${wanted!}`, `It has: ${names}.`);
  }
  if (inputs.length > 1) {
    throw new UserError(
      `${name}: expected a model with one input, received ${names}`,
      'Give the data an array for each of them (`type: npz`, `samples: [name, name]`), or export the teacher with the image or the features as its only input.',
    );
  }
  if (![FLOATS, INTEGERS, PIXELS].some((types) => types.has(input.dtype)))
    throw wrongType(name, input, 'float32, float16, int32, int64, uint8 or int8');
  return { input, form: inputForm(input, name, sampleShape, layout) };
}

function wrongType(name: string, input: ModelValue, expected: string): UserError {
  return new UserError(
    `${name}: expected ${expected} for its input ${input.name}, received ${input.dtype}`,
    'Export the teacher with such an input.',
  );
}

/** Inputs of a file for `n` prepared samples. `UserError` for fractions as input of integer type. */
export function feedsOf(
  inputs: readonly FedInput[],
  x: Float32Array,
  n: number,
  dataset: SampleForm,
  name: string,
): Record<string, InferenceTensor> {
  const isOne = dataset.inputs === undefined;
  const values = inputsByName(x, n, dataset);
  return Object.fromEntries(
    inputs.map(({ input, form }) => {
      // A single input is already prepared, including its layout.
      const { data, shape } = values[isOne ? 'input' : input.name]!;
      const laidOut = isOne || form.layout === 'nhwc' ? data : channelsFirst(data, shape.slice(1));
      return [input.name, { data: samplesAs(input.dtype, laidOut, `${input.name} of ${name}`), shape: form.shape(n) }];
    }),
  );
}

const SEQUENCES =
  'Give samples of that shape, or a teacher for samples of this one; sequences may have their channels last or first.';

/** Remedy for pictures of another size than the model expects. */
export function sizeRemedy(declared: readonly (number | string)[], sample: readonly number[]): string {
  const other = 'Use a teacher of this data set, or resize the samples (`dataset.resize`, `dataset.channels`).';
  if (declared.length === 4 && sample.length === 2)
    return 'Samples of two axes are sequences: pictures are told by `dataset.layout: nhwc` (npz), or by a `dataset.shape` of three axes.';
  if (declared.length !== 4 || sample.length !== 3) return sample.length === 2 ? SEQUENCES : other;
  const { resize, channels } = sizeKeys(declared, sample);
  const size = resize === undefined ? '' : ` teacher.resize: [${resize.join(', ')}]`;
  const colours = channels === undefined ? '' : ` teacher.channels: ${channels}`;
  const keys = [size, colours].filter((key) => key !== '').join(' and');
  return keys === '' ? other : `Set${keys}, so that it gets pictures of that size. Or: ${other}`;
}

/** Keys of a teacher under which pictures get the size that a file declares for its input, [batch, height, width, channels] or channels first. */
function sizeKeys(
  [, a, b, c]: readonly (number | string)[],
  sample: readonly number[],
): { readonly resize?: readonly number[]; readonly channels?: number } {
  const isFirst = (a === 1 || a === 3) && c !== 1 && c !== 3;
  const [height, width, channels] = isFirst ? [b, c, a] : [a, b, c];
  if (sample.length !== 3 || (channels !== 1 && channels !== 3)) return {};
  return {
    ...(typeof height === 'number' && typeof width === 'number' && { resize: [height, width] }),
    ...(channels !== sample[2] && { channels }),
  };
}

interface InputForm {
  readonly layout: AxisOrder;
  readonly shape: (n: number) => number[];
}

/** Layout of an input among those that its shape allows; `auto` prefers PyTorch's if both fit. */
function inputForm(
  input: ModelValue,
  name: string,
  sample: readonly number[],
  layout: 'auto' | 'nchw' | 'nhwc',
): InputForm {
  const fits = ({ shape }: FedShape): boolean =>
    input.shape.length === shape.length + 1 &&
    shape.every((size, i) => typeof input.shape[i + 1] === 'string' || input.shape[i + 1] === size);
  const isAsked = (one: FedShape): boolean => layout === 'auto' || one.layout === layout;
  const form = fedShapes(sample).find((one) => isAsked(one) && fits(one));
  if (form !== undefined) return { layout: form.layout, shape: (n) => [n, ...form.shape] };
  const declared = input.shape.map((size) => (size === '' ? '?' : size)).join(', ');
  const layoutText = layout === 'auto' ? '' : ` in the layout ${layout}`;
  throw new UserError(
    `${name}: its input ${input.name} is [${declared}], received samples of shape [${sample.join(', ')}]${layoutText}`,
    sizeRemedy(input.shape, sample),
    { changes: input.shape.length === 4 ? settingKeys(sizeKeys(input.shape, sample)) : [] },
  );
}
