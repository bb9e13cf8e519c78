import { graphOf } from '../../builder.ts';
import { opSpec } from '../../ops.ts';
import { ints } from '../../ops/spec.ts';
import { windowed } from '../../ops/linear.ts';
import type { Attrs, Constant, Graph, Node } from '../../types.ts';
import { usesOf } from '../uses.ts';

export interface Trimmed {
  readonly graph: Graph;
  /** Filters that became smaller: their layers, and [height, width] before and after. */
  readonly filters: readonly {
    readonly layer: string;
    readonly from: readonly number[];
    readonly to: readonly number[];
  }[];
}

/**
 * The graph without the rows and columns of stored filters that only ever meet padding: where a picture has become 1×1, a filter of 3×3
 * with a padding of 1 is its middle row and column, a ninth of it. The answers stay the same. A filter that several layers read stays.
 */
export function trimFilters(graph: Graph): Trimmed {
  const uses = usesOf(graph);
  const constants = new Map(graph.constants);
  const attrsOf = new Map<Node, Attrs>();
  const filters: Trimmed['filters'][number][] = [];
  for (const node of graph.nodes) {
    const name = node.inputs[1] ?? '';
    const filter = constants.get(name);
    if (opSpec(node.op).product !== 'convolution' || filter === undefined || uses.get(name) !== 1) continue;
    const [, ...size] = graph.types.get(node.inputs[0]!)!.shape;
    const from = filter.type.shape.slice(0, 2).map(Number);
    const windows = [0, 1].map((axis) => touched(node.attrs, axis, Number(size[axis]), from[axis]!));
    const to = windows.map(({ first, last }) => last - first + 1);
    if (to.join() === from.join()) continue;
    constants.set(name, part(filter, windows));
    attrsOf.set(node, { ...node.attrs, pads: windows.flatMap(({ pads }) => pads) });
    filters.push({ layer: node.layer ?? node.outputs[0]!, from, to });
  }
  const nodes = graph.nodes.map((node) => ({ ...node, attrs: attrsOf.get(node) ?? node.attrs }));
  return { graph: filters.length === 0 ? graph : graphOf({ ...graph, constants, nodes }), filters };
}

interface Window {
  /** The first and the last row, or column, that meets the picture anywhere. */
  readonly first: number;
  readonly last: number;
  /** Padding before and after the picture for a filter of these alone. */
  readonly pads: readonly [number, number];
}

function touched(attrs: Attrs, axis: number, size: number, taps: number): Window {
  const [stride, dilation] = [ints(attrs, 'strides')[axis]!, ints(attrs, 'dilations')[axis]!];
  const [before, after] = ints(attrs, 'pads').slice(2 * axis, 2 * axis + 2) as [number, number];
  const count = windowed(size, taps, stride, dilation, before, after);
  const meets = (tap: number): boolean => {
    for (let i = 0; i < count; i++) {
      const at = i * stride + tap * dilation - before;
      if (at >= 0 && at < size) return true;
    }
    return false;
  };
  const met = Array.from({ length: taps }, (_, tap) => tap).filter(meets);
  let [first, last] = [met[0] ?? 0, met.at(-1) ?? taps - 1];
  // A window that begins behind the edge of the picture would have to cut it.
  while (before - first * dilation < 0) first--;
  const left = before - first * dilation;
  const reach = (count - 1) * stride + (last - first) * dilation + 1;
  const right = Math.max(0, reach - size - left);
  if (windowed(size, last - first + 1, stride, dilation, left, right) === count)
    return { first, last, pads: [left, right] };
  [first, last] = [0, taps - 1];
  return { first, last, pads: [before, after] };
}

function part({ type, data }: Constant, [rows, columns]: readonly Window[]): Constant {
  const [, width, ...rest] = type.shape.map(Number) as [number, number, number, number];
  const inner = rest[0] * rest[1];
  const size = [rows!.last - rows!.first + 1, columns!.last - columns!.first + 1] as const;
  const kept = new Float32Array(size[0] * size[1] * inner);
  for (let row = 0; row < size[0]; row++) {
    const from = ((rows!.first + row) * width + columns!.first) * inner;
    kept.set((data as Float32Array).subarray(from, from + size[1] * inner), row * size[1] * inner);
  }
  return { type: { ...type, shape: [...size, ...rest] }, data: kept };
}
