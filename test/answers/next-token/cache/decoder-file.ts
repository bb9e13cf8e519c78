import * as tf from '@tensorflow/tfjs-core';
import { RandomStream } from '../../../../src/base/random.ts';
import { lowerToOnnx } from '../../../../src/formats/onnx/lower.ts';
import type { Model } from '../../../../src/formats/onnx/model.ts';
import { layersNetwork } from '../../../../src/networks/layers/layers.ts';
import { buildModel } from '../../../../src/networks/models/registry.ts';
import { contentOf } from '../../../../src/networks/network.ts';
import { inferenceGraph } from '../../../../src/ship/export.ts';

export const [LENGTH, VOCABULARY, END] = [12, 60, 3];

/** The ONNX file of a decoder with drawn weights, of the size that training gives them: the shares of attention differ. */
export function decoderFile(options: Readonly<Record<string, unknown>>, length = LENGTH): Model {
  const random = new RandomStream('cache', JSON.stringify(options));
  const network = layersNetwork(
    buildModel('decoder', {
      inputShape: [length],
      classes: VOCABULARY,
      seed: 5,
      tokens: { vocabulary: VOCABULARY, padding: END },
      options,
      answersPer: 'token',
    }),
  );
  for (const variable of Object.values(network.state))
    variable.assign(
      tf.add(
        variable,
        tf.tensor(
          Float32Array.from({ length: variable.size }, () => 0.3 * random.normal()),
          variable.shape,
        ),
      ),
    );
  const text = { tokenizer: 'bytes', texts: 1, length, truncate: 'start', vocabulary: VOCABULARY, padding: END };
  const metadata = new Map([['text', JSON.stringify(text)]]);
  return lowerToOnnx(inferenceGraph({ network, weights: contentOf(network) }, []), { metadata });
}
