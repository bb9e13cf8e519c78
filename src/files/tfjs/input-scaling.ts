import { dispose, fill, stack, tidy } from '@tensorflow/tfjs-core';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel, layers } from '@tensorflow/tfjs-layers';
import type { InputScaling } from '../../formats/onnx/input-scaling.ts';

type Layer = layers.Layer;

/**
 * Scaling that a model of tfjs-layers begins with, for each of `channels`: layers Rescaling and BatchNormalization, as `inputScaling` finds them in
 * ONNX. It is computed from what the layers answer to 0 and 1. Undefined for a model that begins otherwise.
 */
export async function tfjsInputScaling(model: LayersModel, channels: number): Promise<InputScaling | undefined> {
  const [input, ...others] = model.inputs;
  if (input === undefined || others.length > 0 || input.shape.at(-1) !== channels) return undefined;
  const found: Layer[] = [];
  for (let layer = nextOf(input.sourceLayer); layer !== undefined && scales(layer, input.rank); layer = nextOf(layer))
    found.push(layer);
  if (found.length === 0) return undefined;
  const shape = [...new Array<number>(input.rank - 1).fill(1), channels];
  const answers = tidy(() =>
    stack([0, 1].map((value) => found.reduce((x, layer) => layer.call(x, {}) as Tensor, fill(shape, value)))),
  );
  const values = await answers.data();
  dispose(answers);
  const offset = [...values.subarray(0, channels)];
  return { scale: offset.map((zero, c) => values[channels + c]! - zero), offset };
}

/** The only layer that a layer feeds; undefined if there are several or none. */
function nextOf({ outboundNodes }: Layer): Layer | undefined {
  return outboundNodes.length === 1 ? outboundNodes[0]!.outboundLayer : undefined;
}

/** True for layers that multiply each channel by a number and add another one. */
function scales(layer: Layer, rank: number): boolean {
  const kind = layer.getClassName();
  const axis = [layer.getConfig()['axis']].flat()[0];
  return kind === 'Rescaling' || (kind === 'BatchNormalization' && (axis === -1 || axis === rank - 1));
}
