import { lowerToOnnx, outputName } from '../../../formats/onnx/lower.ts';
import { encodeModel } from '../../../formats/onnx/protobuf.ts';
import { GraphBuilder } from '../../../graph/builder.ts';
import type { DeviceName } from '../../../recipe/engines.ts';
import { RepeatedStep } from '../repeated-step.ts';
import type { SessionOptions } from '../session.ts';
import { ortTensor, OnnxSession, tensorValues } from '../session.ts';
import { HostStore } from '../../state.ts';

/**
 * True if a provider computes a convolution correctly, which needs more of its libraries than an addition (cuDNN); throws the provider's errors.
 * `looping`: inside of a `Scan`, as in training steps on CUDA.
 */
export function convolves(provider: DeviceName, looping: boolean): boolean {
  const float = (...shape: number[]) => ({ dtype: 'float32', shape }) as const;
  const [image, window] = [float(1, 3, 3, 1), float(2, 2, 1, 1)];
  const b = new GraphBuilder();
  const [x, filter] = [b.input('x', image), b.state('filter', window)];
  b.output('y', b.op('Conv2D', [x, filter], { strides: [1, 1], dilations: [1, 1], pads: [0, 0, 0, 0] }));
  b.update('filter', b.op('Add', [filter, filter]));
  const graph = b.build();
  const model = lowerToOnnx(graph);
  // ONNX Runtime loads a named provider or throws.
  const providers = provider === 'tensorrt' ? ['tensorrt', 'cuda'] : [provider];
  const options: SessionOptions = { executionProviders: providers, logSeverityLevel: 4 };
  const pixels = Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9);
  const weights = Float32Array.of(1, 0, 0, 1);
  if (looping) {
    const store = new HostStore();
    store.declare('filter', window, () => weights);
    const steps = new RepeatedStep(graph, model, options);
    const results = steps.run([{ x: pixels }, { x: pixels }], store);
    steps.dispose();
    return results.map(({ y }) => y!.join()).join(' ') === '6,8,12,14 12,16,24,28';
  }
  const session = new OnnxSession(encodeModel(model), options);
  const name = outputName(graph, 'y');
  const feeds = { x: ortTensor('float32', pixels, image.shape), filter: ortTensor('float32', weights, window.shape) };
  const { [name]: y } = session.run(feeds, { [name]: null });
  session.dispose();
  return tensorValues(y!).join() === '6,8,12,14';
}
