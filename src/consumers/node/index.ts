import { isImageShape } from '../../data/dataset.ts';
import type { KitSample } from '../../ship/kit/platforms.ts';
import { NODE, nodeSample } from './program.ts';

/** A program, on ONNX Runtime. */
export const kitSample: KitSample = {
  sources: NODE,
  filesOf: ({ form, kit, task, data, isSound }) => {
    const kind = kit.kindOf(data);
    const arePictures = kind === 'numbers' && isImageShape(data.sampleShape) && [1, 3].includes(data.sampleShape[2]);
    const file = isSound ? 'sound' : arePictures ? 'picture' : undefined;
    return nodeSample(form, kind, { isOneOutput: task.fields.length === 1, file });
  },
};
