import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { io } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';

/** A model as `model.json` with its weights beside it, as tfjs writes them. */
export async function saveTfjs(model: LayersModel, folder: string): Promise<void> {
  let found: io.ModelArtifacts | undefined;
  await model.save({
    save: (artifacts) => {
      found = artifacts;
      return Promise.resolve({ modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } });
    },
  });
  const { modelTopology, weightSpecs, weightData } = found!;
  const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }];
  await writeFile(path.join(folder, 'model.json'), JSON.stringify({ modelTopology, weightsManifest }));
  await writeFile(path.join(folder, 'weights.bin'), Buffer.from(weightData as ArrayBuffer));
}
