import path from 'node:path';
import { UserError } from '../../base/errors.ts';
import type { InputShapes } from '../../formats/onnx/sizes.ts';
import { taskRow } from '../../recipe/task.ts';
import { readHubFolder } from '../../setup/hub/folder.ts';
import { hubPreparation } from '../../setup/hub/pictures.ts';
import type { CompressedModel } from './model.ts';

/** What a Hugging Face folder says about the model that is compressed. */
interface HubModel {
  readonly file: string;
  /** Size of its pictures, which its file mostly leaves open. */
  readonly shapes: InputShapes;
  readonly stated: Pick<CompressedModel, 'labels' | 'stated'>;
  readonly notes: readonly string[];
}

/** Reads the folder of a picture classifier. `UserError` for another kind. */
export function hubModel(folder: string): HubModel {
  const { onnx, inputs, task, reads, classes, channels, preprocessor } = readHubFolder(folder);
  if (task === undefined || !taskRow(task).hasClasses || reads !== 'pictures')
    throw new UserError(
      `${folder}: expected a classifier of pictures, received a model for ${task ?? 'embeddings'} of ${reads}`,
      'Write a recipe with `student: { folder: … }`: it takes texts and other tasks.',
    );
  const { resize, cutFrom, filter, normalize } = hubPreparation(folder, preprocessor, channels);
  const differs = [
    ...(cutFrom === undefined ? [] : [`cuts the middle out of ${[cutFrom].flat().join('x')}`]),
    ...(filter === 'lanczos' ? [] : [`resizes by ${filter ?? 'bilinear'}`]),
  ];
  return {
    file: path.join(folder, onnx),
    shapes: new Map(resize === undefined ? [] : inputs.map((name) => [name, [1, channels, ...resize]] as const)),
    stated: { labels: classes, stated: normalize },
    notes:
      differs.length === 0
        ? []
        : [
            `${path.basename(folder)}: its preprocessor ${differs.join(' and ')}; pictures in a folder are resized whole here, by Lanczos' filter`,
          ],
  };
}
