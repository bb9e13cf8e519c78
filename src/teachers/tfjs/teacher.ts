import type { OpenTeacherFile } from '../../distill/teachers/formats.ts';
import { rawSamples, takesRaw } from '../../distill/teachers/inputs/own-scaling.ts';
import { modelTeacher } from '../../distill/teachers/model-teacher.ts';
import { loadTfjsModel } from '../../files/tfjs-file.ts';
import { tfjsInputScaling } from '../../files/tfjs/input-scaling.ts';
import { macsOf } from '../../graph/macs.ts';
import { layersNetwork } from '../../networks/layers/layers.ts';
import { traceWithBatch } from '../../trace/batch.ts';
import { predictionProgram } from '../../train/evaluate/inference.ts';

export const teacherFile: OpenTeacherFile = async ({ file, engine, ...about }) => {
  const { dataset } = about;
  const model = await loadTfjsModel(file);
  const source = { ...about, engine, network: layersNetwork(model) };
  const isRaw = takesRaw(await tfjsInputScaling(model, dataset.sampleShape.at(-1)!), dataset);
  return {
    metadata: isRaw ? rawSamples(dataset) : new Map<string, string>(),
    open: ({ outputs, normalize, classes, intermediate: features, ...size }) =>
      modelTeacher({ ...source, features, outputs, normalize, classes, size }),
  };
};

/** Multiply-accumulates of a file for one sample. */
export async function macsOfFile(file: string): Promise<number> {
  const network = layersNetwork(await loadTfjsModel(file));
  return macsOf(traceWithBatch((batchSize) => predictionProgram({ network, batchSize })));
}
