import { fileURLToPath } from 'node:url';
import { readSafetensorsFile } from '../files/safetensors-file.ts';

/** Weights of the first layers of MobileNet v2 at `alpha` 0.35, by their names in a model of the registry; bench/starting-weights has made them. */
const FILE = fileURLToPath(new URL('../networks/weights/mobilenet-v2-0.35.safetensors', import.meta.url));

/** Reads the starting weights of the models that have the option `weights`. */
export async function startingWeights() {
  return (await readSafetensorsFile(FILE)).tensors;
}
