import type { Quantization, TensorQuantization } from '../../graph/quantization.ts';
import type { Graph } from '../../graph/types.ts';

/** The slice of a tensor (row-major, of this shape) that each element belongs to along an axis; 0 without one. */
function sliceOf(shape: readonly number[], axis: number | undefined): (index: number) => number {
  if (axis === undefined) return () => 0;
  const inner = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const slices = shape[axis]!;
  return (index) => Math.floor(index / inner) % slices;
}

/** Weights after being stored as int8 (-127 … 127, half away from zero) and read again. */
export function roundedWeights(values: Float32Array, shape: readonly number[], q: TensorQuantization): Float32Array {
  const slice = sliceOf(shape, q.axis);
  return values.map((value, i) => {
    const scale = q.scales[slice(i)]!;
    const steps = Math.sign(value) * Math.round(Math.abs(value) / scale);
    return Math.max(-127, Math.min(127, steps)) * scale;
  });
}

/** The graph with other values in some of its constants. */
export function withChangedConstants(graph: Graph, changed: ReadonlyMap<string, Float32Array>): Graph {
  const constants = new Map(
    [...graph.constants].map(([name, constant]) => [name, { ...constant, data: changed.get(name) ?? constant.data }]),
  );
  return { ...graph, constants };
}

/** The scales of a weight; undefined where it stays in float. */
export function weightScalesOf(quantization: Quantization, name: string): TensorQuantization | undefined {
  const scales = quantization.get(name);
  return scales !== undefined && scales.zeroPoints.every((zeroPoint) => zeroPoint === 0) ? scales : undefined;
}
