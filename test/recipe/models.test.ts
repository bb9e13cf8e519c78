import { models } from '../../src/networks/models/registry.ts';
import { parseRecipe } from '../../src/recipe/load.ts';
import { modelOptions } from '../../src/recipe/models.ts';
import { studentSchema } from '../../src/recipe/schema/student.ts';
import { teacherTrainingSchema } from '../../src/recipe/schema/teacher.ts';

const load = (rest: string) => parseRecipe(`dataset: {type: csv, train: d.csv}\n${rest}\n`, 'r.yaml', { models });

describe('options of models', () => {
  it('are whatever the recipe itself does not use', () => {
    const { recipe } = load(
      'student: {model: ds-cnn, width: 0.5}\nteacher: {train: {model: mlp, hidden: [8], epochs: 2}}',
    );
    expect(modelOptions(recipe.student!, 'student')).toEqual({ width: 0.5 });
    expect(modelOptions(recipe.teacher!.train!, 'teacher')).toEqual({ hidden: [8] });
  });

  it.each([
    [
      'student: {model: ds-cn}',
      /^r\.yaml:2:18 student\.model: expected one of mlp, .*received "ds-cn"$/,
      'Did you mean ds-cnn?',
    ],
    ['student: {model: ds-cnn, widht: 2}', /^r\.yaml:2:26 student\.widht: unknown key$/, 'Did you mean width?'],
    [
      'student: {model: ds-cnn, width: -2}',
      /^r\.yaml:2:33 student\.width: expected a number from .*, received -2$/,
      /width/,
    ],
    [
      'student: {modle: mlp}',
      /^r\.yaml:2:10 student: expected exactly one of model, module, tfjs, onnx, keras, folder, received none/,
      /./,
    ],
    [
      'teacher: {train: {model: mlp, epoch: 2}}',
      /^r\.yaml:2:31 teacher\.train\.epoch: unknown key$/,
      'Did you mean epochs?',
    ],
  ])('%s is refused with its place', (rest, message, hint) => {
    try {
      load(rest);
    } catch (error) {
      expect((error as Error).message).toMatch(message);
      expect((error as { hint: string }).hint).toMatch(hint);
      return;
    }
    throw new Error('accepted');
  });

  it('have no names that the recipe uses for something else', () => {
    const own = new Set([...Object.keys(studentSchema.shape), ...Object.keys(teacherTrainingSchema.shape)]);
    expect(Object.values(models).flatMap(({ options }) => Object.keys(options).filter((key) => own.has(key)))).toEqual(
      [],
    );
  });
});
