import { RESHAPING, storedTensors, tensorData } from './model.ts';
import type { Model, OnnxNode, OnnxTensor } from './model.ts';

/** Scaling of a model's input before anything else is computed of it: `x · scale[c] + offset[c]` for each channel c. */
export interface InputScaling {
  readonly scale: readonly number[];
  readonly offset: readonly number[];
}

/** Ops that hand on the input's numbers, wherever they move them. */
const PASSING: ReadonlySet<string> = new Set([...RESHAPING, 'Cast', 'Transpose']);

/**
 * Scaling that a model of one input begins with: sums, differences, products and quotients with stored numbers, one or one for each of `channels`, and
 * batch norms. Of Keras these are the layers Rescaling, Normalization and BatchNormalization. Undefined for a model that begins otherwise.
 */
export function inputScaling({ graph }: Pick<Model, 'graph'>, channels: number): InputScaling | undefined {
  const stored = storedTensors(graph);
  const [input, ...others] = graph.inputs.filter(({ name }) => !stored.has(name));
  if (input === undefined || others.length > 0) return undefined;
  let found: InputScaling | undefined;
  let value = input.name;
  // A damaged file may have a loop of nodes.
  for (let left = graph.nodes.length; left > 0; left--) {
    const [node, ...more] = graph.nodes.filter(({ op, inputs }) => op !== 'Shape' && inputs.includes(value));
    if (node === undefined || more.length > 0 || node.domain !== '') return found;
    const step = PASSING.has(node.op) ? undefined : stepOf(node, value, stored, channels);
    if (step === undefined && !PASSING.has(node.op)) return found;
    if (step !== undefined) {
      const { scale, offset } = found ?? { scale: step.scale.map(() => 1), offset: step.scale.map(() => 0) };
      found = {
        scale: step.scale.map((factor, c) => factor * scale[c]!),
        offset: step.offset.map((added, c) => step.scale[c]! * offset[c]! + added),
      };
    }
    value = node.outputs[0]!;
  }
  return found;
}

/** A node that scales `value`; undefined for any other. */
function stepOf(
  { op, inputs, attrs }: OnnxNode,
  value: string,
  stored: ReadonlyMap<string, OnnxTensor>,
  channels: number,
): InputScaling | undefined {
  const all = (make: (c: number) => number): number[] => Array.from({ length: channels }, (_, c) => make(c));
  const numbers = inputs.map((name) => (name === value ? undefined : numbersOf(stored.get(name), channels)));
  if (op === 'BatchNormalization') {
    const [, gamma, beta, mean, variance] = numbers;
    if (
      inputs[0] !== value ||
      gamma === undefined ||
      beta === undefined ||
      mean === undefined ||
      variance === undefined
    )
      return undefined;
    const epsilon = attrs.get('epsilon')?.value;
    const scale = all((c) => gamma[c]! / Math.sqrt(variance[c]! + (typeof epsilon === 'number' ? epsilon : 1e-5)));
    return { scale, offset: all((c) => beta[c]! - mean[c]! * scale[c]!) };
  }
  const isFirst = inputs[0] === value;
  const other = numbers[isFirst ? 1 : 0];
  if (other === undefined || inputs.length !== 2) return undefined;
  if (op === 'Add') return { scale: all(() => 1), offset: other };
  if (op === 'Mul') return { scale: other, offset: all(() => 0) };
  if (op === 'Sub')
    return isFirst
      ? { scale: all(() => 1), offset: other.map((one) => -one) }
      : { scale: all(() => -1), offset: other };
  return op === 'Div' && isFirst ? { scale: other.map((one) => 1 / one), offset: all(() => 0) } : undefined;
}

/** Stored numbers for each channel; undefined for another number of them, and for types that are not read. */
function numbersOf(tensor: OnnxTensor | undefined, channels: number): number[] | undefined {
  const data = tensor?.dtype === 'float32' || tensor?.dtype === 'float64' ? tensorData(tensor) : undefined;
  if (data === undefined || (data.length !== 1 && data.length !== channels)) return undefined;
  return Array.from({ length: channels }, (_, c) => Number(data[data.length === 1 ? 0 : c]!));
}
