import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { io } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';

/** A model as `model.json` with its weights beside it, as tfjs writes them: the files by name. */
export async function savedTfjs(model: LayersModel): Promise<Record<string, string | Uint8Array>> {
  let found: io.ModelArtifacts | undefined;
  await model.save({
    save: (artifacts) => {
      found = artifacts;
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } });
    },
  });
  const { modelTopology, weightSpecs, weightData } = found!;
  const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }];
  return {
    'model.json': JSON.stringify({ modelTopology, weightsManifest }),
    'weights.bin': new Uint8Array(weightData as ArrayBuffer),
  };
}

export async function saveTfjs(model: LayersModel, folder: string): Promise<void> {
  for (const [name, content] of Object.entries(await savedTfjs(model)))
    await writeFile(path.join(folder, name), content);
}
