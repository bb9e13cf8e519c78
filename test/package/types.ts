/** Compiled in a project that has installed the package, without looking away from the types of what it depends on. */
import * as limbeck from 'limbeck';
import { compare, convert } from 'limbeck/convert';
import type { OrtModule } from 'limbeck/convert';
import type { LoadedRecipe, RecipeInput, StudentModule } from 'limbeck';

const dataset = { type: 'csv', train: 'train.csv', label: 'digit' } as const;
const input: RecipeInput = { name: 'a', dataset, student: { model: 'mlp', hidden: [8] } };
const loaded: LoadedRecipe = limbeck.makeRecipe(input);
export const epochs: number = loaded.recipe.distill.epochs;
export const all = [limbeck.runRecipe, limbeck.openTflite, limbeck.serveMetrics, limbeck.diagnose];

interface Tf {
  readonly sequential: (config: { readonly layers: readonly object[] }) => object;
  readonly layers: { readonly dense: (config: { readonly units: number; readonly inputShape: number[] }) => object };
}
export const student: StudentModule<Tf> = ({ tf, inputShape, classes }) =>
  tf.sequential({ layers: [tf.layers.dense({ units: classes, inputShape: [...inputShape] })] });

// @ts-expect-error -- no such key
limbeck.makeRecipe({ ...input, distil: {} });
// @ts-expect-error -- no such loss
limbeck.makeRecipe({ ...input, distill: { loss: 'none' } });

declare const ort: OrtModule;
const sample = { x: { data: new Float32Array(2), shape: [1, 2] } };
const made = await convert(new Uint8Array(), { to: 'tflite', precision: 'int8', samples: [sample], runtime: ort });
export const likeness = await compare(new Uint8Array(), made.files.get('model-int8.tflite')!, [sample], { onnx: ort });
// @ts-expect-error -- no such precision
await convert(new Uint8Array(), { to: 'tflite', precision: 'int2' });
