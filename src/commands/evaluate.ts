import { UserError } from '../base/errors.ts';
import type { UsualAnswers } from '../measure/usual-answers.ts';
import { setOption } from './options/command.ts';
import type { Command } from './options/command.ts';
import { printJson } from './context.ts';
import { inputOptions, inputShapes } from './options/shapes.ts';

interface EvaluateArgs {
  model: string;
  recipe: string;
  set: string[];
  split: string;
  usual: boolean;
  shape: string[];
  fix: string[];
}

export const evaluateCommand: Command<EvaluateArgs> = {
  name: 'evaluate <model>',
  summary: 'Measure the accuracy, or error, of a model file on the data of a recipe',
  options: (yargs) =>
    yargs
      .positional('model', {
        type: 'string',
        demandOption: true,
        describe: 'ONNX, Keras or TFLite file, or model.json of tfjs',
      })
      .option('recipe', { type: 'string', demandOption: true, describe: 'Recipe whose data are used' })
      .option('set', setOption)
      .option('split', { choices: ['train', 'validation', 'test'], default: 'test', describe: 'Part of the data' })
      .options(inputOptions)
      .option('usual', {
        ...{ type: 'boolean', default: false },
        describe: 'Write the distribution of its answers beside it, by which `limbeck serve` sees drift',
      }),
  run: async ({ model, recipe, set, split, usual, shape, fix }, context) => {
    if (usual) refuseUsual(model, split);
    const { loadRunnable } = await import('../setup/runnable.ts');
    const { evaluateFile } = await import('../tools/evaluate.ts');
    const evaluated = await evaluateFile(
      model,
      await loadRunnable(recipe, set),
      split as 'train' | 'validation' | 'test',
      inputShapes({ shape, fix }),
    );
    const { usual: spread, form, ...result } = evaluated;
    if (usual) await writeUsual(model, spread!);
    if (context.json) {
      for (const warning of result.warnings) context.note(`warning: ${warning}\n`);
      printJson(context, result);
      return;
    }
    const { EVALUATION_TABLES } = await import('./terminal/evaluation.ts');
    context.out(EVALUATION_TABLES[form](result));
    context.note(`input: ${result.preparation}\n`);
    for (const warning of result.warnings) context.note(`warning: ${warning}\n`);
    context.out(`${model}: ${result.said}\n`);
  },
};

function refuseUsual(model: string, split: string): void {
  if (!/\.onnx$/i.test(model)) {
    throw new UserError(
      `${model}: --usual: expected an .onnx file`,
      'Leave it out: only `limbeck serve` reads what it writes, and that serves .onnx files.',
    );
  }
  if (split === 'train') {
    throw new UserError(
      '--usual: expected --split validation or test, received train',
      'Use another split: a model is surer of the samples that it was trained on.',
    );
  }
}

async function writeUsual(model: string, usual: UsualAnswers): Promise<void> {
  const { readBytes } = await import('../base/files.ts');
  const { writeWholeFile } = await import('../base/folders/whole-folder.ts');
  const { usualPath, usualText } = await import('../folder/usual-answers.ts');
  await writeWholeFile(usualPath(model), usualText(await readBytes(model), usual));
}
