import { Writer } from './wire.ts';

/** An ONNX file of one float32[count], whose values are in a file of their own, as PyTorch writes it. */
export function externalOnnx(place: Readonly<Record<string, string>>, count = 2): Uint8Array {
  return new Writer()
    .int(1, 8)
    .message(7, (graph) =>
      graph.message(5, (tensor) => {
        tensor.packedInts(1, [count]).int(2, 1).string(8, 'w');
        for (const [key, value] of Object.entries(place))
          tensor.message(13, (entry) => entry.string(1, key).string(2, value));
        return tensor.int(14, 1);
      }),
    )
    .message(8, (opset) => opset.int(2, 17))
    .finish();
}
