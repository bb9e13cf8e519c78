import { UserError } from '../../base/errors.ts';
import { npySamples, parseNpy } from '../../data/readers/numpy/npy.ts';
import type { Safetensors } from '../../formats/safetensors.ts';

/**
 * Logits of a NumPy file as a store of soft targets: an array [samples, classes], row i for sample i of the training file (before a part of it
 * becomes the validation split). `limbeck serve --keep` writes such a file beside its samples.
 */
export function npyLogits(bytes: Uint8Array, file: string): Safetensors {
  const array = parseNpy(bytes, file);
  const [samples = 0, classes = 0, ...more] = array.shape;
  if (samples === 0 || classes === 0 || more.length > 0) {
    throw new UserError(
      `${file}: expected logits as [samples, classes], received [${array.shape.join(', ')}]`,
      'Save one row of logits for each sample of the training file, in its order.',
    );
  }
  const data = Float32Array.from(npySamples(array));
  return {
    tensors: new Map([
      ['logits', { dtype: 'float32', shape: [1, samples, classes], data }],
      ['ids', { dtype: 'int32', shape: [samples], data: Int32Array.from({ length: samples }, (_, i) => i) }],
    ]),
    metadata: {},
  };
}
