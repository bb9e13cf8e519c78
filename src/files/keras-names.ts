import { readText } from '../base/files.ts';

/** True for the name of a file that `model.save()` of Keras writes. */
export function isKerasFile(file: string): boolean {
  return /\.(keras|h5|hdf5)$/i.test(file);
}

/** True for a model file that `readOnnx` reads: one of ONNX or Keras, or a model.json of Keras 3. */
export async function isReadAsOnnx(file: string): Promise<boolean> {
  return /\.onnx$/i.test(file) || isKerasFile(file) || (file.endsWith('.json') && isOfKeras3(await readText(file)));
}

/** True for the text of a model.json of Keras 3, which tfjs-layers cannot read: its inputs have a `batch_shape`. */
export function isOfKeras3(text: string): boolean {
  return text.includes('"weightsManifest"') && text.includes('"batch_shape"');
}
