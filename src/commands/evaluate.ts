import { setOption } from './command.ts';
import type { Command } from './command.ts';
import { printJson, table } from './context.ts';

interface EvaluateArgs {
  model: string;
  recipe: string;
  set: string[];
  split: string;
}

export const evaluateCommand: Command<EvaluateArgs> = {
  name: 'evaluate <model>',
  summary: 'Accuracy of a model file on the data of a recipe',
  options: (yargs) =>
    yargs
      .positional('model', {
        type: 'string',
        demandOption: true,
        describe: 'ONNX or TFLite file, or model.json of tfjs',
      })
      .option('recipe', { type: 'string', demandOption: true, describe: 'Recipe whose data are used' })
      .option('set', setOption)
      .option('split', { choices: ['train', 'validation', 'test'], default: 'test', describe: 'Part of the data' }),
  run: async ({ model, recipe, set, split }, context) => {
    const { loadRunnable } = await import('../setup/runnable.ts');
    const { evaluateFile } = await import('../tools/evaluate.ts');
    const result = await evaluateFile(model, await loadRunnable(recipe, set), split as 'train' | 'validation' | 'test');
    if (context.json) {
      for (const warning of result.warnings) context.note(`warning: ${warning}\n`);
      printJson(context, result);
      return;
    }
    const percent = (fraction: number): string => `${(100 * fraction).toFixed(2)} %`;
    const rows = Object.entries(result.perClass).map(([name, accuracy]) => [name, percent(accuracy)]);
    context.out(table([['class', 'accuracy'], ...rows]));
    context.note(`input: ${result.preparation}\n`);
    for (const warning of result.warnings) context.note(`warning: ${warning}\n`);
    context.out(`${model}: right on ${percent(result.accuracy)} of ${result.samples} ${split} samples\n`);
  },
};
