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
  summary: 'Accuracy, or error, of a model file on the data of a recipe',
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
    const { digits } = await import('../report/format.ts');
    const { evaluateFile } = await import('../tools/evaluate.ts');
    const result = await evaluateFile(model, await loadRunnable(recipe, set), split as 'train' | 'validation' | 'test');
    if (context.json) {
      for (const warning of result.warnings) context.note(`warning: ${warning}\n`);
      printJson(context, result);
      return;
    }
    const percent = (fraction: number): string => `${(100 * fraction).toFixed(2)} %`;
    if (result.perClass !== undefined) {
      const rows = Object.entries(result.perClass).map(([name, accuracy]) => [name, percent(accuracy)]);
      context.out(table([['class', 'accuracy'], ...rows]));
    }
    if (result.errors !== undefined) {
      const rows = result.errors.rows.map(({ name, mae, rmse, r2 }) => [
        name,
        digits(mae),
        digits(rmse),
        r2 === null ? '-' : r2.toFixed(3),
      ]);
      context.out(table([['predicts', 'MAE', 'RMSE', 'R²'], ...rows]));
    }
    context.note(`input: ${result.preparation}\n`);
    for (const warning of result.warnings) context.note(`warning: ${warning}\n`);
    context.out(`${model}: ${result.said}\n`);
  },
};
