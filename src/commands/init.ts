import { UserError } from '../base/errors.ts';
import { taskNames } from '../recipe/task.ts';
import { printJson } from './context.ts';
import type { CommandContext } from './context.ts';
import { setOption } from './options/command.ts';
import type { Command } from './options/command.ts';
import type { InitArgs as Told } from './terminal/init-answers.ts';

interface InitArgs extends Told {
  data: string | undefined;
  force: boolean;
  run: boolean;
  set: string[];
}

const EPILOGUE = [
  'Data that are read: a folder of pictures, sounds or texts in a folder for each class, pictures with masks, boxes or points (COCO, YOLO, Pascal VOC),',
  'CSV, Parquet, JSON lines, NumPy, IDX, CoNLL, and a folder of the Hugging Face hub. Teachers: ONNX (also of scikit-learn and boosted trees),',
  'Keras, TFLite, tfjs, SavedModel and Hugging Face folders with an ONNX file. Videos, several pictures in a sample, and models that write texts',
  'are not.',
].join(' ');

export const initCommand: Command<InitArgs> = {
  options: (yargs) =>
    yargs
      .positional('data', {
        type: 'string',
        describe: 'Training data: file or folder, as --train; a name that ends in .yaml is the file to write',
      })
      .option('to', { type: 'string', describe: 'File to write [default: recipe.yaml]' })
      .option('type', {
        type: 'string',
        describe: 'Type of the data: csv, image-folder, ... [default: what its files look like]',
      })
      .option('train', { type: 'string', describe: 'Training data: file or folder (idx, npz: the samples)' })
      .option('labels', { type: 'string', describe: 'Training labels, for idx and npz' })
      .option('test', { type: 'string', describe: 'Test data' })
      .option('test-labels', { type: 'string', describe: 'Test labels, for idx and npz' })
      .option('label', {
        type: 'string',
        describe: 'Label column, for tables (several with commas between) and for conll (its number)',
      })
      .option('task', {
        choices: taskNames(),
        describe: 'What is asked of a sample [default: what the labels look like]',
      })
      .option('teacher', {
        type: 'string',
        describe:
          'ONNX, Keras or TFLite file, tfjs model.json, folder of Hugging Face or a SavedModel, or stored answers (.npy, .safetensors); without one a teacher is trained',
      })
      .option('model', { type: 'string', describe: 'Model of the student, or an ONNX or Keras file to start from' })
      .option('targets', {
        type: 'string',
        describe: 'Where the student will run: browser, android, ios, server; several with commas between',
      })
      .option('run', { type: 'boolean', default: false, describe: 'Ask nothing, and follow the recipe at once' })
      .option('set', { ...setOption, describe: 'With --run: change a key for the run: --set distill.epochs=2' })
      .option('force', { type: 'boolean', default: false, describe: 'Replace an existing file' })
      .epilogue(EPILOGUE) as never,
  run: async (args, context) => {
    const { exists } = await import('../base/files.ts');
    const given = await placed(args);
    const { to } = given;
    if (!args.force && (await exists(to))) {
      throw new UserError(`${to}: this file exists`, 'Name another file with --to, or add --force to replace it.');
    }
    const { initAnswers, refuseAbsent } = await import('./terminal/init-answers.ts');
    const answers = await initAnswers(given, args.run ? { ...context, isTerminal: false } : context);
    const { isModelFile, recipeText } = await import('../recipe/init.ts');
    const text = recipeText(answers);
    const { parseRecipe } = await import('../recipe/load.ts');
    const { models } = await import('../networks/models/registry.ts');
    // Folders of models stay as they are named.
    parseRecipe(text, to, { models, withFolders: (await import('../setup/with-folders.ts')).withFolders });
    const { train, labels, test, testLabels, validation = '', validationLabels = '', teacher, model } = answers;
    const student = isModelFile(model) ? model : '';
    const named = [
      train,
      labels,
      test,
      testLabels,
      validation,
      validationLabels,
      answers.unlabelled ?? '',
      teacher?.name ?? '',
      student,
    ];
    await refuseAbsent(named, to);
    const {
      text: asked,
      failure,
      messages = [],
    } = teacher === undefined ? { text } : await askedTeacher(text, to, context);
    // A run says them itself.
    if (!args.run) for (const message of messages) context.note(`${message}\n`);
    const { writeWholeFile } = await import('../base/folders/whole-folder.ts');
    await writeWholeFile(to, asked);
    if (args.run && failure !== undefined)
      throw new UserError(`${to}: written, and not followed, as it is still wrong: ${failure.message}`, failure.hint);
    if (args.run) return follow(to, args.set, context);
    if (failure !== undefined) context.note(`still wrong: ${failure.message}\n${failure.hint}\n`);
    const { inShell } = await import('../base/errors.ts');
    const name = inShell(to);
    if (context.json) printJson(context, { file: to });
    else context.out(`${to}: written. Next: limbeck validate --data ${name}, then limbeck run ${name}\n`);
  },
};

/** The options with the file to write; data and models that lie in the working folder are named from the folder of that file, as in the recipe. */
async function placed({ data, ...args }: InitArgs): Promise<Told> {
  const path = await import('node:path');
  const { exists } = await import('../base/files.ts');
  const { describesData } = await import('../tools/init/boxes.ts');
  const isRecipe = data !== undefined && /\.ya?ml$/i.test(data) && !(await describesData(data));
  const to = (args.to as string | undefined) ?? (isRecipe ? data : 'recipe.yaml');
  const folder = path.dirname(to);
  const fromRecipe = async (name: string | undefined): Promise<string | undefined> => {
    if (name === undefined || name === '' || (await exists(path.resolve(folder, name)))) return name;
    return (await exists(name)) ? path.relative(folder, name) || '.' : name;
  };
  const train = args.train ?? (isRecipe || data === undefined ? undefined : path.relative(folder, data) || '.');
  const [labels, test, testLabels, teacher, model] = await Promise.all(
    [args.labels, args.test, args.testLabels, args.teacher, args.model].map(fromRecipe),
  );
  return { ...args, to, train: await fromRecipe(train), labels, test, testLabels, teacher, model };
}

/** The recipe with what its teacher, asked about some samples, turns out to want, which the user is told, and what its check says. */
async function askedTeacher(text: string, to: string, context: CommandContext) {
  const { fixedRecipe } = await import('../run/fixed-recipe.ts');
  const { pathText } = await import('../recipe/source.ts');
  const { flowText } = await import('../recipe/edit.ts');
  context.note('asking the teacher about some of the samples\n');
  const { text: fixed, changes, failure, checked } = await fixedRecipe(text, to, { data: true, isRun: false });
  for (const change of changes)
    if ('value' in change && change.value !== undefined)
      context.note(`found: ${pathText(change.path)}: ${flowText(change.value)}\n`);
  return { text: fixed, failure, messages: checked?.messages };
}

async function follow(file: string, set: readonly string[], context: CommandContext): Promise<void> {
  const { loadRunnable } = await import('../setup/runnable.ts');
  const { execute } = await import('./run.ts');
  const { outOption, saveEveryOption } = await import('./options/command.ts');
  const { WATCHERS } = await import('./options/watchers.ts');
  await WATCHERS.loadAll();
  const options = { out: outOption.default, saveEvery: saveEveryOption.default, existing: 'ask' as const, place: {} };
  context.note(`${file}: written, and followed now; again by limbeck run ${file}\n`);
  await execute(await loadRunnable(file, set), { ...options, watch: {} }, context);
}
