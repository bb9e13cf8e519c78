import type { Node, Shape } from '../../../graph/types.ts';
import type { Import } from './context.ts';

/**
 * The element at `place` along `axis`, without that axis, of a value that is joined of parts of size 1; undefined for another value. So the last step
 * of a recurrent layer does not wait for all steps to be put in the layout of the layer behind.
 */
export function joinedPart(c: Import, value: string, axis: number, place: number): string | undefined {
  const { shape } = c.builder.typeOf(value);
  const found = joinOf(c, value, axis);
  const part = found?.parts[place];
  if (part === undefined || c.builder.typeOf(part).shape[found!.axis] !== 1) return undefined;
  // Training computes the last step of an LSTM by itself, and no other.
  const last = c.builder.producerOf(c.builder.producerOf(part)?.inputs[0] ?? '');
  if (found!.isLstm && last?.op !== 'Lstm') return undefined;
  return c.op('Reshape', [part], { shape: shape.toSpliced(axis, 1) });
}

const NOTHING: Node = { op: '', inputs: [], attrs: {}, outputs: [] };

interface Join {
  readonly parts: readonly string[];
  readonly axis: number;
  readonly isLstm: boolean;
}

/** The Concat along an axis of a value, if only axes of size 1 come and go behind it and the other axes keep their order. */
function joinOf(c: Import, value: string, axis: number): Join | undefined {
  const shapeOf = (name: string): Shape => c.builder.typeOf(name).shape;
  // Axes longer than 1 that the value at hand has in place of the last one's.
  let [along, others] = [axis, longAxes(shapeOf(value)).filter((one) => one !== axis)];
  let isLstm = false;
  for (let at = value; ;) {
    const { op, inputs, attrs } = c.builder.producerOf(at) ?? NOTHING;
    const [source] = inputs;
    if (op === 'Concat' && attrs.axis === along)
      return others.every((one, i) => i === 0 || one > others[i - 1]!)
        ? { parts: inputs, axis: along, isLstm }
        : undefined;
    if (op === 'Lstm') isLstm = true;
    else {
      const perm = op === 'Transpose' ? (attrs.perm as readonly number[]) : [];
      const from = op === 'Reshape' ? longAxes(shapeOf(source!)) : longAxes(shapeOf(at)).map((one) => perm[one]!);
      const to = longAxes(shapeOf(at));
      const isAlike =
        (op === 'Transpose' || op === 'Reshape') &&
        to.length === from.length &&
        to.every((one, i) => shapeOf(at)[one] === shapeOf(source!)[from[i]!]);
      if (!isAlike || !to.includes(along)) return undefined;
      const moved = (one: number): number => from[to.indexOf(one)]!;
      [along, others] = [moved(along), others.map(moved)];
    }
    at = source!;
  }
}

function longAxes(shape: Shape): number[] {
  return shape.flatMap((size, i) => (size === 1 ? [] : [i]));
}
