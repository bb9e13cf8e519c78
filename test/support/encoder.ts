import { lowerToOnnx } from '../../src/formats/onnx/lower.ts';
import { encodeModel } from '../../src/formats/onnx/protobuf.ts';
import { layersNetwork } from '../../src/networks/layers/layers.ts';
import { buildModel } from '../../src/networks/models/registry.ts';
import { evaluator } from '../../src/runtime/onnxruntime/evaluator.ts';
import { inferenceGraph } from '../../src/ship/export.ts';
import { useLazyBackend } from '../../src/trace/use.ts';

/** ONNX file of an untrained encoder of texts of three tokens, [batch, 3] to [batch, width]. */
export async function encoderBytes(vocabulary: number, width: number): Promise<Uint8Array> {
  useLazyBackend(evaluator);
  const options = { vocabulary, padding: 0, size: width };
  const network = layersNetwork(buildModel('embedding-bag', { inputShape: [3], classes: width, seed: 1, options }));
  const weights = new Map(
    await Promise.all(
      Object.entries(network.state).map(async ([name, variable]) => {
        const data = (await variable.data()) as Float32Array;
        return [name, { type: { dtype: 'float32', shape: variable.shape }, data }] as const;
      }),
    ),
  );
  return encodeModel(lowerToOnnx(inferenceGraph({ network, weights }, [])));
}
