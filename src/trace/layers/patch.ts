import * as tfl from '@tensorflow/tfjs-layers';
import { currentLayer, inLayer } from '../scope.ts';
import { callBatchNormalization } from './batch-normalization.ts';
import { alphaDropout, dropout, dropoutMask, gaussianDropout, gaussianNoise } from './dropout.ts';
import { callGruCell } from './gru-cell.ts';
import type { LayerClass, LayerLike } from './types.ts';

/** Prototype of the layer's class. */
function prototypeOf(layer: tfl.layers.Layer): LayerClass {
  return Object.getPrototypeOf(layer) as LayerClass;
}

let patched = false;

/**
 * Changes tfjs-layers in place, once: the current layer is known by name, training batch norm is one op, a GRU takes fewer ops, and the noise of
 * dropout layers is fed instead of drawn in JavaScript (which would freeze it into the trace).
 */
export function patchLayers(): void {
  if (patched) return;
  patched = true;
  const dropoutClass = prototypeOf(tfl.layers.dropout({ rate: 0.5 }));
  nameLayers(Object.getPrototypeOf(dropoutClass) as LayerClass);
  replaceCall(prototypeOf(tfl.layers.batchNormalization()), callBatchNormalization);
  replaceCall(dropoutClass, dropout);
  replaceCall(prototypeOf(tfl.layers.gaussianNoise({ stddev: 1 })), gaussianNoise);
  replaceCall(prototypeOf(tfl.layers.gaussianDropout({ rate: 0.5 })), gaussianDropout);
  replaceCall(prototypeOf(tfl.layers.alphaDropout({ rate: 0.5 })), alphaDropout);
  for (const cell of [tfl.layers.simpleRNNCell, tfl.layers.gruCell, tfl.layers.lstmCell] as const) {
    feedCellDropout(prototypeOf((cell as (args: { units: number }) => tfl.layers.Layer)({ units: 1 })));
  }
  replaceCall(prototypeOf(tfl.layers.gruCell({ units: 1 })), callGruCell);
}

/** A `call` that handles some cases and returns `undefined` for others, which the original handles. */
type Call = (layer: LayerLike, inputs: unknown, options: Readonly<Record<string, unknown>>) => unknown;

function replaceCall(layerClass: LayerClass, call: Call): void {
  const original = layerClass.call;
  layerClass.call = function (this: LayerLike, inputs, options) {
    return call(this, inputs, options ?? {}) ?? original.call(this, inputs, options);
  };
}

function nameLayers(layerClass: LayerClass): void {
  const original = layerClass.apply;
  layerClass.apply = function (this: LayerLike, inputs, options) {
    // The outermost model gives no name; a model used as a layer does.
    const outermost = 'layers' in this && currentLayer() === undefined;
    return outermost
      ? original.call(this, inputs, options)
      : inLayer(this.name, () => original.call(this, inputs, options));
  };
}

/** Recurrent cells draw one mask for all time steps, with `dropoutFunc` if they have it. */
function feedCellDropout(cellClass: LayerClass): void {
  const original = cellClass.call;
  cellClass.call = function (this: LayerLike, inputs, options) {
    this.dropoutFunc ??= dropoutMask;
    return original.call(this, inputs, options);
  };
}
