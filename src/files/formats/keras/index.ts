import type { FormatAsOnnx } from '../../as-onnx.ts';

/** Files that `model.save()` of Keras writes, and a model.json of Keras 3, which tfjs-layers cannot read: its inputs have a `batch_shape`. */
export const keras: FormatAsOnnx = {
  name: 'keras',
  isFile: (file) => /\.(keras|h5|hdf5)$/i.test(file),
  isModelJson: (text) => text.includes('"weightsManifest"') && text.includes('"batch_shape"'),
};
