import { layersOf, weightedNodes } from '../../graph/quantization.ts';
import type { Graph } from '../../graph/types.ts';
import { biasesOf } from './layers.ts';
import { withChangedConstants } from './rounding.ts';

/**
 * `prepared`, with weights and biases that were changed for int8, where some layers are computed in float after all: those
 * have their values in `float`.
 */
export function withFloatLayers(prepared: Graph, float: Graph, keepFloat: (layer: string) => boolean): Graph {
  const layers = layersOf(prepared);
  const biases = biasesOf(prepared);
  const names = weightedNodes(prepared).flatMap(({ inputs, outputs }) => {
    if (!keepFloat(layers.get(outputs[0]!)!)) return [];
    return [inputs[1]!, ...[biases.get(outputs[0]!)].filter((bias) => bias !== undefined)];
  });
  if (names.length === 0) return prepared;
  return withChangedConstants(
    prepared,
    new Map(names.map((name) => [name, float.constants.get(name)!.data as Float32Array])),
  );
}
