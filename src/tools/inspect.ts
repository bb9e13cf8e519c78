import { stat } from 'node:fs/promises';
import path from 'node:path';
import { UserError } from '../base/errors.ts';
import { asUserError, readBytes } from '../base/files.ts';
import { isReadAsOnnx } from '../files/keras-names.ts';
import { readOnnx } from '../files/onnx-file.ts';
import type { InputShapes } from '../formats/onnx/sizes.ts';
import { readSafetensors } from '../formats/safetensors.ts';
import { models } from '../networks/models/registry.ts';
import { storedRecipe } from '../folder/folder.ts';
import { inspectOnnx, inspectTflite } from './inspect-model.ts';
import type { Inspection } from './inspect-model.ts';
import { Ledger } from '../folder/states/ledger.ts';

/** Describes a model file. `shapes`: of inputs that an ONNX or TFLite file leaves open. */
export async function inspectFile(file: string, shapes: InputShapes = new Map()): Promise<Inspection> {
  const found = await stat(file).catch((error: unknown) => {
    throw asUserError(error, file, 'read');
  });
  if (found.isDirectory()) return inspectRun(file);
  const extension = path.extname(file).toLowerCase();
  if (extension === '.onnx' || (await isReadAsOnnx(file)))
    return inspectOnnx(await readOnnx(file, shapes), file, extension === '.onnx' ? 'ONNX' : 'Keras, read as ONNX');
  const bytes = await readBytes(file);
  if (extension === '.tflite') return inspectTflite(bytes, file, shapes);
  if (extension === '.safetensors') return inspectSafetensors(bytes, file);
  throw new UserError(
    `${file}: expected a file ending in .onnx, .keras, .h5, .tflite or .safetensors, or the folder of a run, received ${extension || 'no ending'}`,
    'Name one of those.',
  );
}

function inspectSafetensors(bytes: Uint8Array, file: string): Inspection {
  const { tensors, metadata } = readSafetensors(bytes, file);
  const rows = [...tensors].map(([name, { dtype, shape }]) => ({ name, dtype, shape }));
  const text = [
    `${file}: safetensors, ${bytes.length} bytes, ${rows.length} tensors`,
    ...Object.entries(metadata).map(([key, value]) => `  ${key}: ${value.slice(0, 200)}`),
    ...rows.map(({ name, dtype, shape }) => `  ${dtype}[${shape.join(', ')}]  ${name}`),
    '',
  ].join('\n');
  return { value: { file, bytes: bytes.length, metadata, tensors: rows }, text };
}

async function inspectRun(folder: string): Promise<Inspection> {
  const { written } = await storedRecipe(folder);
  const warnings: string[] = [];
  const ledger = await Ledger.open(folder, (warning) => warnings.push(warning));
  const text = [
    `${folder}: run ${written.name}, seed ${written.seed}, ${ledger.rows.length} stages done in ${ledger.seconds.toFixed(1)} s`,
    ...[...ledger.times].map(([stage, seconds]) => {
      const figures = ledger.find(stage)?.figures ?? {};
      return `  ${stage}  ${seconds.toFixed(1)} s${Object.keys(figures).length === 0 ? '' : `  ${JSON.stringify(figures)}`}`;
    }),
    ...warnings.map((warning) => `warning: ${warning}`),
    '',
  ].join('\n');
  return { value: { folder, recipe: written, stages: ledger.rows, seconds: Object.fromEntries(ledger.times) }, text };
}

/** Every model that a recipe can name, with its options. */
export function inspectModels(): Inspection {
  const value = Object.entries(models).map(([name, { doc, options }]) => ({
    name,
    doc,
    options: Object.fromEntries(
      Object.entries(options).map(([key, { default: fallback, doc: about }]) => [
        key,
        { default: fallback, doc: about },
      ]),
    ),
  }));
  const text = value
    .map(({ name, doc, options }) =>
      [
        `${name}: ${doc}`,
        ...Object.entries(options).map(
          ([key, option]) => `    ${key} (${JSON.stringify(option.default)}): ${option.doc}`,
        ),
        '',
      ].join('\n'),
    )
    .join('\n');
  return { value, text };
}
