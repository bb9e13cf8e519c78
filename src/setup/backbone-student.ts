import { shown, UserError } from '../base/errors.ts';
import type { Dataset } from '../data/dataset.ts';
import { readOnnx, trainableModel } from '../files/onnx-file.ts';
import { decodeModel } from '../formats/onnx/protobuf.ts';
import { backboneNetwork } from '../networks/backbone/backbone.ts';
import { layersNetwork } from '../networks/layers/layers.ts';
import type { ModelArgs } from '../networks/models/builder.ts';
import { buildModel, models } from '../networks/models/registry.ts';
import type { ModelNetwork } from '../networks/network.ts';
import { modelOptions } from '../recipe/models.ts';
import type { Recipe } from '../recipe/schema.ts';
import { preparationNotes } from './student-file.ts';

/** Recipe and data that a student is built for. */
interface Given {
  readonly recipe: Recipe;
  readonly data: { readonly train: Dataset };
}

type Args = ModelArgs & { readonly fields: readonly { readonly name: string }[] };

/** Builder of the student that is a named model on the layers of a file. `UserError` for a model that takes none. */
export function backboneBuilder(
  { recipe: { student, teacher }, data }: Given,
  model: string,
  args: Args,
): () => Promise<ModelNetwork> {
  const { onnx, layers, freeze, learningRate } = student!.backbone!;
  const { strides } = models[model] ?? {};
  if (strides === undefined) {
    const able = Object.keys(models).filter((name) => models[name]!.strides !== undefined);
    throw new UserError(
      `student.backbone: expected a model whose first layers can be those of a file, received model ${model}`,
      `Choose ${able.join(', ')}.`,
    );
  }
  if (args.nms === false)
    throw new UserError(
      'student.backbone: expected none beside dataset.nms: false, received a file',
      'Leave out one of both.',
    );
  const options = modelOptions(student!, 'student');
  for (const [key, does] of [
    ['alpha', 'has the layers that it would scale'],
    ['weights', 'has the weights of these layers'],
  ] as const)
    if (options[key] !== undefined)
      throw new UserError(
        `student.${key}: expected none beside backbone, whose file ${does}, received ${shown(options[key])}`,
        `Leave out student.${key}.`,
      );
  const file = onnx!;
  return async () => {
    const { model: source, notes } = trainableModel(decodeModel(await readOnnx(file), file), file);
    const network = backboneNetwork(source, file, {
      inputShape: args.inputShape,
      seed: args.seed,
      classes: args.classes,
      strides,
      layers,
      freeze,
      learningRate,
      answers: args.fields.length > 1 ? args.fields.map(({ name }) => name) : undefined,
      headOn: (features) => layersNetwork(buildModel(model, { ...args, features, options })),
    });
    const prepared = preparationNotes(file, source, data.train, teacher);
    return { ...network, origin: [...(network.origin ?? []), ...notes, ...prepared] };
  };
}
