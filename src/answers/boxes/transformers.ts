import { LETTERBOX_GREY } from '../../data/pictures/letterbox.ts';
import { forObjectDetection } from '../../formats/onnx/rewrite/object-detection-ends.ts';
import type { PipelineForm } from '../../consumers/transformers/config.ts';
import { SUPPRESSION } from './suppression.ts';
import { USUAL_THRESHOLD } from './threshold.ts';
import { taskOf } from '../../tasks/registry.ts';

export const transformers: PipelineForm = {
  pictures: 'object-detection',
  withEnds: (model, data) =>
    forObjectDetection(model, {
      ...data,
      suppression: { ...SUPPRESSION, iou: taskOf(data).boxes!.overlap },
      padding: LETTERBOX_GREY,
    }),
  usualThreshold: USUAL_THRESHOLD,
};
