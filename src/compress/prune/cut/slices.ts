import type { AxisLabels, Labels } from './channels.ts';
import type { RuleInput } from './rule.ts';

const ints = (input: Pick<RuleInput, 'attrs'>, name: string): readonly number[] =>
  input.attrs[name] as readonly number[];

/** Labels of a part of each axis. */
export function sliceLabels(input: RuleInput): Labels {
  const [begin, size] = [ints(input, 'begin'), ints(input, 'size')];
  return input.labels[0]!.map((labels, axis): AxisLabels => {
    const [from, count] = [begin[axis]!, size[axis]!];
    return labels?.slice(from, count === -1 ? undefined : from + count) ?? null;
  });
}

/** Rule of StridedSlice: no channel of an axis can be removed that is read with a stride other than 1. */
export function stridedSlice(input: RuleInput): Labels {
  const [begin, end, strides] = [ints(input, 'begin'), ints(input, 'end'), ints(input, 'strides')];
  return input.labels[0]!.map((labels, axis): AxisLabels => {
    if (strides[axis] === 1) return labels?.slice(begin[axis], end[axis]) ?? null;
    input.channels.keep(labels, input.reason);
    return null;
  });
}

/**
 * Labels of each piece of an axis. The pieces of a stored filter stay of one size, as those of a grouped convolution must: what lies
 * at one place of each of them goes together.
 */
export function parts(input: RuleInput): Labels[] {
  const axis = input.attrs['axis'] as number;
  const sizes = ints(input, 'sizes');
  const [x] = input.labels as [Labels];
  let from = 0;
  const pieces = sizes.map((size) => {
    const begin = from;
    from += size;
    return x.map((labels, i) => (i === axis ? (labels?.slice(begin, from) ?? null) : labels));
  });
  const isOneSize = sizes.every((size) => size === sizes[0]);
  if (input.stored[0] === true && isOneSize)
    for (const piece of pieces) input.channels.join(pieces[0]![axis]!, piece[axis]!, input.reason);
  return pieces;
}
