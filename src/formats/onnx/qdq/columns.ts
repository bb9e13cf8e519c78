import { columnsToChannels } from '../../../graph/passes/step/columns-to-channels.ts';
import type { Quantization, TensorQuantization } from '../../../graph/quantization.ts';
import type { Graph } from '../../../graph/types.ts';

/**
 * Graph and scales with columns as channels where ONNX Runtime's integer CPU kernels benefit, see `columnsToChannels`; integers do not change.
 * `keep`: layers that stay in float.
 */
export function withColumnsAsChannels(
  graph: Graph,
  quantization: Quantization,
  keep: (layer: string) => boolean,
): { graph: Graph; quantization: Quantization } {
  const isInt8 = (name: string): boolean => quantization.get(name)?.dtype === 'int8';
  const { graph: regrouped, held } = columnsToChannels(graph, (chain) => {
    const [input, output] = [chain[0]!.inputs[0]!, chain.at(-1)!.outputs[0]!];
    return isInt8(input) && isInt8(output) && !chain.some(({ layer, outputs }) => keep(layer ?? outputs[0]!));
  });
  if (regrouped === graph) return { graph, quantization };
  const scales = new Map(quantization);
  for (const [made, { name, copies }] of held) {
    const sourceScales = quantization.get(name);
    if (sourceScales !== undefined) scales.set(made, repeated(sourceScales, copies));
  }
  return { graph: regrouped, quantization: scales };
}

/** Scales of channels, repeated `copies` times. */
function repeated(own: TensorQuantization, copies: number): TensorQuantization {
  if (own.axis === undefined) return own;
  const times = <T>(values: readonly T[]): T[] => Array.from({ length: copies }, () => values).flat();
  return { ...own, scales: times(own.scales), zeroPoints: times(own.zeroPoints) };
}
