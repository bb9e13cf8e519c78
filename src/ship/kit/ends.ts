import type { Dataset } from '../../data/dataset.ts';
import { decodeModel } from '../../formats/onnx/protobuf.ts';
import { readTflite } from '../../formats/tflite/read.ts';
import { modelEnds } from '../../runtime/litert.ts';
import type { AnswerField } from '../../tasks/fields.ts';
import type { KitModel } from './missing.ts';

/** An input of a file, in its order, and the part of a prepared sample that it takes. */
interface KitInput {
  readonly name: string;
  readonly dtype: string;
  /** [1, ...] */
  readonly shape: readonly number[];
  /** Position of its first number in the sample. */
  readonly from: number;
}

export interface FileEnds {
  readonly inputs: readonly KitInput[];
  /** Name of the output of each field of an answer. */
  readonly outputs: readonly string[];
  /**
   * Inputs and outputs that the samples cannot feed or read, with their types; undefined where they can: then its integers are ids and
   * counts, and stand for no other numbers.
   */
  readonly unfed: string | undefined;
}

interface End {
  readonly name: string;
  readonly dtype?: string;
  readonly quantization?: object;
}

const WHOLE: ReadonlySet<string | undefined> = new Set(['int32', 'int64']);

/** Inputs and outputs of a file of a kit, whose samples are rows of `split`. */
export function endsOf(
  { row, bytes }: KitModel,
  { sampleShape, inputs: parts }: Pick<Dataset, 'sampleShape' | 'inputs'>,
  fields: readonly AnswerField[],
): FileEnds {
  const { inputs, outputs }: { readonly inputs: readonly End[]; readonly outputs: readonly End[] } =
    row.format === 'tflite' ? modelEnds(readTflite(bytes)) : decodeModel(bytes, row.file!).graph;
  const whole = { shape: sampleShape, from: 0 };
  const asked = fields.map((field, i) => outputs.find(({ name }) => name === field.name) ?? outputs[i]!);
  return {
    inputs: inputs.map(({ name, dtype = 'float32' }) => {
      const part = parts === undefined ? whole : parts.find((one) => one.name === name)!;
      return { name, dtype, shape: [1, ...part.shape], from: part.from };
    }),
    outputs: asked.map(({ name }) => name),
    unfed: unfedOf(inputs, asked),
  };
}

function unfedOf(inputs: readonly End[], outputs: readonly End[]): string | undefined {
  const isFed = ({ dtype, quantization }: End): boolean =>
    dtype === 'float32' || (WHOLE.has(dtype) && quantization === undefined);
  const ends = [
    ...inputs.filter((end) => !isFed(end)).map((end) => ['input', end] as const),
    ...outputs.filter(({ dtype }) => dtype !== 'float32').map((end) => ['output', end] as const),
  ];
  return ends.length === 0
    ? undefined
    : ends.map(([what, { name, dtype }]) => `its ${what} ${name} is ${dtype ?? 'of an unknown type'}`).join(', ');
}
